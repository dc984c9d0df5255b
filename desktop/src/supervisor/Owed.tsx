/** Callbacks and messages that wait, callers who hung up, and how long all of them waited. */
import { Button, Menu, Select, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useEffect, useState } from 'react'
import { Link } from 'wouter'
import { api } from '../api/client'
import { may } from '../api/session'
import type { Schema } from '../api/types'
import { useUser } from '../app/me'
import { useLanguage, useWords } from '../i18n'
import { clock, dayOf, phoneNumber, span, timeOf } from '../i18n/format'
import { shared } from '../i18n/shared'
import { live, useIds } from '../live/store'
import { now, useSecond } from '../live/time'
import { Clock, Empty, Page, ProblemNote, ui, useProblemText, Waiting } from '../ui'
import css from './owed.module.css'
import { words } from './owedWords'
import { useNames, useWatch } from './parts'
import { address } from './Tile'

type Owed = Schema<'Owed'>
type Lost = Schema<'Lost'>
type Figures = Schema<'Waits'>

const KEYS = [['owed'], ['lost'], ['waits']]

export default function OwedPage() {
  useWatch()
  const t = useWords(words)
  const names = useNames()
  const me = useUser()
  const [queue, setQueue] = useState<string | null>(null)
  const queues = useIds('queue')
  return (
    <Page
      title={t('callbacks')}
      aside={
        <Select
          aria-label={t('allQueues')}
          placeholder={t('allQueues')}
          data={queues.map((one) => ({ value: one, label: names.queue(one) }))}
          value={queue}
          onChange={setQueue}
          clearable
          searchable={queues.length > 8}
        />
      }
    >
      <div className={css.parts}>
        {may(me, 'steer') && <Ask queue={queue} queues={queues} />}
        <Pending queue={queue} />
        <Abandoned queue={queue} />
        <BothWaits queue={queue} />
      </div>
    </Page>
  )
}

const RECORDS_FOLLOW = 3000

/** Asked anew when the centre says that something about it changed, at most once a second. */
function useChanges(): void {
  const queries = useQueryClient()
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null
    let later: ReturnType<typeof setTimeout> | undefined
    let seen = ''
    const ask = () => {
      for (const queryKey of KEYS) void queries.invalidateQueries({ queryKey })
    }
    const look = () => {
      timer = null
      const owed = live
        .all('contact')
        .filter((one) => one.owed)
        .map((one) => `${one.key}${one.state}${one.promise?.due}${one.ringing.length}`)
        .sort()
        .join(' ')
      if (owed !== seen) {
        ask()
        // Records follow the live centre within a second or two.
        clearTimeout(later)
        later = setTimeout(ask, RECORDS_FOLLOW)
      }
      seen = owed
    }
    const end = live.subscribe('kind', 'contact', () => {
      timer ??= setTimeout(look, 1000)
    })
    return () => {
      end()
      if (timer) clearTimeout(timer)
      clearTimeout(later)
    }
  }, [queries])
}

function useMark() {
  const queries = useQueryClient()
  return () => {
    for (const queryKey of KEYS) void queries.invalidateQueries({ queryKey })
  }
}

function useWhen() {
  const language = useLanguage()
  const { zone } = useNames()
  return (at: number) => {
    const today = dayOf(language, at, zone) === dayOf(language, now(), zone)
    return today ? timeOf(language, at, zone) : `${dayOf(language, at, zone)} ${timeOf(language, at, zone)}`
  }
}

function Who({ one }: { one: { name: string | null; number: string | null; customer?: Owed['customer'] } }) {
  const s = useWords(shared)
  const name = one.customer?.name || one.name
  const number = one.number ? phoneNumber(one.number) : null
  return (
    <>
      {name || number || s('unknownNumber')}
      {name && number && <small className="dim num"> {number}</small>}
    </>
  )
}

function Pending({ queue }: { queue: string | null }) {
  useChanges()
  const t = useWords(words)
  const problem = useProblemText()
  const again = useMark()
  const list = useQuery({
    queryKey: ['owed', queue],
    queryFn: () => api.get<Schema<'OwedList'>>('/floor/callbacks', queue ? { queue } : {}),
    refetchInterval: 15_000,
  })
  const act = useMutation({
    mutationFn: ({ one, due, drop }: { one: Owed; due?: number; drop?: true }) => {
      const path = `/floor/callbacks/${encodeURIComponent(one.contact)}`
      return drop ? api.delete(path) : api.patch(path, due === undefined ? {} : { due })
    },
    onSettled: again,
  })
  return (
    <section className={ui.card} aria-label={t('pending')}>
      <h2>
        {t('pending')} <span className="dim num">{list.data?.items.length ?? ''}</span>
      </h2>
      {list.isPending ? (
        <Waiting />
      ) : list.isError ? (
        <ProblemNote problem={list.error} retry={() => void list.refetch()} />
      ) : list.data.items.length ? (
        <div className={css.scroll}>
          <table className={ui.table}>
            <thead>
              <tr>
                <th>{t('who')}</th>
                <th>{t('what')}</th>
                <th>{t('waitsSince')}</th>
                <th>{t('due')}</th>
                <th>{t('attempts')}</th>
                <th>{t('expires')}</th>
                <th>{t('acts')}</th>
              </tr>
            </thead>
            <tbody>
              {list.data.items.map((one) => (
                <Line
                  key={one.contact}
                  one={one}
                  busy={act.isPending}
                  move={(due) => act.mutate({ one, due })}
                  drop={() => act.mutate({ one, drop: true })}
                />
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <Empty title={t('nonePending')} why={t('nonePendingWhy')} />
      )}
      {act.isError && (
        <p role="alert" className={css.bad}>
          {problem(act.error)}
        </p>
      )}
    </section>
  )
}

interface LineProps {
  one: Owed
  busy: boolean
  move: (due?: number) => void
  drop: () => void
}

function Line({ one, busy, move, drop }: LineProps) {
  const t = useWords(words)
  const s = useWords(shared)
  const names = useNames()
  const when = useWhen()
  const me = useUser()
  const [sure, setSure] = useState(false)
  const [heard, setHeard] = useState(false)
  useSecond()
  const { promise } = one
  const due = promise.due ?? 0
  const allowed = may(me, 'steer')
  const reason = allowed ? undefined : s('notAllowed')
  const agents = one.agents.map(names.agent).join(', ')
  const stands =
    one.state === 'active'
      ? t('has', { who: agents })
      : one.agents.length
        ? t('rings', { who: agents })
        : one.place !== null
          ? t('place', { n: one.place })
          : ''
  const what =
    one.kind === 'message'
      ? t('message', { clock: clock(one.seconds ?? 0) })
      : t(promise.why === 'abandoned' ? 'followUp' : 'callback')
  const tomorrow = () => {
    const at = new Date(Math.max(due, now()) * 1000)
    at.setDate(at.getDate() + 1)
    return at.getTime() / 1000
  }
  return (
    <tr data-contact={one.contact} data-kind={one.kind}>
      <td>
        <Who one={one} />
      </td>
      <td>
        {what} <small className="dim">{names.queue(one.queue)}</small>
        {one.kind === 'message' &&
          may(me, 'recordings') &&
          (heard ? (
            // biome-ignore lint/a11y/useMediaCaption: what a customer said has no captions
            <audio controls autoPlay src={`/api/v1/messages/${encodeURIComponent(one.contact)}/sound`} />
          ) : (
            <Button size="compact-xs" variant="default" onClick={() => setHeard(true)}>
              {t('play')}
            </Button>
          ))}
      </td>
      <td>
        <Clock since={promise.since} />
      </td>
      <td className="num">
        {due <= now() ? t('dueNow') : when(due)}
        <small className="dim"> {promise.slot && due > now() ? t('booked') : stands}</small>
      </td>
      <td className="num">
        {one.kind === 'callback' && t('attemptOf', { n: promise.attempt, all: promise.attempts })}
      </td>
      <td className="num">{promise.expires !== null && when(promise.expires)}</td>
      <td>
        <span className={css.acts}>
          {due > now() && (
            <Button
              size="compact-sm"
              variant="default"
              disabled={!allowed || busy}
              title={reason ?? t('callNowLong')}
              onClick={() => move()}
            >
              {t('callNow')}
            </Button>
          )}
          <Menu withinPortal position="bottom-end">
            <Menu.Target>
              <Button size="compact-sm" variant="default" disabled={!allowed || busy} title={reason}>
                {t('putOff')}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => move(Math.max(due, now()) + 900)}>{t('minutes', { n: 15 })}</Menu.Item>
              <Menu.Item onClick={() => move(Math.max(due, now()) + 3600)}>{t('hour')}</Menu.Item>
              <Menu.Item onClick={() => move(tomorrow())}>{t('tomorrow')}</Menu.Item>
            </Menu.Dropdown>
          </Menu>
          <Button
            size="compact-sm"
            variant="default"
            color={sure ? 'red' : undefined}
            disabled={!allowed || busy}
            title={reason}
            onClick={() => (sure ? drop() : setSure(true))}
            onBlur={() => setSure(false)}
          >
            {t(sure ? 'dropAsk' : 'drop')}
          </Button>
        </span>
      </td>
    </tr>
  )
}

/** Somebody is promised a call: their number, and when. */
function Ask({ queue, queues }: { queue: string | null; queues: readonly string[] }) {
  const t = useWords(words)
  const s = useWords(shared)
  const names = useNames()
  const problem = useProblemText()
  const again = useMark()
  const [number, setNumber] = useState('')
  const [when, setWhen] = useState('')
  const [own, setOwn] = useState<string | null>(null)
  const into = own ?? queue ?? queues[0] ?? null
  const ask = useMutation({
    mutationFn: () => {
      const due = when ? new Date(when).getTime() / 1000 : undefined
      return api.post('/floor/callbacks', { queue: into, number: number.trim(), ...(due !== undefined && { due }) })
    },
    onSuccess: () => {
      setNumber('')
      setWhen('')
    },
    onSettled: again,
  })
  const send = (event: FormEvent) => {
    event.preventDefault()
    if (number.trim() && into) ask.mutate()
  }
  return (
    <form className={css.ask} onSubmit={send} aria-label={t('ask')}>
      <TextInput
        label={t('number')}
        value={number}
        onChange={(event) => setNumber(event.currentTarget.value)}
        inputMode="tel"
        autoComplete="off"
      />
      <Select
        label={s('queue')}
        data={queues.map((one) => ({ value: one, label: names.queue(one) }))}
        value={into}
        onChange={setOwn}
        allowDeselect={false}
      />
      <TextInput
        type="datetime-local"
        label={t('when')}
        value={when}
        onChange={(event) => setWhen(event.currentTarget.value)}
      />
      <Button type="submit" disabled={!number.trim() || !into} loading={ask.isPending}>
        {t('ask')}
      </Button>
      {ask.isSuccess && !number && <p role="status">{t('asked')}</p>}
      {ask.isError && (
        <p role="alert" className={css.bad}>
          {problem(ask.error)}
        </p>
      )}
    </form>
  )
}

const STATES = ['unreached', 'expired', 'replaced', 'dropped', 'answered'] as const

function Abandoned({ queue }: { queue: string | null }) {
  const t = useWords(words)
  const s = useWords(shared)
  const names = useNames()
  const when = useWhen()
  const me = useUser()
  const problem = useProblemText()
  const again = useMark()
  const list = useQuery({
    queryKey: ['lost', queue],
    queryFn: () => api.get<Schema<'LostList'>>('/floor/abandoned', queue ? { queue } : {}),
    refetchInterval: 30_000,
  })
  const back = useMutation({
    mutationFn: (one: Lost) => api.post(`/floor/abandoned/${encodeURIComponent(one.contact)}/call-back`),
    onSettled: again,
  })
  const allowed = may(me, 'steer')
  const stateOf = (one: Lost): ReactNode => {
    if (one.follow_up === 'pending') return t('pendingState')
    const known = STATES.find((state) => state === one.follow_up)
    return known ? t(known) : ''
  }
  return (
    <section className={ui.card} aria-label={t('lost')}>
      <h2>
        {t('lost')} <span className="dim num">{list.data?.items.length ?? ''}</span>
      </h2>
      {list.isPending ? (
        <Waiting />
      ) : list.isError ? (
        <ProblemNote problem={list.error} retry={() => void list.refetch()} />
      ) : list.data.items.length ? (
        <div className={css.scroll}>
          <table className={ui.table}>
            <thead>
              <tr>
                <th>{t('who')}</th>
                <th>{s('queue')}</th>
                <th>{t('hungUpAt')}</th>
                <th>{t('waited')}</th>
                <th>{t('state')}</th>
              </tr>
            </thead>
            <tbody>
              {list.data.items.map((one) => (
                <tr key={one.contact} data-contact={one.contact}>
                  <td>
                    <Who one={one} />
                  </td>
                  <td>
                    <Link href={address(one.queue)}>{names.queue(one.queue)}</Link>
                  </td>
                  <td className="num">{when(one.at)}</td>
                  <td className="num">{clock(one.wait)}</td>
                  <td>
                    <span className={css.acts}>
                      {stateOf(one)}
                      {one.follow_up !== 'pending' && (
                        <Button
                          size="compact-sm"
                          variant="default"
                          disabled={!allowed || !one.callable || back.isPending}
                          title={allowed ? (one.callable ? undefined : t('noNumber')) : s('notAllowed')}
                          onClick={() => back.mutate(one)}
                        >
                          {t('callBack')}
                        </Button>
                      )}
                    </span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <p className="dim">{t('noneLost')}</p>
      )}
      {list.data?.more && <p className="dim">{t('moreLost')}</p>}
      {back.isError && (
        <p role="alert" className={css.bad}>
          {problem(back.error)}
        </p>
      )}
    </section>
  )
}

function BothWaits({ queue }: { queue: string | null }) {
  const t = useWords(words)
  const s = useWords(shared)
  const names = useNames()
  const language = useLanguage()
  const [days, setDays] = useState(1)
  const list = useQuery({
    queryKey: ['waits', queue, days],
    queryFn: () => api.get<Schema<'WaitsReport'>>('/floor/waits', { days, ...(queue && { queue }) }),
    refetchInterval: 60_000,
  })
  const figure = (of: Figures): ReactNode => {
    if (!of.count) return <span className="dim">–</span>
    const [mean, median, p90] = [of.mean, of.median, of.p90].map((one) => span(language, one ?? 0))
    return (
      <>
        {t('figure', { mean: mean!, median: median!, p90: p90! })} <small className="dim">{of.count}</small>
      </>
    )
  }
  return (
    <section className={ui.card} aria-label={t('waits')}>
      <div className={css.head}>
        <h2>{t('waits')}</h2>
        <Select
          aria-label={t('waits')}
          data={[1, 7, 31].map((one) => ({ value: String(one), label: t('days', { n: one }) }))}
          value={String(days)}
          onChange={(value) => setDays(Number(value ?? 1))}
          allowDeselect={false}
          size="xs"
        />
      </div>
      <p className="dim">{t('waitsLong')}</p>
      {list.isPending ? (
        <Waiting />
      ) : list.isError ? (
        <ProblemNote problem={list.error} retry={() => void list.refetch()} />
      ) : (
        <div className={css.scroll}>
          <table className={ui.table}>
            <thead>
              <tr>
                <th>{s('queue')}</th>
                <th>{t('held')}</th>
                <th>{t('calledBack')}</th>
                <th>{t('late')}</th>
                <th>{t('messages')}</th>
                <th>{t('ends')}</th>
              </tr>
            </thead>
            <tbody>
              {list.data.items.map((one) => (
                <tr key={one.queue} data-queue={one.queue}>
                  <td>{names.queue(one.queue)}</td>
                  <td className="num">{figure(one.held)}</td>
                  <td className="num">{figure(one.callbacks)}</td>
                  <td className="num">{figure(one.late)}</td>
                  <td className="num">{figure(one.messages)}</td>
                  <td className="num">
                    {one.unreached} · {one.expired} · {one.replaced}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}
