/** My day: figures of today, pauses, results, and my own calls with their recordings. */
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../api/client'
import { useCentre } from '../api/session'
import { useUser } from '../app/me'
import { useLanguage, useWords } from '../i18n'
import { clock, dayOf, percent, phoneNumber, span, timeOf } from '../i18n/format'
import { shared } from '../i18n/shared'
import { now } from '../live/time'
import { Button, Empty, Figure, Icon, Page, ProblemNote, ui, Waiting } from '../ui'
import { type Gap, Player } from '../ui/Player'
import css from './agent.module.css'
import { Callbacks } from './Callbacks'
import { useDay } from './figures'
import { Parked } from './Parked'
import { words } from './words'

export interface Record_ {
  id: string
  direction: string
  from: string | null
  to: string | null
  queue: string | null
  arrived_at: string | null
  wait_s: number | null
  talk_s: number | null
  hold_s: number | null
  wrap_up_s: number | null
  outcome: string | null
  agent: string | null
  recording: string | null
  gaps?: Gap[] | null
  disposition?: string | null
}

export default function Day() {
  const t = useWords(words)
  const language = useLanguage()
  const { zone } = useCentre()
  return (
    <Page
      title={t('dayTitle')}
      aside={<span className="dim">{t('dayWhen', { date: dayOf(language, now(), zone) })}</span>}
    >
      <DayBody />
    </Page>
  )
}

export function DayView() {
  const t = useWords(words)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse scrolls it by arrows
    <div className={ui.page} tabIndex={0}>
      <div className={ui.pageHead}>
        <h1>{t('dayTitle')}</h1>
      </div>
      <DayBody />
    </div>
  )
}

function DayBody() {
  const t = useWords(words)
  const language = useLanguage()
  const centre = useCentre()
  const { data } = useDay()
  const away = Object.entries(data?.not_ready_s ?? {}).filter(([, seconds]) => seconds >= 1)
  const results = Object.entries(data?.results ?? {})
  const awaySum = away.reduce((sum, [, seconds]) => sum + seconds, 0)
  const of = (seconds: number | undefined) => (data ? span(language, seconds ?? 0) : '–')
  return (
    <div className={css.day}>
      <dl className={css.figures}>
        <Figure
          name={t('contactsToday')}
          value={data?.contacts ?? '–'}
          note={data ? `${t('missedToday')}: ${data.missed}` : null}
        />
        <Figure
          name={t('talkTime')}
          value={of(data?.talk_s)}
          note={data ? `${t('holdTime')}: ${span(language, data.hold_s)}` : null}
        />
        <Figure name={t('wrapTime')} value={of(data?.wrap_up_s)} />
        <Figure name={t('readyTime')} value={of(data?.ready_s)} />
        <Figure
          name={t('awayTime')}
          value={of(awaySum)}
          note={
            away.map(([one, seconds]) => `${centre.reasonName(one) || '–'} ${span(language, seconds)}`).join(' · ') ||
            null
          }
        />
        <Figure name={t('occupancy')} value={data?.occupancy != null ? percent(language, data.occupancy) : '–'} />
      </dl>
      {results.length > 0 && (
        <p className={css.resultLine}>
          <span className="dim">{t('results')}</span>
          {results.map(([one, count]) => (
            <span key={one} className={css.chip}>
              {centre.dispositionName(one)} <strong className="num">{count}</strong>
            </span>
          ))}
        </p>
      )}
      <Parked />
      <Callbacks />
      <Contacts />
    </div>
  )
}

function Contacts() {
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const centre = useCentre()
  const me = useUser().agent
  const [playing, setPlaying] = useState<string | null>(null)
  const list = useInfiniteQuery({
    queryKey: ['contacts', 'mine', me],
    queryFn: ({ pageParam }) =>
      api.get<{ items: Record_[]; next: string | null }>('/contacts', { agent: me, limit: 50, cursor: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    refetchInterval: (query) => (query.state.data && query.state.data.pages.length > 1 ? false : 15_000),
  })
  if (list.isPending) return <Waiting />
  if (list.isError) return <ProblemNote problem={list.error} retry={() => void list.refetch()} />
  const items = list.data.pages.flatMap((page) => page.items)
  return (
    <section className={ui.card} aria-label={t('contactsHead')}>
      {items.length ? (
        <div className={css.scroll}>
          <table className={ui.table}>
            <caption className="hidden-label">{t('contactsHead')}</caption>
            <thead>
              <tr>
                <th scope="col">{t('when')}</th>
                <th scope="col">{t('who')}</th>
                <th scope="col">{s('queue')}</th>
                <th scope="col" className={ui.right}>
                  {s('wait')}
                </th>
                <th scope="col" className={ui.right}>
                  {s('talk')}
                </th>
                <th scope="col">{t('outcome')}</th>
                <th scope="col">{s('recording')}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((one) => {
                const at = one.arrived_at ? Date.parse(one.arrived_at) / 1000 : null
                const called = one.direction === 'outbound' || one.direction === 'callback'
                const other = called ? one.to : one.from
                const outcome =
                  one.outcome && one.outcome in shared ? s(one.outcome as keyof typeof shared) : (one.outcome ?? '')
                return (
                  <tr key={one.id}>
                    <td className="num">
                      {at ? `${dayOf(language, at, centre.zone)} ${timeOf(language, at, centre.zone)}` : '–'}
                    </td>
                    <td className="num">
                      {called ? '→ ' : ''}
                      {other ? phoneNumber(other) : s('unknownNumber')}
                    </td>
                    <td>{centre.queueName(one.queue) || '–'}</td>
                    <td className={`num ${ui.right}`}>{one.wait_s != null ? clock(one.wait_s) : '–'}</td>
                    <td className={`num ${ui.right}`}>{one.talk_s != null ? clock(one.talk_s) : '–'}</td>
                    <td>{one.disposition ? centre.dispositionName(one.disposition) : outcome}</td>
                    <td>
                      {one.recording ? (
                        playing === one.id ? (
                          <Player
                            src={one.recording}
                            gaps={one.gaps}
                            className={css.audio}
                            onEnded={one.gaps?.length ? undefined : () => setPlaying(null)}
                          />
                        ) : (
                          <button
                            type="button"
                            className={css.playButton}
                            onClick={() => setPlaying(one.id)}
                            aria-label={t('hear')}
                          >
                            <Icon name="play" size={16} />
                          </button>
                        )
                      ) : (
                        <span className="dim">–</span>
                      )}
                    </td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        </div>
      ) : (
        <Empty title={t('noContacts')} why={t('noContactsWhy')} />
      )}
      {list.hasNextPage && (
        <div className={css.older}>
          <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            {t('older')}
          </Button>
        </div>
      )}
    </section>
  )
}
