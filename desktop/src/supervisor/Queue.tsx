/** One queue: who waits and why there, who may answer and why not, and what the last two hours were like. */
import { Button, Menu } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react'
import { Link, useLocation, useRoute } from 'wouter'
import { api } from '../api/client'
import { may } from '../api/session'
import { useUser } from '../app/me'
import { useLanguage, useWords } from '../i18n'
import { clock, percent, phoneNumber, span } from '../i18n/format'
import { shared } from '../i18n/shared'
import { live, useEntity, useIds } from '../live/store'
import type { Why } from '../live/types'
import { Clock, Empty, Icon, Page, ProblemNote, StateShape, useProblemText, useStateName, Waiting } from '../ui'
import board from './board.module.css'
import { causesOf, levelOf, ordered, storedOrder, waits } from './figures'
import { OpenNow } from './OpenStage'
import { PlotWithTable } from './Plot'
import { LevelMark, ProposalLine, useCauseText, useNames, useTheirWhy, useWatch } from './parts'
import css from './queue.module.css'
import { People, Strip, useNext, usePercent } from './Tile'
import { words } from './words'

interface Place {
  contact: string
  place: number
  since: number
  estimate: number | null
  priority: number
  ringing: string[]
  number: string | null
  name: string | null
  /** Not on the line. */
  owed?: 'callback' | 'message' | null
  why: Why
}

interface Member {
  agent: string
  name: string
  state: string
  since: number | null
  level: number
  may: boolean
  why: Why
}

interface Detail {
  id: string
  name: string
  waiting: Place[]
  members: Member[] | null
}

const RAISE = 10
const TWO_HOURS = 7200
const ROW = 44

export default function Queue() {
  useWatch()
  const [, params] = useRoute('/queues/:queue')
  return params?.queue ? <One key={params.queue} id={decodeURIComponent(params.queue)} /> : <All />
}

function All() {
  const t = useWords(words)
  const names = useNames()
  const ids = ordered(useIds('queue'), storedOrder(), names.queue)
  return (
    <Page title={t('chooseQueue')}>
      {ids.length ? (
        <ul className={`${board.strips} ${css.list}`}>
          {ids.map((id) => (
            <Strip key={id} id={id} />
          ))}
        </ul>
      ) : (
        <Empty title={t('noQueues')} why={t('noQueuesWhy')} />
      )}
    </Page>
  )
}

function One({ id }: { id: string }) {
  const t = useWords(words)
  const language = useLanguage()
  const share = usePercent()
  const next = useNext()
  const causeText = useCauseText()
  const queue = useEntity('queue', id)
  const queries = useQueryClient()
  const detail = useQuery({
    queryKey: ['floor-queue', id],
    queryFn: () => api.get<Detail>(`/floor/queues/${encodeURIComponent(id)}`),
    refetchInterval: 5000,
    staleTime: 0,
  })
  // Who comes, goes, is rung or raised changes the order: ask again, at most once a second.
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null
    let seen = ''
    const look = () => {
      timer = null
      let now = ''
      for (const one of live.idsOf('contact')) {
        const contact = live.get('contact', one)
        if (contact && waits(contact, id)) now += `${one}${contact.state}${contact.priority ?? ''} `
      }
      const of = live.get('queue', id)
      now += JSON.stringify(of?.bar ?? null)
      if (now !== seen) void queries.invalidateQueries({ queryKey: ['floor-queue', id] })
      seen = now
    }
    const tell = () => {
      timer ??= setTimeout(look, 1000)
    }
    const quick = () => {
      // The first change after a quiet moment is told at once.
      if (timer === null) look()
      tell()
    }
    const ends = [live.subscribe('kind', 'contact', quick), live.subscribe('key', `queue/${id}`, tell)]
    return () => {
      for (const end of ends) end()
      if (timer) clearTimeout(timer)
    }
  }, [id, queries])

  if (detail.isError && !queue) {
    return (
      <Page title={t('queue')}>
        <Empty title={t('noSuchQueue')}>
          <Button component={Link} href="/queues" variant="default">
            {t('back')}
          </Button>
        </Empty>
      </Page>
    )
  }
  if (!queue) return <Waiting />
  const level = levelOf(queue)
  return (
    <div className={css.page}>
      <div className={css.head}>
        <Link href="/queues" className={css.back} aria-label={t('back')}>
          <Icon name="left" />
        </Link>
        <LevelMark level={level} />
        <h1>{queue.name ?? id}</h1>
        <Switcher id={id} />
        <dl className={css.figures}>
          <Item name={t('waiting')}>{queue.waiting}</Item>
          <Item name={t('longest')}>
            <Clock since={queue.waiting ? queue.waiting_since : null} />
          </Item>
          <Item
            name={t('service')}
            note={t('target', { share: percent(language, queue.target[0]), seconds: span(language, queue.target[1]) })}
          >
            {share(queue.now.service_level)}
          </Item>
          <Item name={t('serviceToday')}>{share(queue.today.service_level)}</Item>
          <Item name={t('lost')}>{queue.today.abandoned}</Item>
          {!!(queue.callbacks || queue.messages) && (
            <Item name={t('owed')} note={t('owedLong')}>
              {queue.callbacks} · {queue.messages}
            </Item>
          )}
          <Item name={t('next')} note={t('nextLong')}>
            {next(queue)}
          </Item>
          {queue.today.estimate_error != null && (
            <Item
              name={t('estimateError')}
              note={t(queue.estimate_by === 'learned' ? 'estimateLearned' : 'estimateFormula')}
            >
              ± {span(language, queue.today.estimate_error)}
              {queue.estimate_by === 'learned' && <small> {t('byLearned')}</small>}
            </Item>
          )}
        </dl>
        <div className={css.bar}>
          <People queue={queue} />
        </div>
      </div>
      {level !== 'normal' && (
        <div className={css.why} data-level={level}>
          <p>{causesOf(queue).map(causeText).join('; ')}</p>
          <ProposalLine queue={id} />
        </div>
      )}
      <OpenNow queue={queue} />
      <div className={css.plots}>
        <PlotWithTable queue={id} title={t('plotWaiting2h')} seconds={TWO_HOURS} height={120} />
        <PlotWithTable queue={id} figure="wait" title={t('plotWait2h')} seconds={TWO_HOURS} height={120} />
      </div>
      {detail.isError ? (
        <ProblemNote problem={detail.error} retry={() => void detail.refetch()} />
      ) : (
        <div className={css.sides}>
          <section className={css.side} aria-label={t('whoWaits')}>
            <h2>
              {t('whoWaits')} <span className="num dim">{detail.data?.waiting.length ?? ''}</span>
            </h2>
            {detail.data && <WhoWaits queue={id} places={detail.data.waiting} />}
          </section>
          {detail.data?.members !== null && (
            <section className={css.side} aria-label={t('whoMay')}>
              <h2>
                {t('whoMay')}{' '}
                <span className="num dim">{detail.data?.members?.filter((one) => one.may).length ?? ''}</span>
              </h2>
              {detail.data?.members && <WhoMay members={detail.data.members} />}
            </section>
          )}
        </div>
      )}
    </div>
  )
}

function Item({ name, note, children }: { name: string; note?: string; children: ReactNode }) {
  return (
    <div title={note}>
      <dt>{name}</dt>
      <dd className="num">{children}</dd>
    </div>
  )
}

/** To another queue without the way back. */
function Switcher({ id }: { id: string }) {
  const t = useWords(words)
  const names = useNames()
  const [, go] = useLocation()
  const ids = ordered(useIds('queue'), storedOrder(), names.queue)
  return (
    <Menu withinPortal position="bottom-start">
      <Menu.Target>
        <Button variant="subtle" size="compact-md" aria-label={t('chooseQueue')}>
          <Icon name="down" />
        </Button>
      </Menu.Target>
      <Menu.Dropdown className={css.menu}>
        {ids.map((one) => (
          <Menu.Item key={one} disabled={one === id} onClick={() => go(`/queues/${encodeURIComponent(one)}`)}>
            {names.queue(one)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

/** Fixed rows; beyond what fits on a screen or two only those in sight are made. */
function Rows({ count, children }: { count: number; children: (index: number, top: number) => ReactNode }) {
  const box = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({
    count,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: count <= 60 ? 60 : 6,
  })
  return (
    <div ref={box} className={css.rows}>
      <ol style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((one) => children(one.index, one.start))}
      </ol>
    </div>
  )
}

function WhoWaits({ queue, places }: { queue: string; places: Place[] }) {
  const t = useWords(words)
  const s = useWords(shared)
  const names = useNames()
  const me = useUser()
  const problem = useProblemText()
  const queries = useQueryClient()
  const ids = useIds('queue')
  const [said, setSaid] = useState<{ text: string; undo: (() => void) | null } | null>(null)
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null)
  useEffect(
    () => () => {
      if (timer.current) clearTimeout(timer.current)
    },
    [],
  )
  const show = useCallback((text: string, undo: (() => void) | null) => {
    setSaid({ text, undo })
    if (timer.current) clearTimeout(timer.current)
    timer.current = setTimeout(() => setSaid(null), 30_000)
  }, [])
  const act = useMutation({
    mutationFn: ({
      contact,
      what,
      body,
    }: {
      contact: string
      what: string
      body: object
      text: string
      back: object | null
    }) => api.post(`/floor/contacts/${encodeURIComponent(contact)}/${what}`, body),
    onSuccess: (_, { contact, what, text, back }) => {
      void queries.invalidateQueries({ queryKey: ['floor-queue'] })
      show(text, back && (() => act.mutate({ contact, what, body: back, text: t('done'), back: null })))
    },
    onError: (reason) => show(problem(reason), null),
  })
  const allowed = may(me, 'steer')
  const reason = allowed ? undefined : s('notAllowed')
  return (
    <>
      {said && (
        <div className={css.said} role="status">
          <p>{said.text}</p>
          {said.undo && (
            <Button size="compact-sm" variant="default" onClick={said.undo}>
              {s('undo')}
            </Button>
          )}
        </div>
      )}
      {places.length ? (
        <Rows count={places.length}>
          {(index, top) => {
            const one = places[index]!
            return (
              <li
                key={one.contact}
                className={css.place}
                data-contact={one.contact}
                style={{ transform: `translateY(${top}px)` }}
              >
                <b className="num">{one.place}</b>
                <span className={css.who}>
                  <span>{one.name || (one.number ? phoneNumber(one.number) : s('unknownNumber'))}</span>
                  <small>
                    {one.owed && `${t(`owed_${one.owed}`)} · `}
                    {one.why.code === 'RINGS'
                      ? t('RINGS', { names: one.ringing.map(names.agent).join(', ') })
                      : one.why.code === 'PRIORITY'
                        ? t('PRIORITY', {
                            priority: Number(one.why.values.priority ?? one.priority),
                            ahead_of: Number(one.why.values.ahead_of ?? 0),
                          })
                        : t('LONGEST')}
                    {one.estimate !== null && ` · ≈ ${clock(one.estimate)}`}
                  </small>
                </span>
                <Clock since={one.since} />
                <Button
                  variant="default"
                  size="compact-md"
                  disabled={!allowed || one.priority + RAISE > 100}
                  title={reason ?? t('raiseLong')}
                  leftSection={<Icon name="up" size={14} />}
                  onClick={() =>
                    act.mutate({
                      contact: one.contact,
                      what: 'priority',
                      body: { priority: one.priority + RAISE },
                      text: t('raised', { priority: one.priority + RAISE }),
                      back: { priority: one.priority },
                    })
                  }
                >
                  {t('raise')}
                </Button>
                <Menu withinPortal position="bottom-end">
                  <Menu.Target>
                    <Button variant="default" size="compact-md" disabled={!allowed || ids.length < 2} title={reason}>
                      {t('move')}
                    </Button>
                  </Menu.Target>
                  <Menu.Dropdown className={css.menu} aria-label={t('moveTo')}>
                    <Menu.Label>{t('moveTo')}</Menu.Label>
                    {ids
                      .filter((other) => other !== queue)
                      .map((other) => (
                        <Menu.Item
                          key={other}
                          onClick={() =>
                            act.mutate({
                              contact: one.contact,
                              what: 'move',
                              body: { queue: other },
                              text: t('movedTo', { queue: names.queue(other) }),
                              back: { queue },
                            })
                          }
                        >
                          {names.queue(other)} <FreeThere id={other} />
                        </Menu.Item>
                      ))}
                  </Menu.Dropdown>
                </Menu>
              </li>
            )
          }}
        </Rows>
      ) : (
        <Empty title={t('nobodyWaits')} why={t('nobodyWaitsWhy')} />
      )}
    </>
  )
}

function FreeThere({ id }: { id: string }) {
  const t = useWords(words)
  const queue = useEntity('queue', id)
  if (!queue) return null
  return (
    <span className="dim num">
      {queue.bar?.free ?? queue.free} {t('free')} · {queue.waiting} {t('waiting')}
    </span>
  )
}

function WhoMay({ members }: { members: Member[] }) {
  const t = useWords(words)
  const stateName = useStateName()
  const whyText = useTheirWhy()
  if (!members.length) return <Empty title={t('nobodyServes')} why={t('nobodyServesWhy')} />
  return (
    <Rows count={members.length}>
      {(index, top) => {
        const one = members[index]!
        return (
          <li
            key={one.agent}
            className={css.member}
            data-agent={one.agent}
            style={{ transform: `translateY(${top}px)` }}
          >
            <StateShape state={one.state} />
            <span className={css.who}>
              <Link href={`/floor/${encodeURIComponent(one.agent)}`}>{one.name}</Link>
              <small>{one.may ? t('mayNow') : whyText(one.why) || stateName(one.state)}</small>
            </span>
            <span className="dim num" title={t('skillLevel')}>
              {one.level || ''}
            </span>
            <Clock since={one.since} />
          </li>
        )
      }}
    </Rows>
  )
}
