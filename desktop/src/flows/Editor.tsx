/** The editor of one flow: palette or outline, drawing, side panel. */
import { SegmentedControl } from '@mantine/core'
import { useQueries, useQueryClient } from '@tanstack/react-query'
import { ReactFlowProvider, useReactFlow } from '@xyflow/react'
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { Link } from 'wouter'
import { ApiProblem } from '../api/client'
import { may, useCentre } from '../api/session'
import { defineActs, useAct } from '../app/keys'
import { useUser } from '../app/me'
import { useLanguage, useWords } from '../i18n'
import { timeOf } from '../i18n/format'
import { shared } from '../i18n/shared'
import { Button, Empty, Icon, ProblemNote, useProblemText, Waiting } from '../ui'
import { AddMenu } from './AddMenu'
import { FLOWS, flowOf, fresh, useFlow, useFlowName } from './api'
import { Canvas, drags, WHOLE } from './Canvas'
import { addAfter, disconnect, freePlace, moveNodes, openExit, removeNodes } from './edit'
import { Figures } from './Figures'
import css from './flows.module.css'
import { copyChosen, Inspector, pasteCopied } from './Inspector'
import { layout, WIDTH } from './layout'
import { exitsOf, GROUPS, returnsOf, TYPES } from './model'
import { NodeIcon } from './NodeIcon'
import { groupNames, named, nodeName, typeHints, typeName } from './nodeWords'
import { Outline } from './Outline'
import { ProblemList } from './ProblemList'
import { Publish } from './Publish'
import { IconButton } from './parts'
import { choose, close, edit, goTo, open, PANELS, redo, select, show, undo, useEditor } from './store'
import { Try } from './Try'
import type { FlowShown } from './types'
import { Versions } from './Versions'
import { useView, ViewContext } from './view'
import { words } from './words'

const acts = defineActs({
  flowUndo: { key: 'Ctrl+KeyZ', title: ['Flow: undo', 'Scenariusz: cofnij', 'Сценарий: отменить'] },
  flowRedo: { key: 'Ctrl+Shift+KeyZ', title: ['Flow: redo', 'Scenariusz: ponów', 'Сценарий: вернуть'] },
  flowAdd: { key: 'KeyN', title: ['Flow: add a node', 'Scenariusz: dodaj węzeł', 'Сценарий: добавить узел'] },
  flowDelete: { key: 'Delete', title: ['Flow: delete', 'Scenariusz: usuń', 'Сценарий: удалить'] },
  flowCopy: { key: 'Ctrl+KeyC', title: ['Flow: copy nodes', 'Scenariusz: kopiuj węzły', 'Сценарий: копировать узлы'] },
  flowPaste: { key: 'Ctrl+KeyV', title: ['Flow: paste nodes', 'Scenariusz: wklej węzły', 'Сценарий: вставить узлы'] },
})

export default function Editor({ id }: { id: string }) {
  const t = useWords(words)
  const me = useUser()
  const { data, error, refetch, isFetchedAfterMount } = useFlow(id)
  const opened = useEditor((one) => one.id === id && one.graph !== null)
  const ready = useRef('')
  const mayEdit = may(me, 'settings')
  useEffect(() => {
    if (!data || !isFetchedAfterMount || ready.current === id) return
    ready.current = id
    open(data, mayEdit)
  }, [data, isFetchedAfterMount, id, mayEdit])
  useEffect(
    () => () => {
      close()
      ready.current = ''
      useEditor.setState({ id: '', graph: null })
    },
    [],
  )
  if (error)
    return error instanceof ApiProblem && error.code === 'NOT-FOUND' ? (
      <Empty title={t('noSuch')} why={id}>
        <Button component={Link} href="/flows" variant="default">
          {t('toList')}
        </Button>
      </Empty>
    ) : (
      <ProblemNote problem={error} retry={() => void refetch()} />
    )
  if (!data || !opened) return <Waiting />
  return (
    <ReactFlowProvider>
      <Desk flow={data} mayEdit={mayEdit} />
    </ReactFlowProvider>
  )
}

/** Exits by which the flows that this one goes through come back. */
function useSubFlows(own: string): void {
  const graph = useEditor((one) => one.graph)
  const names = useMemo(
    () => [
      ...new Set(
        Object.values(graph?.nodes ?? {})
          .filter((one) => one.type === 'flow' && typeof one.flow === 'string' && one.flow && one.flow !== own)
          .map((one) => one.flow as string),
      ),
    ],
    [graph, own],
  )
  const found = useQueries({
    queries: names.map((id) => ({
      queryKey: [...FLOWS, id, 'inner'],
      queryFn: () => flowOf(id),
      staleTime: 60_000,
      retry: false,
    })),
  })
  const text = JSON.stringify(found.map((one) => (one.data?.graph ? returnsOf(one.data.graph) : [])))
  // biome-ignore lint/correctness/useExhaustiveDependencies: `text` is what they are
  useEffect(() => {
    const all = JSON.parse(text) as string[][]
    useEditor.setState({ returns: new Map(names.map((id, index) => [id, all[index] ?? []])) })
  }, [names.join(' '), text])
}

interface Adding {
  from: { node: string; exit: string } | null
  at: [number, number] | null
}

function Desk({ flow, mayEdit }: { flow: FlowShown; mayEdit: boolean }) {
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const view = useView(language)
  const panel = useEditor((one) => one.panel)
  const name = useEditor((one) => one.name)
  const past = useEditor((one) => one.past)
  const chosen = useEditor((one) => one.chosen)
  const copied = useEditor((one) => one.copied)
  const problems = useEditor((one) => one.problems)
  const nameOf = useFlowName()
  const readOnly = useEditor((one) => one.readOnly)
  const drawing = useReactFlow()
  const [left, setLeft] = useState<'palette' | 'outline'>(readOnly ? 'outline' : 'palette')
  const [folded, setFolded] = useState(false)
  const [adding, setAdding] = useState<Adding | null>(null)
  const middle = useRef<HTMLDivElement>(null)
  const still = view.still
  useSubFlows(flow.id)

  const tall = useCallback((id: string) => drawing.getNode(id)?.measured?.height ?? 140, [drawing])
  const add = useCallback(
    (type: string, { from, at }: Adding) => {
      const { graph } = useEditor.getState()
      if (!graph) return
      const before = from && graph.nodes[from.node]
      const place = (): [number, number] => {
        if (at) return at
        const drawn = from && drawing.getNode(from.node)
        if (before && drawn) return freePlace(graph, [drawn.position.x + WIDTH + 90, drawn.position.y], tall)
        const box = middle.current?.getBoundingClientRect()
        if (!box) return [0, 0]
        const { x, y } = drawing.screenToFlowPosition({ x: box.x + box.width / 2, y: box.y + box.height / 3 })
        return freePlace(graph, [Math.round(x - WIDTH / 2), Math.round(y)], tall)
      }
      const made = addAfter(graph, type, from, place())
      edit(() => made.graph)
      useEditor.setState({ panel: 'node', compared: null })
      goTo(made.id, true)
    },
    [drawing, tall],
  )

  /** After the chosen node, by its first open exit. */
  const afterChosen = (): Adding['from'] => {
    const [only] = chosen.size === 1 ? chosen : []
    const node = only === undefined ? undefined : view.graph.nodes[only]
    const exit = node && openExit(exitsOf(node, view.returns))
    return only !== undefined && exit ? { node: only, exit } : null
  }
  const begin = () => setAdding({ from: afterChosen(), at: null })
  const menu = useCallback((from: { node: string; exit: string }, at: [number, number]) => setAdding({ from, at }), [])
  const addAt = useCallback((type: string, at: [number, number]) => add(type, { from: null, at }), [add])

  function tidy() {
    const { graph } = useEditor.getState()
    if (!graph) return
    edit(() => moveNodes(graph, layout(graph, tall, view.returns)))
    requestAnimationFrame(() => requestAnimationFrame(() => void drawing.fitView(WHOLE)))
  }

  useAct(acts.flowUndo, undo, !readOnly)
  useAct(acts.flowRedo, redo, !readOnly)
  useAct(acts.flowAdd, begin, !still && adding === null)
  useAct(
    acts.flowDelete,
    () => {
      const way = document.activeElement?.closest<SVGElement>('.react-flow__edge')?.dataset.id
      if (way) {
        const cut = way.indexOf('/')
        edit((graph) => disconnect(graph, way.slice(0, cut), way.slice(cut + 1)))
        return
      }
      edit((graph) => removeNodes(graph, chosen))
      select([])
    },
    !still && adding === null,
  )
  useAct(
    acts.flowCopy,
    () => {
      const picked = window.getSelection()?.toString()
      if (picked) void navigator.clipboard?.writeText(picked)
      else copyChosen(chosen)
    },
    chosen.size > 0 && !still,
  )
  useAct(acts.flowPaste, pasteCopied, !still && Object.keys(copied).length > 0)

  const errors = problems.filter((one) => one.severity === 'error').length
  const warnings = problems.length - errors

  function keys(event: KeyboardEvent) {
    // Enter on a node of the drawing: its settings have the keyboard.
    const node = event.target instanceof HTMLElement && event.target.closest<HTMLElement>('.react-flow__node')
    if (event.key !== 'Enter' || !node || event.target !== node) return
    event.preventDefault()
    useEditor.setState({ panel: 'node' })
    goTo(node.dataset.id ?? '', true)
  }

  return (
    <ViewContext.Provider value={view}>
      <div className={css.editor}>
        <div className={css.tools} role="toolbar" aria-label={t('tools')}>
          <Link href="/flows" className={css.back} aria-label={t('toList')} title={t('toList')}>
            <Icon name="left" size={18} />
          </Link>
          <h1 className={css.flowName}>{nameOf({ ...flow, name })}</h1>
          <SaveState flow={flow} />
          {!readOnly && (
            <>
              <span className={css.pair}>
                <button
                  type="button"
                  className={css.iconButton}
                  onClick={undo}
                  disabled={!past.before.length}
                  aria-label={s('undo')}
                  title={`${s('undo')} (Ctrl+Z)`}
                >
                  <Icon name="undo" size={16} />
                </button>
                <button
                  type="button"
                  className={`${css.iconButton} ${css.mirrored}`}
                  onClick={redo}
                  disabled={!past.after.length}
                  aria-label={t('redo')}
                  title={`${t('redo')} (Ctrl+Shift+Z)`}
                >
                  <Icon name="undo" size={16} />
                </button>
              </span>
              <Button
                size="xs"
                variant="default"
                leftSection={<Icon name="plus" size={14} />}
                onClick={begin}
                disabled={still}
                title="N"
              >
                {t('addNode')}
              </Button>
              <Button size="xs" variant="default" onClick={tidy} disabled={still}>
                {t('tidy')}
              </Button>
            </>
          )}
          <nav className={css.panels} aria-label={t('side')}>
            {PANELS.filter((one) => one !== 'publish' || !readOnly).map((one) => (
              <button
                key={one}
                type="button"
                aria-pressed={panel === one}
                data-wrong={(one === 'problems' && errors > 0) || undefined}
                onClick={() => show(one)}
              >
                {t(one)}
                {one === 'problems' && problems.length > 0 && (
                  <span
                    className={css.count}
                    data-severity={errors ? 'error' : 'warning'}
                    title={[errors && t('nErrors', { n: errors }), warnings && t('nWarnings', { n: warnings })]
                      .filter(Boolean)
                      .join(', ')}
                  >
                    {problems.length}
                  </span>
                )}
              </button>
            ))}
          </nav>
        </div>
        {flow.origin === 'file' ? (
          <p className={css.notice}>{t('onlyFile', { file: flow.file ?? '' })}</p>
        ) : flow.origin === 'built_in' ? (
          <p className={css.notice}>{t('onlyBuiltIn')}</p>
        ) : !mayEdit ? (
          <p className={css.notice}>{t('onlyLook')}</p>
        ) : null}
        <RaceNote />
        <div className={css.body} data-folded={folded || undefined}>
          <aside
            className={css.left}
            aria-label={folded ? t('nodes') : left === 'palette' && !readOnly ? t('palette') : t('outline')}
          >
            <div className={css.leftHead}>
              {!readOnly && !folded && (
                <SegmentedControl
                  size="xs"
                  fullWidth
                  className={css.grow}
                  aria-label={t('nodes')}
                  value={left}
                  onChange={(next) => setLeft(next as typeof left)}
                  data={[
                    { value: 'palette', label: t('nodes') },
                    { value: 'outline', label: t('outline') },
                  ]}
                />
              )}
              <IconButton
                icon={folded ? 'right' : 'left'}
                label={folded ? t('unfold') : t('fold')}
                onClick={() => setFolded(!folded)}
              />
            </div>
            {!folded &&
              (left === 'palette' && !readOnly ? (
                <Palette disabled={still} add={(type) => add(type, { from: afterChosen(), at: null })} />
              ) : (
                <Outline />
              ))}
          </aside>
          {/* biome-ignore lint/a11y/noStaticElementInteractions: keys of the nodes inside */}
          <div ref={middle} className={css.middle} onKeyDown={keys}>
            <Canvas addAt={addAt} menu={menu} />
          </div>
          <aside className={css.right} aria-label={t('side')}>
            {panel === 'node' && <Inspector add={(from) => setAdding({ from, at: null })} />}
            {panel === 'problems' && (
              <div className={css.stack}>
                <h2 className={css.sideTitle}>{t('problems')}</h2>
                <ProblemList problems={problems} />
              </div>
            )}
            {panel === 'try' && <Try />}
            {panel === 'publish' && <Publish />}
            {panel === 'versions' && <Versions mayEdit={!readOnly} />}
            {panel === 'figures' && <Figures />}
          </aside>
        </div>
        {adding && (
          <AddMenu
            title={
              adding.from
                ? t('addAfter', { name: nodeName(adding.from.node, view.graph.nodes[adding.from.node], language) })
                : t('addNode')
            }
            take={(type) => add(type, adding)}
            close={() => setAdding(null)}
          />
        )}
      </div>
    </ViewContext.Provider>
  )
}

function SaveState({ flow }: { flow: FlowShown }) {
  const t = useWords(words)
  const problemText = useProblemText()
  const { saving, failure, draft, version, readOnly } = useEditor()
  const queries = useQueryClient()
  // The list shows the draft when one comes back to it.
  useEffect(() => {
    if (draft) void fresh(queries)
  }, [draft, queries])
  const text = readOnly
    ? version
      ? t('versionN', { n: version })
      : ''
    : saving === 'race'
      ? t('twoDrafts')
      : saving === 'failed'
        ? t('notSaved')
        : saving === 'waits' || saving === 'sent'
          ? t('saving')
          : draft
            ? t('draftSaved')
            : version
              ? `${t('asPublished')}: ${t('versionN', { n: version })}`
              : ''
  return (
    <p className={css.saveState} role="status" data-state={saving} title={failure ? problemText(failure) : flow.id}>
      {text}
    </p>
  )
}

/** Two drafts at once: both are there, one is chosen. */
function RaceNote() {
  const t = useWords(words)
  const language = useLanguage()
  const { zone } = useCentre()
  const { race, graph, compared } = useEditor()
  if (!race || !graph) return null
  return (
    <div className={css.race} role="alert">
      <p>
        <strong>
          {t('race', { by: race.by ?? t('raceSomebody'), at: race.at ? timeOf(language, race.at, zone) : '' })}
        </strong>{' '}
        {t('raceWhy')} <code>EDIT-RACE</code>
      </p>
      <Button
        size="xs"
        variant="default"
        onClick={() =>
          useEditor.setState({ compared: compared ? null : { before: graph, after: race.theirs }, panel: 'node' })
        }
      >
        {t('seeBoth')}
      </Button>
      <Button size="xs" variant="default" onClick={() => choose(false)}>
        {t('takeTheirs')}
      </Button>
      <Button size="xs" onClick={() => choose(true)}>
        {t('takeMine')}
      </Button>
    </div>
  )
}

function Palette({ disabled, add }: { disabled: boolean; add: (type: string) => void }) {
  const t = useWords(words)
  const language = useLanguage()
  return (
    <div className={css.palette}>
      <p className={css.hint}>{t('paletteHint')}</p>
      {GROUPS.map((group) => (
        <section key={group} aria-label={named(groupNames, group, language)}>
          <h2>{named(groupNames, group, language)}</h2>
          {Object.keys(TYPES)
            .filter((type) => TYPES[type]!.group === group)
            .map((type) => (
              <button
                key={type}
                type="button"
                draggable={!disabled}
                disabled={disabled}
                data-group={group}
                title={named(typeHints, type, language)}
                onDragStart={(event) => drags(event, type)}
                onClick={() => add(type)}
              >
                <NodeIcon type={type} />
                {typeName(type, language)}
              </button>
            ))}
        </section>
      ))}
    </div>
  )
}
