/** All flows of the house: which numbers lead to them, what is published, what is only drawn. */
import { TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, Suspense, useRef, useState } from 'react'
import { Link, useLocation, useRoute } from 'wouter'
import { api } from '../api/client'
import { may, useCentre } from '../api/session'
import { useUser } from '../app/me'
import { part } from '../app/part'
import { sentences, useLanguage, useSay, useWords } from '../i18n'
import { dayAndTime, phoneNumber } from '../i18n/format'
import { moreProblems } from '../i18n/problems'
import { shared } from '../i18n/shared'
import { Button, Card, Empty, Icon, Page, ProblemNote, ui, Waiting } from '../ui'
import { flowOf, fresh, pathOf, useFlowName, useFlows } from './api'
import css from './flows.module.css'
import { emptyGraph } from './model'
import { titles } from './titles'
import type { FlowListed } from './types'
import { words } from './words'

moreProblems(
  sentences({
    'FLOW-WRONG': [
      'This flow has errors: see what is wrong with it.',
      'Ten scenariusz ma błędy: sprawdź, co jest nie tak.',
      'В сценарии есть ошибки: посмотрите, что не так.',
    ],
    'FLOW-OF-FILE': [
      'This flow comes from a file: change it there.',
      'Ten scenariusz pochodzi z pliku: zmień go tam.',
      'Этот сценарий взят из файла: измените его там.',
    ],
    'FLOW-BUILT-IN': [
      'This flow is built in: make one of your own from it, and change that.',
      'Ten scenariusz jest wbudowany: utwórz z niego własny i zmień tamten.',
      'Этот сценарий встроен: создайте из него свой и измените тот.',
    ],
    'NO-SPEECH': [
      'This centre has no voice to speak with: ask your administrator to install eSpeak NG.',
      'To centrum nie ma głosu: poproś administratora o instalację eSpeak NG.',
      'У контакт-центра нет голоса: попросите администратора установить eSpeak NG.',
    ],
  }),
)

const Editor = part(() => import('./Editor'))

export default function Flows() {
  const [, found] = useRoute('/flows/:id')
  if (found?.id)
    return (
      <Suspense fallback={<Waiting />}>
        <Editor key={found.id} id={decodeURIComponent(found.id)} />
      </Suspense>
    )
  return <List />
}

function List() {
  const say = useSay()
  const t = useWords(words)
  const language = useLanguage()
  const { zone } = useCentre()
  const mayEdit = may(useUser(), 'settings')
  const { data, error, refetch } = useFlows()
  const [making, setMaking] = useState(false)
  const [copied, setCopied] = useState<FlowListed | null>(null)
  const nameOf = useFlowName()
  if (error) return <ProblemNote problem={error} retry={() => void refetch()} />
  if (!data) return <Waiting />
  const add = mayEdit && !making && (
    <Button
      size="xs"
      leftSection={<Icon name="plus" size={14} />}
      onClick={() => {
        setCopied(null)
        setMaking(true)
      }}
    >
      {t('newFlow')}
    </Button>
  )
  return (
    <Page title={say(titles.flows)} aside={data.items.length > 0 && add}>
      {making && (
        <Make
          key={copied?.id ?? ''}
          // One of the same id takes the place of what is built in.
          taken={data.items.filter((one) => one.origin !== 'built_in').map((one) => one.id)}
          all={data.items.map((one) => one.id)}
          from={copied}
          close={() => setMaking(false)}
        />
      )}
      {data.items.length === 0 && !making ? (
        <Empty title={t('none')} why={t('noneWhy')}>
          {add}
        </Empty>
      ) : (
        data.items.length > 0 && (
          <Card className={css.list}>
            <table className={ui.table}>
              <thead>
                <tr>
                  <th scope="col">{t('name')}</th>
                  <th scope="col">{t('numbers')}</th>
                  <th scope="col">{t('published')}</th>
                  <th scope="col">{t('draft')}</th>
                  <th scope="col">{t('from')}</th>
                  <td />
                </tr>
              </thead>
              <tbody>
                {data.items.map((one) => (
                  <tr key={one.id}>
                    <th scope="row">
                      <Link href={pathOf(one.id)}>{nameOf(one)}</Link>
                      {nameOf(one) !== one.id && <code>{one.id}</code>}
                    </th>
                    <td>
                      {one.numbers.length ? one.numbers.map(phoneNumber).join(', ') : '–'}
                      {one.used_by.length > 0 && <small>{t('usedBy', { where: one.used_by.join(', ') })}</small>}
                    </td>
                    <td>
                      {one.origin === 'built_in' ? '–' : one.version ? t('versionN', { n: one.version }) : t('notYet')}
                      {one.at !== null && one.version !== null && (
                        <small>
                          {dayAndTime(language, one.at, zone)}
                          {one.by ? ` · ${one.by}` : ''}
                        </small>
                      )}
                    </td>
                    <td>
                      {one.draft
                        ? t(one.draft.by ? 'draftBy' : 'draftOf', {
                            at: dayAndTime(language, one.draft.at, zone),
                            ...(one.draft.by ? { by: one.draft.by } : {}),
                          })
                        : '–'}
                    </td>
                    <td>
                      {one.origin === 'file'
                        ? t('fromFile', { file: one.file ?? '' })
                        : t(one.origin === 'built_in' ? 'builtIn' : 'fromScreen')}
                    </td>
                    <td className={ui.right}>
                      {mayEdit && one.origin === 'screen' && <Remove flow={one} />}
                      {mayEdit && one.origin === 'built_in' && (
                        <Button
                          size="xs"
                          variant="subtle"
                          aria-label={`${t('copyIt')}: ${nameOf(one)}`}
                          onClick={() => {
                            setCopied(one)
                            setMaking(true)
                          }}
                        >
                          {t('copyIt')}
                        </Button>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Card>
        )
      )}
    </Page>
  )
}

function Remove({ flow }: { flow: FlowListed }) {
  const t = useWords(words)
  const s = useWords(shared)
  const queries = useQueryClient()
  const [sure, setSure] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  async function remove() {
    setFailed(null)
    try {
      await api.delete(pathOf(flow.id))
      await fresh(queries)
    } catch (problem) {
      setFailed(problem)
      setSure(false)
    }
  }
  if (failed !== null) return <ProblemNote problem={failed} />
  if (!sure)
    return (
      <Button
        size="xs"
        variant="subtle"
        color="gray"
        aria-label={`${t('deleteIt')}: ${flow.name || flow.id}`}
        onClick={() => setSure(true)}
      >
        {s('delete')}
      </Button>
    )
  return (
    <span className={css.line}>
      <span role="alert">{t('deleteSure', { name: flow.name || flow.id })}</span>
      <Button size="xs" color="red" onClick={() => void remove()}>
        {s('delete')}
      </Button>
      <Button size="xs" variant="default" onClick={() => setSure(false)}>
        {s('cancel')}
      </Button>
    </span>
  )
}

const ID = /^[a-z][a-z0-9_-]{0,63}$/
const LETTERS: Record<string, string> = Object.fromEntries(
  'а:a б:b в:v г:g д:d е:e ё:e ж:zh з:z и:i й:y к:k л:l м:m н:n о:o п:p р:r с:s т:t у:u ф:f х:h ц:ts ч:ch ш:sh щ:sch ъ: ы:y ь: э:e ю:yu я:ya ł:l'
    .split(' ')
    .map((one) => one.split(':') as [string, string]),
)

/** An id from a name in any of the three languages. */
export function idFrom(name: string, taken: readonly string[]): string {
  const plain = [...name.toLowerCase()]
    .map((one) => LETTERS[one] ?? one)
    .join('')
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 40)
  const base = plain || 'flow'
  let id = base
  for (let n = 2; taken.includes(id); n++) id = `${base}-${n}`
  return id
}

function Make({
  taken,
  all,
  from,
  close,
}: {
  taken: string[]
  all: string[]
  /** Whose graph it begins with. */
  from: FlowListed | null
  close: () => void
}) {
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const queries = useQueryClient()
  const [, go] = useLocation()
  const nameOf = useFlowName()
  const [name, setName] = useState(from ? t('copyOf', { name: nameOf(from) }) : '')
  const [own, setOwn] = useState<string | null>(null)
  const [tried, setTried] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  const field = useRef<HTMLInputElement>(null)
  const id = own ?? (name.trim() ? idFrom(name, all) : '')
  const wrong = !ID.test(id) ? t('idWrong') : taken.includes(id) ? t('idTaken') : null
  async function make(event: FormEvent) {
    event.preventDefault()
    setTried(true)
    if (wrong) return field.current?.focus()
    try {
      const graph = from ? (await flowOf(from.id)).graph : emptyGraph(language)
      await api.post('/flows', { id, name: name.trim() || id, graph })
      await fresh(queries)
      go(pathOf(id))
    } catch (problem) {
      setFailed(problem)
    }
  }
  return (
    <Card className={css.make}>
      <form onSubmit={(event) => void make(event)} noValidate>
        <h2>{t('newFlow')}</h2>
        {from && <p className={css.hint}>{t('copyWhy', { id: from.id })}</p>}
        {failed !== null && <ProblemNote problem={failed} />}
        <TextInput
          label={t('name')}
          value={name}
          autoFocus
          autoComplete="off"
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          ref={field}
          label={t('id')}
          description={t('idWhy')}
          classNames={{ input: css.mono }}
          value={id}
          spellCheck={false}
          autoCapitalize="none"
          autoComplete="off"
          error={(tried || own !== null) && wrong}
          onChange={(event) => setOwn(event.currentTarget.value)}
        />
        <div className={css.line}>
          <Button type="submit">{t('make')}</Button>
          <Button variant="default" onClick={close}>
            {s('cancel')}
          </Button>
        </div>
      </form>
    </Card>
  )
}
