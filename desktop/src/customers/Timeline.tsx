/** What was before: one row for each contact and note, newest first; the running call stands on top. */
import { SegmentedControl, Textarea } from '@mantine/core'
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../api/client'
import { useCentre } from '../api/session'
import { useLanguage, useWords } from '../i18n'
import { clock, dayOf, timeOf } from '../i18n/format'
import { shared } from '../i18n/shared'
import type { ContactLive } from '../live/types'
import { Button, Clock, Empty, Icon, ProblemNote, Waiting } from '../ui'
import { type Gap, Player } from '../ui/Player'
import css from './customers.module.css'
import { History } from './History'
import type { Customer, Row } from './types'
import { words } from './words'

type Filter = 'all' | 'contacts' | 'notes' | 'history'

export function Timeline({ customer: card, contact }: { customer: Customer; contact?: ContactLive }) {
  const customer = card.id
  const t = useWords(words)
  const s = useWords(shared)
  const centre = useCentre()
  const [filter, setFilter] = useState<Filter>('all')
  const list = useInfiniteQuery({
    queryKey: ['timeline', customer],
    queryFn: ({ pageParam }) =>
      api.get<{ items: Row[]; next: string | null }>(`/customers/${customer}/timeline`, {
        cursor: pageParam,
        limit: 50,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    staleTime: 1000,
  })
  const items = (list.data?.pages.flatMap((page) => page.items) ?? []).filter(
    (one) =>
      one.id !== contact?.id &&
      (filter === 'all' || (filter === 'contacts' ? one.kind === 'contact' : one.notes.length > 0)),
  )
  return (
    <section className={css.timeline} aria-label={t('timeline')}>
      <div className={css.timelineHead}>
        <SegmentedControl
          size="xs"
          value={filter}
          onChange={(value) => setFilter(value as Filter)}
          aria-label={t('timeline')}
          data={(['all', 'contacts', 'notes', 'history'] as const).map((one) => ({ value: one, label: t(one) }))}
        />
      </div>
      {filter === 'history' ? <History customer={card} /> : <AddNote customer={customer} />}
      {filter !== 'history' && (
        <>
          <ol className={css.rows}>
            {contact && filter !== 'notes' && (
              <li className={css.row} data-live>
                <span className={css.when}>{s('now')}</span>
                <Icon name="phone" size={16} />
                <span className={css.what}>{t('liveRow', { queue: centre.queueName(contact.queue) || '–' })}</span>
                <Clock since={contact.talk_since ?? null} />
              </li>
            )}
            {items.map((one) => (
              <TimelineRow key={`${one.kind}/${one.id}`} row={one} />
            ))}
          </ol>
          {list.isPending && <Waiting />}
          {list.isError && <ProblemNote problem={list.error} retry={() => void list.refetch()} />}
          {list.isSuccess && !items.length && <Empty title={t('noTimeline')} why={t('noTimelineWhy')} />}
          {list.hasNextPage && (
            <div className={css.older}>
              <Button
                size="xs"
                variant="default"
                loading={list.isFetchingNextPage}
                onClick={() => void list.fetchNextPage()}
              >
                {s('more')}
              </Button>
            </div>
          )}
        </>
      )}
    </section>
  )
}

function TimelineRow({ row }: { row: Row }) {
  const s = useWords(shared)
  const language = useLanguage()
  const centre = useCentre()
  const [playing, setPlaying] = useState(false)
  const record = row.contact as {
    direction?: string
    queue?: string | null
    agent?: string | null
    outcome?: string | null
    disposition?: string | null
    talk_s?: number | null
    recording?: string | null
    gaps?: Gap[] | null
  } | null
  const outcome = record?.outcome && record.outcome in shared ? s(record.outcome as keyof typeof shared) : ''
  const what = record
    ? [
        record.disposition ? centre.dispositionName(record.disposition) : outcome,
        centre.queueName(record.queue),
        centre.agentName(record.agent),
      ]
    : [row.notes[0]?.author]
  return (
    <li className={css.row}>
      <span className={`${css.when} num`}>
        {dayOf(language, row.at, centre.zone)}
        <small>{timeOf(language, row.at, centre.zone)}</small>
      </span>
      <Icon name={record ? 'phone' : 'note'} size={16} />
      <div className={css.what}>
        <span>{what.filter(Boolean).join(' · ')}</span>
        {row.notes.map((note) => (
          <p key={note.id} className={css.note}>
            {note.text}
          </p>
        ))}
        {playing && record?.recording && <Player src={record.recording} gaps={record.gaps} className={css.audio} />}
      </div>
      {record?.recording && !playing ? (
        <button type="button" className={css.play} onClick={() => setPlaying(true)}>
          <Icon name="play" size={14} label={s('recording')} />
          <span className="num">{clock(record.talk_s ?? 0)}</span>
        </button>
      ) : record?.talk_s ? (
        <span className="num dim">{clock(record.talk_s)}</span>
      ) : null}
    </li>
  )
}

function AddNote({ customer }: { customer: string }) {
  const t = useWords(words)
  const kept = `centrala.note.${customer}`
  const [text, setText] = useState(() => sessionStorage.getItem(kept) ?? '')
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const queries = useQueryClient()
  const change = (next: string) => {
    setText(next)
    sessionStorage.setItem(kept, next)
  }
  async function send() {
    setBusy(true)
    setProblem(null)
    try {
      await api.post(`/customers/${customer}/notes`, { text: text.trim() })
      change('')
      await queries.invalidateQueries({ queryKey: ['timeline', customer] })
    } catch (caught) {
      setProblem(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <div className={css.addNote}>
      <Textarea
        aria-label={t('writeNote')}
        placeholder={t('writeNote')}
        autosize
        minRows={1}
        maxRows={8}
        maxLength={10000}
        value={text}
        onChange={(event) => change(event.currentTarget.value)}
      />
      {text.trim() && (
        <Button size="xs" loading={busy} onClick={() => void send()}>
          {t('addNote')}
        </Button>
      )}
      {problem != null && <ProblemNote problem={problem} />}
    </div>
  )
}
