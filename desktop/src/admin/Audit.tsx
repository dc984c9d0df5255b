/** What people changed and listened to, newest first: filtered by who, what and words; before → after. */
import { Select, TextInput } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useLocation, useSearch } from 'wouter'
import { api } from '../api/client'
import { may, useCentre } from '../api/session'
import type { Schema } from '../api/types'
import { useUser } from '../app/me'
import { useLanguage, useSay, useWords } from '../i18n'
import { dayAndTime } from '../i18n/format'
import { Button, Empty, Page, ProblemNote, ui, Waiting } from '../ui'
import css from './admin.module.css'
import { Wide } from './parts'
import { titles } from './titles'
import { actionWords, words } from './words'

type Entry = Schema<'TrailEntry'>

export default function Audit() {
  const t = useWords(words)
  const say = useSay()
  const language = useLanguage()
  const me = useUser()
  const { zone, agentName, queueName } = useCentre()
  const search = new URLSearchParams(useSearch())
  const [path, go] = useLocation()
  const who = search.get('who')
  const did = search.get('did')
  const [text, setText] = useState(search.get('q') ?? '')
  const [open, setOpen] = useState<number | null>(null)
  const pages = useInfiniteQuery({
    queryKey: ['audit'],
    queryFn: ({ pageParam }) =>
      api.get<{ items: Entry[]; next: string | null }>('/audit', { cursor: pageParam, limit: 200 }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  })
  const users = useQuery({
    queryKey: ['admin', 'users'],
    queryFn: () => api.get<{ items: { id: string; name: string }[] }>('/admin/users'),
    enabled: may(me, 'users'),
  })
  if (pages.isError) return <ProblemNote problem={pages.error} retry={() => void pages.refetch()} />
  if (!pages.data) return <Waiting />
  const names = new Map((users.data?.items ?? []).map((one) => [one.id, one.name]))
  const person = (id: string) => names.get(id) ?? (id === 'console' ? t('console') : id)
  const subject = (one: Entry) => {
    if (names.has(one.subject)) return names.get(one.subject)!
    if (one.action.startsWith('agent.')) return agentName(one.subject)
    if (one.action.startsWith('queue.')) return queueName(one.subject)
    return one.subject
  }
  const action = (one: string) => {
    const found = actionWords[one as keyof typeof actionWords]
    return found ? say(found) : one
  }
  const all = pages.data.pages.flatMap((one) => one.items)
  const wanted = text.trim().toLowerCase()
  const found = all.filter(
    (one) =>
      (!who || one.actor === who) &&
      (!did || one.action === did) &&
      (!wanted ||
        `${person(one.actor)} ${subject(one)} ${one.subject} ${action(one.action)} ${one.action} ${one.address} ${JSON.stringify(one.before)} ${JSON.stringify(one.after)}`
          .toLowerCase()
          .includes(wanted)),
  )
  function choose(name: string, value: string | null) {
    const next = new URLSearchParams(search)
    if (value) next.set(name, value)
    else next.delete(name)
    go(`${path}${next.size ? `?${next}` : ''}`, { replace: true })
  }
  const actors = [...new Set(all.map((one) => one.actor))]
  const actions = [...new Set(all.map((one) => one.action))]
  const last = all[all.length - 1]
  return (
    <Page
      title={say(titles.audit)}
      aside={
        <div className={css.line}>
          <Select
            aria-label={t('who')}
            placeholder={t('anybody')}
            clearable
            value={who}
            data={actors.map((one) => ({ value: one, label: person(one) }))}
            onChange={(one) => choose('who', one)}
          />
          <Select
            aria-label={t('did')}
            placeholder={t('anything')}
            clearable
            value={did}
            data={actions.map((one) => ({ value: one, label: action(one) }))}
            onChange={(one) => choose('did', one)}
          />
          <TextInput
            aria-label={t('filter')}
            placeholder={t('filter')}
            value={text}
            onChange={(event) => {
              setText(event.currentTarget.value)
              choose('q', event.currentTarget.value.trim() || null)
            }}
          />
        </div>
      }
    >
      {found.length ? (
        <Wide label={say(titles.audit)}>
          <table className={`${ui.table} ${css.trail}`}>
            <thead>
              <tr>
                <th scope="col">{t('when')}</th>
                <th scope="col">{t('who')}</th>
                <th scope="col">{t('did')}</th>
                <th scope="col">{t('to')}</th>
                <th scope="col">
                  {t('before')} → {t('after')}
                </th>
                <th scope="col">{t('from')}</th>
              </tr>
            </thead>
            <tbody>
              {found.slice(0, 500).map((one) => (
                <tr key={one.id}>
                  <td className="num">{dayAndTime(language, one.at, zone)}</td>
                  <td>{person(one.actor)}</td>
                  <td>{action(one.action)}</td>
                  <td>{subject(one)}</td>
                  <td>
                    <Diff entry={one} open={open === one.id} press={() => setOpen(open === one.id ? null : one.id)} />
                  </td>
                  <td className="dim num">{one.address === 'console' ? t('console') : one.address}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      ) : (
        <Empty title={t('nothingSo')} why={t('auditWhy')} />
      )}
      <div className={css.line}>
        <p className={css.hint}>
          {last ? t('lookedThrough', { n: all.length, at: dayAndTime(language, last.at, zone) }) : ''}
          {pages.hasNextPage ? '' : `. ${t('toTheEnd')}`}
        </p>
        {pages.hasNextPage && (
          <Button
            size="xs"
            variant="default"
            loading={pages.isFetchingNextPage}
            onClick={() => void pages.fetchNextPage()}
          >
            {t('further')}
          </Button>
        )}
      </div>
    </Page>
  )
}

const short = (value: unknown): string => {
  if (value === null || value === undefined) return '–'
  if (Array.isArray(value)) return value.map(short).join(', ') || '–'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Only what differs, key by key; the whole of it on demand. */
function Diff({ entry, open, press }: { entry: Entry; open: boolean; press: () => void }) {
  const t = useWords(words)
  const { before, after } = entry
  const changes = differing(before, after)
  if (!changes.length) return <span className="dim">–</span>
  const line = (one: [string, unknown, unknown]) => {
    const [name, was, is] = one
    return (
      <span key={name} className={css.diff}>
        {name && <b>{name}: </b>}
        {was !== undefined && <del>{short(was)}</del>}
        {was !== undefined && is !== undefined && ' → '}
        {is !== undefined && <ins>{short(is)}</ins>}
      </span>
    )
  }
  return (
    <>
      {changes.slice(0, open ? undefined : 2).map(line)}
      {changes.length > 2 && (
        <button type="button" className={css.quiet} aria-expanded={open} onClick={press}>
          {open ? '−' : `+${changes.length - 2}`} {t('details')}
        </button>
      )}
    </>
  )
}

function differing(before: unknown, after: unknown): [string, unknown, unknown][] {
  // The settings' own: a list of {path, before, after}.
  if (Array.isArray(after) && after.every((one) => typeof one === 'object' && one !== null && 'path' in one)) {
    return (after as { path: string[]; before: unknown; after: unknown }[]).map((one) => [
      one.path.join('.'),
      one.before ?? undefined,
      one.after ?? undefined,
    ])
  }
  const isMapping = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  const was = isMapping(before) ? before : null
  const is = isMapping(after) ? after : null
  if (!was && !is) {
    return before === null && after === null ? [] : [['', before ?? undefined, after ?? undefined]]
  }
  return [...new Set([...Object.keys(was ?? {}), ...Object.keys(is ?? {})])]
    .filter((name) => JSON.stringify(was?.[name]) !== JSON.stringify(is?.[name]))
    .filter((name) => (was?.[name] ?? null) !== null || (is?.[name] ?? null) !== null)
    .map((name) => [name, was?.[name], is?.[name]])
}
