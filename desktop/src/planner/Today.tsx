/** Plan and day: how the day differs from the plan, what could be done, who is where, who asks for what. */
import { Button, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'wouter'
import { api } from '../api/client'
import { useLanguage, useWords } from '../i18n'
import { span, timeOf } from '../i18n/format'
import { shared } from '../i18n/shared'
import { Empty, ProblemNote, StateLabel, ui, useProblemText, Waiting } from '../ui'
import { Chart, sum, useFigures } from './Chart'
import { BrokenRule, Planning, useTrouble } from './parts'
import css from './planner.module.css'
import { useAsk, useDays, useNames } from './store'
import { words } from './todayWords'
import type { Adherence, Day, Request } from './types'
import { words as common } from './words'

const AGAIN = 15_000

export default function TodayPage() {
  const t = useWords(words)
  const c = useWords(common)
  const clock = useClock()
  const day = useQuery({
    queryKey: ['planning', 'today'],
    queryFn: ({ signal }) => api.get<Day>('/planning/today', undefined, { signal, within: 60 }),
    refetchInterval: AGAIN,
  })
  const found = day.data
  return (
    <Planning
      here="today"
      title={c('today')}
      aside={found && <small className="dim">{t('refreshed', { at: clock(found.at) })}</small>}
    >
      {day.isPending && <Waiting />}
      {day.isError && <ProblemNote problem={day.error} retry={() => void day.refetch()} />}
      {found && !found.plan && (
        <Empty title={t('none')} why={t('noneWhy')}>
          <Button component={Link} href="/plans" variant="default">
            {c('plans')}
          </Button>
        </Empty>
      )}
      {found?.plan && <Advice day={found} />}
      {found?.plan && Object.keys(found.queues).map((one) => <Course key={one} day={found} queue={one} />)}
      <Requests />
      {found?.plan && <Floor />}
    </Planning>
  )
}

function useClock() {
  const language = useLanguage()
  const { zone } = useNames()
  return (at: string | null): string => (at === null ? '' : timeOf(language, Date.parse(at) / 1000, zone))
}

function Advice({ day }: { day: Day }) {
  const t = useWords(words)
  const trouble = useTrouble()
  const clock = useClock()
  const names = useNames()
  const { share } = useFigures()
  return (
    <section className={`${ui.card} ${css.block}`} aria-label={t('advice')}>
      <h2>{t('advice')}</h2>
      {!day.advice.length && (
        <p className="dim">
          {day.problem
            ? t('noReckoning', { why: trouble({ code: day.problem_code ?? '', text: day.problem, about: [] }) })
            : t(day.reckoned_at ? 'noAdvice' : 'reckoning')}
        </p>
      )}
      <ul className={css.advice}>
        {day.advice.map((one, index) => {
          const values = {
            n: one.agents,
            name: one.name ?? '',
            from: clock(one.begin),
            to: clock(one.end),
            later: clock(one.to),
          }
          return (
            <li key={index}>
              <span>
                <strong>{t(`advice.${one.what}`, values)}</strong>
                <small className="dim"> {names.queue(one.queue)}</small>
              </span>
              <span className="dim">{t('effect', { before: share(one.before), after: share(one.after) })}</span>
            </li>
          )
        })}
      </ul>
    </section>
  )
}

function Course({ day, queue }: { day: Day; queue: string }) {
  const t = useWords(words)
  const c = useWords(common)
  const language = useLanguage()
  const names = useNames()
  const { few, share } = useFigures()
  const all = day.queues[queue]!
  const [first, last] = open(all)
  const cut = <T,>(values: readonly T[]): T[] => values.slice(first, last)
  const starts = cut(day.starts)
  const times = starts.map((one) => Date.parse(one) / 1000)
  const when = (index: number) => (times[index] === undefined ? '' : timeOf(language, times[index], names.zone))
  const now = times.filter((one) => one <= Date.parse(day.at) / 1000).length
  const level = cut(all.reached).map((one, index) => one ?? cut(all.expected)[index] ?? null)
  const came = cut(all.came)
  const planned = cut(all.planned_contacts)
  const updated = cut(all.updated)
  const past = planned.slice(0, now)
  const values = (index: number) => ({
    at: when(index),
    planned: few(planned[index]),
    updated: few(updated[index]),
    low: few(cut(all.updated_low)[index]),
    high: few(cut(all.updated_high)[index]),
    came: few(came[index], 0),
    required: few(cut(all.required)[index]),
    agents: few(cut(all.planned_agents)[index]),
    present: few(cut(all.present)[index]),
    level: share(level[index]),
  })
  const said = t('cameOf', {
    came: few(sum(came), 0),
    planned: few(sum(past), 0),
    share: share(sum(past) > 0 ? sum(came) / sum(past) : null),
    updated: few(sum(updated), 0),
  })
  const every = Math.max(1, Math.round(3600 / day.step)) * (starts.length > 30 ? 2 : 1)
  const column = (name: string, key: keyof ReturnType<typeof values>) => ({
    name,
    text: (index: number) => values(index)[key],
  })
  if (!starts.length) return null
  return (
    <section className={`${ui.card} ${css.block} ${css.board}`}>
      <div className={css.scroller}>
        <div className={css.wideEnough}>
          <Chart
            title={t('course', { queue: names.queue(queue) })}
            said={said}
            length={starts.length}
            when={when}
            now={now}
            marks={times.map((_, index) => ({ at: index, label: when(index) })).filter(({ at }) => at % every === 0)}
            readout={(index) => t('readout', values(index))}
            panels={[
              {
                name: c('contacts'),
                height: 110,
                drawn: [
                  { look: 'band', name: c('bandLine'), values: cut(all.updated_high), low: cut(all.updated_low) },
                  { look: 'came', name: t('came'), values: came },
                  { look: 'line', name: t('updated'), values: updated },
                  { look: 'dim', name: t('planned'), values: planned },
                ],
              },
              {
                name: c('agentsPlot'),
                height: 96,
                drawn: [
                  { look: 'staffed', name: t('planned'), values: cut(all.planned_agents) },
                  { look: 'required', name: c('required'), values: cut(all.required) },
                  { look: 'present', name: t('present'), values: cut(all.present) },
                ],
              },
              {
                name: c('level'),
                height: 56,
                drawn: [],
                level,
                target: names.queues.find((one) => one.id === queue)?.target[0] ?? null,
              },
            ]}
            columns={[
              column(t('planned'), 'planned'),
              column(t('updated'), 'updated'),
              column(t('came'), 'came'),
              column(c('required'), 'required'),
              column(c('staffed'), 'agents'),
              column(t('present'), 'present'),
              column(c('level'), 'level'),
            ]}
          />
        </div>
      </div>
      <p>{said}</p>
    </section>
  )
}

/** From the first interval with anything in it to the last. */
function open(all: Day['queues'][string]): [number, number] {
  const some = (index: number) =>
    [all.planned_contacts, all.came, all.planned_agents, all.required].some((one) => (one[index] ?? 0) > 0)
  const known = all.planned_contacts.map((_, index) => index).filter(some)
  return known.length ? [known[0]!, known.at(-1)! + 1] : [0, 0]
}

function Floor() {
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const names = useNames()
  const { few, share } = useFigures()
  const found = useQuery({
    queryKey: ['planning', 'adherence'],
    queryFn: ({ signal }) => api.get<Adherence>('/planning/adherence', undefined, { signal }),
    refetchInterval: AGAIN,
  })
  const agents = found.data?.agents ?? []
  // Who isn't where the plan has them stands first, the longest of them on top.
  const since = (one: Adherence['agents'][number]) =>
    one.fits ? Number.POSITIVE_INFINITY : (secondsOf(one.out_since) ?? 0)
  const sorted = [...agents].sort((a, b) => since(a) - since(b) || a.name.localeCompare(b.name))
  const at = secondsOf(found.data?.at ?? null) ?? 0
  return (
    <section className={`${ui.card} ${css.block}`}>
      <h2>{t('adherence')}</h2>
      {found.isPending && <Waiting />}
      {found.isError && <ProblemNote problem={found.error} retry={() => void found.refetch()} />}
      {found.data && !agents.length && <p className="dim">{t('noAdherence')}</p>}
      {agents.length > 0 && (
        <>
          <p>{t('outNow', { n: agents.filter((one) => !one.fits).length })}</p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and nothing in it takes the focus */}
          <div className={css.scroll} tabIndex={0} role="region" aria-label={t('adherence')}>
            <table className={ui.table}>
              <thead>
                <tr>
                  <th scope="col">{t('agent')}</th>
                  <th scope="col">{t('plannedNow')}</th>
                  <th scope="col">{t('isNow')}</th>
                  <th scope="col">{t('fits')}</th>
                  <th scope="col">{t('todayShare')}</th>
                </tr>
              </thead>
              <tbody>
                {sorted.map((one) => {
                  const what = one.what || (one.queue ? names.queue(one.queue) : t(`planned.${one.planned}`))
                  const until = secondsOf(one.until)
                  const out = secondsOf(one.out_since)
                  return (
                    <tr key={one.agent} data-fits={one.fits}>
                      <th scope="row">{one.name}</th>
                      <td>{until ? t('until', { what, at: timeOf(language, until, names.zone) }) : what}</td>
                      <td>
                        <StateLabel state={one.state} />
                        {one.reason && <small className="dim"> {names.reason(one.reason)}</small>}
                      </td>
                      <td>
                        {one.fits ? (
                          <span className={css.fitMark}>✓ {s('yes')}</span>
                        ) : (
                          <span className={css.outMark}>
                            ▲ {out ? t('out', { span: span(language, at - out) }) : t('outJust')}
                          </span>
                        )}
                      </td>
                      <td className="num">
                        {one.today.adherence === null
                          ? '–'
                          : t('shareOf', {
                              share: share(one.today.adherence),
                              planned: few(one.today.planned_min, 0),
                              missing: few(one.today.missing_min, 0),
                              extra: few(one.today.extra_min, 0),
                            })}
                      </td>
                    </tr>
                  )
                })}
              </tbody>
            </table>
          </div>
        </>
      )}
    </section>
  )
}

const secondsOf = (at: string | null): number | null => (at === null ? null : Date.parse(at) / 1000)

function Requests() {
  const t = useWords(words)
  const found = useQuery({
    queryKey: ['planning', 'requests'],
    queryFn: ({ signal }) => api.get<{ items: Request[] }>('/planning/requests', undefined, { signal }),
    refetchInterval: AGAIN,
  })
  const open = (found.data?.items ?? []).filter((one) => one.state === 'open' || one.state === 'asked')
  return (
    <section className={`${ui.card} ${css.block}`} aria-label={t('requests')}>
      <h2>
        {t('requests')} <span className="dim num">{open.length || ''}</span>
      </h2>
      {found.isPending && <Waiting />}
      {found.isError && <ProblemNote problem={found.error} retry={() => void found.refetch()} />}
      {found.data && !open.length && <p className="dim">{t('noRequests')}</p>}
      <ul className={css.advice}>
        {open.map((one) => (
          <Decide key={one.id} one={one} />
        ))}
      </ul>
    </section>
  )
}

function Decide({ one }: { one: Request }) {
  const t = useWords(words)
  const problem = useProblemText()
  const days = useDays()
  const clock = useClock()
  const queries = useQueryClient()
  const { few } = useFigures()
  const [note, setNote] = useState('')
  const broken = one.effect?.broken ?? []
  const decide = useAsk(
    (approve: boolean) =>
      api.post(
        `/planning/requests/${encodeURIComponent(one.id)}/decide`,
        { approve, note: note.trim(), ...(approve && broken.length > 0 && { anyway: true }) },
        { within: 60 },
      ),
    () => void queries.invalidateQueries({ queryKey: ['planning'] }),
  )
  const piece = (of: Request['mine']) => (of ? `${days.short(of.date)} ${clock(of.start)}–${clock(of.end)}` : '–')
  const said =
    one.what === 'time_off'
      ? t('ask.time_off', { agent: one.name, days: one.days.map(days.short).join(', ') })
      : one.what === 'swap'
        ? t('ask.swap', {
            agent: one.name,
            mine: piece(one.mine),
            other: one.other_name ?? '',
            theirs: piece(one.theirs),
          })
        : t('ask.give', { agent: one.name, mine: piece(one.mine), other: one.other_name ?? '' })
  return (
    <li>
      <div>
        <strong>{said}</strong>
        {one.note && <p className="dim">{one.note}</p>}
        {one.effect && (
          <p>
            {one.effect.problem ??
              t('shortEffect', { before: few(one.effect.short_before), after: few(one.effect.short_after) })}
            {' · '}
            {broken.length ? (
              <span className={css.bad}>
                {t('breaks')}{' '}
                {broken.map((rule, index) => (
                  <span key={index}>
                    {index > 0 && '; '}
                    <BrokenRule one={rule} />
                  </span>
                ))}
              </span>
            ) : (
              t('fine')
            )}
          </p>
        )}
        {decide.isError && (
          <p role="alert" className={css.bad}>
            {problem(decide.error)}
          </p>
        )}
      </div>
      {one.can_decide ? (
        <div className={css.formEnd}>
          <TextInput
            size="xs"
            aria-label={t('noteTo')}
            placeholder={t('noteTo')}
            value={note}
            maxLength={500}
            onChange={(event) => setNote(event.currentTarget.value)}
          />
          <Button
            size="xs"
            color={broken.length ? 'red' : undefined}
            loading={decide.isPending}
            onClick={() => decide.mutate(true)}
          >
            {t(broken.length ? 'approveAnyway' : 'approve')}
          </Button>
          <Button size="xs" variant="default" disabled={decide.isPending} onClick={() => decide.mutate(false)}>
            {t('refuse')}
          </Button>
        </div>
      ) : (
        <span className="dim">{t(one.state === 'asked' ? 'waitsColleague' : 'ownRequest')}</span>
      )}
    </li>
  )
}
