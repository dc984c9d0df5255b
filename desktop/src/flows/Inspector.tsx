/** The settings of the chosen node, and where its exits lead. Without one: of the flow itself. */
import { Menu, Select, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { useLanguage, useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Button, Icon, useProblemText } from '../ui'
import { fresh, useVocabulary } from './api'
import { connect, copied, disconnect, dropExit, pasted, removeNodes, setField } from './edit'
import { Field, Written } from './fields'
import css from './flows.module.css'
import { DIGITS, exitsOf, type FlowNode, isKey, KEYED, TYPES } from './model'
import { NodeIcon } from './NodeIcon'
import { exitName, named, nodeName, typeHints, typeName } from './nodeWords'
import { useLanguageNames } from './Prompt'
import { IconButton, Problems, within } from './parts'
import { edit, goTo, rename, select, useEditor } from './store'
import { useShown } from './view'
import { words } from './words'

export function Inspector({ add }: { add: (from: { node: string; exit: string }) => void }) {
  const view = useShown()
  const chosen = useEditor((one) => one.chosen)
  const [only] = chosen
  if (chosen.size > 1) return <Many ids={chosen} />
  if (only === undefined || !(only in view.graph.nodes)) return <OfFlow />
  return <OfNode key={only} id={only} node={view.graph.nodes[only]!} add={add} />
}

function OfFlow() {
  const { graph, still } = useShown()
  const t = useWords(words)
  const language = useLanguage()
  const vocabulary = useVocabulary()
  const called = useLanguageNames()
  const problems = useEditor((one) => one.problems)
  const put = (field: 'language' | 'voice' | 'start', value: string | null) =>
    edit((now) => {
      if (field === 'start') return { ...now, start: value ?? now.start }
      const { [field]: _, ...rest } = now
      return value ? { ...now, [field]: value } : rest
    })
  const voices = vocabulary.voices
    .filter((one) => !graph.language || one.language === graph.language || !one.language)
    .map((one) => one.name)
  return (
    <div className={css.stack}>
      <h2 className={css.sideTitle}>{t('ofFlow')}</h2>
      <p className={css.hint}>{t('chooseNode')}</p>
      <Problems problems={problems.filter((one) => one.node === '')} />
      {!still && <Name />}
      <Select
        label={t('startNode')}
        data={Object.entries(graph.nodes).map(([id, node]) => ({ value: id, label: nodeName(id, node, language) }))}
        value={graph.start || null}
        searchable
        openOnFocus={false}
        allowDeselect={false}
        disabled={still}
        onChange={(next) => put('start', next)}
      />
      <Select
        label={t('flowLanguage')}
        data={[...new Set([...vocabulary.languages, ...(graph.language ? [graph.language] : [])])].map((one) => ({
          value: one,
          label: called(one),
        }))}
        value={graph.language || null}
        placeholder={t('usualVoice')}
        clearable
        disabled={still}
        onChange={(next) => put('language', next)}
      />
      <Select
        label={t('flowVoice')}
        data={[...new Set([...voices, ...(graph.voice ? [graph.voice] : [])])]}
        value={graph.voice || null}
        placeholder={t('usualVoice')}
        clearable
        disabled={still}
        onChange={(next) => put('voice', next)}
      />
    </div>
  )
}

function Name() {
  const t = useWords(words)
  const text = useProblemText()
  const queries = useQueryClient()
  const { id, name } = useEditor()
  const [typed, setTyped] = useState(name)
  const [failed, setFailed] = useState<unknown>(null)
  async function leave() {
    setFailed(null)
    try {
      await rename(typed.trim())
      await fresh(queries)
    } catch (problem) {
      setFailed(problem)
    }
  }
  return (
    <TextInput
      label={t('name')}
      description={id}
      value={typed}
      autoComplete="off"
      error={failed ? text(failed) : null}
      onChange={(event) => setTyped(event.currentTarget.value)}
      onBlur={() => void leave()}
    />
  )
}

function Many({ ids }: { ids: ReadonlySet<string> }) {
  const { still } = useShown()
  const t = useWords(words)
  return (
    <div className={css.stack}>
      <h2 className={css.sideTitle}>{t('manyChosen', { n: ids.size })}</h2>
      {!still && <NodeActs ids={ids} />}
    </div>
  )
}

export function copyChosen(ids: ReadonlySet<string>): void {
  const { graph } = useEditor.getState()
  if (graph) useEditor.setState({ copied: copied(graph, ids) })
}

export function pasteCopied(): void {
  const { graph, copied: nodes } = useEditor.getState()
  if (!graph || !Object.keys(nodes).length) return
  let ids: string[] = []
  edit((now) => {
    const made = pasted(now, nodes)
    ids = made.ids
    return made.graph
  })
  if (ids.length) {
    goTo(ids[0]!)
    select(ids)
  }
}

function NodeActs({ ids }: { ids: ReadonlySet<string> }) {
  const t = useWords(words)
  const s = useWords(shared)
  return (
    <div className={css.line}>
      <Button size="xs" variant="default" onClick={() => copyChosen(ids)}>
        {t('copy')}
      </Button>
      <Button
        size="xs"
        variant="subtle"
        color="gray"
        leftSection={<Icon name="trash" size={14} />}
        aria-label={ids.size > 1 ? undefined : t('deleteNode')}
        onClick={() => {
          edit((graph) => removeNodes(graph, ids))
          select([])
        }}
      >
        {s('delete')}
      </Button>
    </div>
  )
}

function OfNode({
  id,
  node,
  add,
}: {
  id: string
  node: FlowNode
  add: (from: { node: string; exit: string }) => void
}) {
  const view = useShown()
  const { graph, still } = view
  const t = useWords(words)
  const language = useLanguage()
  const all = useEditor((one) => one.problems)
  const goal = useEditor((one) => one.goal)
  const problems = all.filter((one) => one.node === id)
  const box = useRef<HTMLDivElement>(null)
  const type = TYPES[node.type]
  const fields = type?.fields ?? []
  const usual = fields.filter((one) => !one.more)
  const more = fields.filter((one) => one.more)
  const touched = more.some((one) => one.name in node || within(problems, one.name).length > 0)
  const [opened, setOpened] = useState(touched)
  const exits = exitsOf(node, view.returns)
  const named_ = new Set(['', ...fields.map((one) => one.name)])
  const elsewhere = problems.filter(
    ({ where }) =>
      where === '' || !(where.startsWith('exits') || named_.has(where.split(/[.[]/)[0]!) || node.type === 'transfer'),
  )
  const targets = useMemo(
    () => [
      { value: NEW, label: t('newNode') },
      ...Object.entries(graph.nodes).map(([one, other]) => ({ value: one, label: nodeName(one, other, language) })),
    ],
    [graph.nodes, language, t],
  )
  const from = Object.entries(graph.nodes).filter(([, one]) => Object.values(one.exits ?? {}).includes(id))

  // Asked for by Enter or a new node: the keyboard goes to its settings.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each goal
  useEffect(() => {
    if (!goal.focus || goal.node !== id) return
    const first = box.current?.querySelector<HTMLElement>('[data-fields] :is(textarea, input, button):not(:disabled)')
    ;(first ?? box.current?.querySelector<HTMLElement>('input'))?.focus()
  }, [goal.n])

  const set = (field: string) => (value: unknown, typing?: boolean) =>
    edit((now) => setField(now, id, field, value), typing ? `${id} ${field}` : '')
  const field = (one: (typeof fields)[number]): ReactNode => (
    <Field key={one.name} field={one} node={node} id={id} readOnly={still} problems={problems} set={set(one.name)} />
  )

  return (
    <div className={css.stack} ref={box}>
      <header className={css.nodeHead} data-tone={type?.group}>
        <NodeIcon type={node.type} size={20} />
        <h2 className={css.sideTitle}>{typeName(node.type, language)}</h2>
        <code>{id}</code>
      </header>
      <p className={css.hint}>{type ? named(typeHints, node.type, language) : t('unknownType', { type: node.type })}</p>
      <Problems problems={elsewhere} />
      <TextInput
        label={t('title')}
        description={t('titleWhy')}
        value={node.title ?? ''}
        readOnly={still}
        autoComplete="off"
        onChange={(event) => set('title')(event.currentTarget.value || undefined, true)}
      />
      <div className={css.stack} data-fields>
        {usual.map(field)}
      </div>
      {more.length > 0 && (
        <details open={opened} onToggle={(event) => setOpened(event.currentTarget.open)} className={css.more}>
          <summary>{t('moreFields')}</summary>
          {opened && <div className={css.stack}>{more.map(field)}</div>}
        </details>
      )}
      {fields.some((one) => SPOKEN_OF.has(one.kind)) && <Written />}
      <fieldset className={css.rows}>
        <legend className={css.label}>{t('exits')}</legend>
        {exits.length === 0 && !type?.optional && <p className={css.hint}>{t('noExits')}</p>}
        {exits.map((exit) => (
          <ExitRow
            key={exit.name}
            id={id}
            node={node}
            exit={exit}
            targets={targets}
            add={add}
            problems={within(problems, `exits.${exit.name}`)}
          />
        ))}
        <Problems problems={problems.filter(({ where }) => where === 'exits')} />
        {KEYED.includes(node.type) && !still && (
          <Menu position="bottom-start">
            <Menu.Target>
              <Button size="xs" variant="default" leftSection={<Icon name="plus" size={14} />}>
                {t('addDigit')}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {DIGITS.filter((one) => !(one in (node.exits ?? {}))).map((one) => (
                <Menu.Item key={one} onClick={() => edit((now) => connect(now, id, one, ''))}>
                  {one}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        )}
      </fieldset>
      {from.length > 0 && (
        <p className={css.hint}>
          {t('leadHere')}:{' '}
          {from.map(([one, other], index) => (
            <span key={one}>
              {index > 0 && ', '}
              <button type="button" className={css.link} onClick={() => goTo(one)}>
                {nodeName(one, other, language)}
              </button>
            </span>
          ))}
        </p>
      )}
      {!still && (
        <div className={css.line}>
          {graph.start !== id && (
            <Button size="xs" variant="default" onClick={() => edit((now) => ({ ...now, start: id }))}>
              {t('makeStart')}
            </Button>
          )}
          <NodeActs ids={new Set([id])} />
        </div>
      )}
    </div>
  )
}

const SPOKEN_OF = new Set(['prompt', 'expression', 'expressions', 'cases', 'template', 'templates', 'long'])

const NEW = '\u0000new'

function ExitRow({
  id,
  node,
  exit,
  targets,
  add,
  problems,
}: {
  id: string
  node: FlowNode
  targets: { value: string; label: string }[]
  exit: { name: string; to: string; needed: boolean }
  add: (from: { node: string; exit: string }) => void
  problems: Parameters<typeof Problems>[0]['problems']
}) {
  const { graph, still } = useShown()
  const t = useWords(words)
  const language = useLanguage()
  const name = exitName(exit.name, language)
  const digit = isKey(node, exit.name)
  return (
    <div className={css.exitRow}>
      <span className={css.exitLabel} aria-hidden="true">
        {name}
      </span>
      <Select
        className={css.grow}
        aria-label={t('exitTo', { exit: name })}
        data={targets}
        limit={100}
        value={exit.to || null}
        placeholder={exit.needed ? t('nowhere') : t('optional')}
        searchable
        openOnFocus={false}
        clearable
        disabled={still}
        error={(exit.needed && !exit.to) || problems.some((one) => one.severity === 'error')}
        onChange={(next) => {
          if (next === NEW) add({ node: id, exit: exit.name })
          else if (next) edit((now) => connect(now, id, exit.name, next))
          else edit((now) => disconnect(now, id, exit.name))
        }}
      />
      {exit.to && (
        <IconButton
          icon="right"
          label={`${t('editNode')}: ${nodeName(exit.to, graph.nodes[exit.to], language)}`}
          onClick={() => goTo(exit.to)}
        />
      )}
      {digit && !still && (
        <IconButton
          icon="close"
          label={t('removeExit', { exit: exit.name })}
          onClick={() => edit((now) => dropExit(now, id, exit.name))}
        />
      )}
      <Problems problems={problems} />
    </div>
  )
}
