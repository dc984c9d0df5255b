/** The floor: a cell for each agent, by team, in an order that never changes. Filters dim; nothing moves. */
import { Button, Select, TextInput } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { useLocation, useRoute, useSearch } from 'wouter'
import { useWords } from '../i18n'
import { phoneNumber } from '../i18n/format'
import { live, useEntity } from '../live/store'
import type { AgentLive } from '../live/types'
import { Clock, Empty, StateShape, useStateName } from '../ui'
import { AgentPanel } from './AgentPanel'
import { sameJson, sameList, useGathered } from './figures'
import css from './floor.module.css'
import { MessageButton, type Names, useNames, useWatch } from './parts'
import { words } from './words'

const STATES = [
  'ready',
  'offered',
  'on_contact',
  'held',
  'wrap_up',
  'not_ready',
  'resting',
  'unreachable',
  'logged_out',
] as const

const CELL = 168
const GAP = 8
const LINE = 56 + GAP
const HEAD = 36

interface Filter {
  state: string
  queue: string
  text: string
}

const fits = (agent: AgentLive, filter: Filter): boolean =>
  (!filter.state || agent.state === filter.state) &&
  (!filter.queue || agent.queues.includes(filter.queue)) &&
  (!filter.text || `${agent.name} ${agent.id}`.toLocaleLowerCase().includes(filter.text))

type Line = { kind: 'team'; team: string; size: number } | { kind: 'agents'; ids: string[] }

/** Teams in the centre's order, those without one last; within a team by name. */
function linesOf(ids: readonly string[], teams: readonly string[], columns: number): Line[] {
  const groups = new Map<string, string[]>(teams.map((one) => [one, []]))
  groups.set('', [])
  for (const id of ids) {
    const team = live.get('agent', id)?.team ?? ''
    const group = groups.get(team) ?? groups.set(team, []).get(team)!
    group.push(id)
  }
  const unsorted = groups.get('')!
  groups.delete('')
  groups.set('', unsorted)
  const lines: Line[] = []
  const { compare } = new Intl.Collator(undefined, { numeric: true })
  for (const [team, group] of groups) {
    if (!group.length) continue
    const named = group.map((id) => [live.get('agent', id)?.name || id, id] as const)
    named.sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]))
    lines.push({ kind: 'team', team, size: group.length })
    for (let start = 0; start < named.length; start += columns)
      lines.push({ kind: 'agents', ids: named.slice(start, start + columns).map(([, id]) => id) })
  }
  return lines
}

/** What stands in the address. */
function useFilter() {
  const [, go] = useLocation()
  const [open, params] = useRoute('/floor/:agent')
  const chosen = open ? decodeURIComponent(params.agent) : null
  const search = useSearch()
  const [state, queue, typed] = useMemo(() => {
    const query = new URLSearchParams(search)
    return [query.get('state') ?? '', query.get('queue') ?? '', query.get('q') ?? '']
  }, [search])
  const filter = useMemo(() => ({ state, queue, text: typed.toLocaleLowerCase() }), [state, queue, typed])
  const change = (key: string, value: string) => {
    const next = new URLSearchParams(search)
    if (value) next.set(key, value)
    else next.delete(key)
    go(`/floor${chosen ? `/${encodeURIComponent(chosen)}` : ''}${next.size ? `?${next}` : ''}`, { replace: true })
  }
  const clear = () => go(`/floor${chosen ? `/${encodeURIComponent(chosen)}` : ''}`, { replace: true })
  return { chosen, filter, typed, change, clear, after: search ? `?${search}` : '' }
}

export default function Floor() {
  useWatch()
  const t = useWords(words)
  const names = useNames()
  const [, go] = useLocation()
  const phone = useMediaQuery('(max-width: 700px)', false, { getInitialValueInEffect: false })
  const { chosen, filter, typed, change, after } = useFilter()
  const known = useCallback(() => [...live.idsOf('queue')], [])
  const queues = useGathered(['queue'], known, sameList, 1000)
  const toFirst = useRef<() => void>(() => {})
  return (
    <div className={css.page} data-open={chosen ? '' : undefined}>
      <div className={css.main}>
        <div className={css.head}>
          <h1>{t('floor')}</h1>
          <form
            onSubmit={(event) => {
              event.preventDefault()
              toFirst.current()
            }}
          >
            <TextInput
              aria-label={t('findAgent')}
              placeholder={t('findAgent')}
              defaultValue={typed}
              onChange={(event) => change('q', event.currentTarget.value)}
              w={140}
            />
          </form>
          <Select
            aria-label={t('allQueues')}
            data={[
              { value: '', label: t('allQueues') },
              ...queues.map((id) => ({ value: id, label: names.queue(id) })),
            ]}
            value={filter.queue}
            onChange={(value) => change('queue', value ?? '')}
            allowDeselect={false}
            searchable={queues.length > 12}
            w={160}
          />
          <MessageButton />
        </div>
        <States />
        <Room filter={filter} names={names} after={after} chosen={chosen} toFirst={toFirst} />
      </div>
      {chosen && (
        <aside className={css.panel} aria-label={names.agent(chosen)}>
          <AgentPanel key={chosen} id={chosen} close={() => go(`/floor${after}`)} alone={phone} />
        </aside>
      )}
    </div>
  )
}

/** How many are in each state; pressed, the others are dimmed. */
function States() {
  const t = useWords(words)
  const stateName = useStateName()
  const { filter, change, clear } = useFilter()
  const count = useCallback(() => {
    const counts: Record<string, number> = {}
    let matching = 0
    for (const id of live.idsOf('agent')) {
      const agent = live.get('agent', id)
      if (!agent) continue
      counts[agent.state] = (counts[agent.state] ?? 0) + 1
      if (fits(agent, filter)) matching++
    }
    return { counts, matching }
  }, [filter])
  const { counts, matching } = useGathered(['agent'], count, sameJson)
  return (
    <div className={css.states} role="group" aria-label={t('filter')}>
      {STATES.filter((one) => counts[one] || filter.state === one).map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={filter.state === one}
          data-of={one}
          onClick={() => change('state', filter.state === one ? '' : one)}
        >
          <StateShape state={one} />
          {stateName(one)} <b className="num">{counts[one] ?? 0}</b>
        </button>
      ))}
      {(filter.state || filter.queue || filter.text) && (
        <>
          <span className="dim" role="status">
            {t('matches', { n: matching })}
          </span>
          <Button variant="subtle" size="compact-sm" onClick={clear}>
            {t('clearFilter')}
          </Button>
        </>
      )}
    </div>
  )
}

interface RoomProps {
  filter: Filter
  names: Names
  after: string
  chosen: string | null
  toFirst: { current: () => void }
}

/** The cells: only the lines in sight are made, and scrolling renders nothing else. */
const Room = memo(function Room({ filter, names, after, chosen, toFirst }: RoomProps) {
  const t = useWords(words)
  const everyone = useCallback(() => [...live.idsOf('agent')], [])
  const ids = useGathered(['agent'], everyone, sameList, 1000)
  const box = useRef<HTMLDivElement>(null)
  const [columns, setColumns] = useState(6)
  useLayoutEffect(() => {
    const at = box.current
    if (!at) return
    const measure = () => {
      const room = at.clientWidth - 24
      setColumns(Math.max(room < 400 ? 2 : 1, Math.floor((room + GAP) / (CELL + GAP))))
    }
    measure()
    const watch = new ResizeObserver(measure)
    watch.observe(at)
    return () => watch.disconnect()
  }, [])
  const lines = useMemo(() => linesOf(ids, names.teams, columns), [ids, names.teams, columns])
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: (index) => (lines[index]?.kind === 'team' ? HEAD : LINE),
    overscan: 3,
    // What scrolls in may come a frame later, which the overscan hides: no frame waits for it.
    useFlushSync: false,
  })
  useEffect(() => {
    // Sizes belong to lines, and those are others now.
    if (lines) rows.measure()
  }, [lines, rows])
  toFirst.current = () => {
    const index = lines.findIndex(
      (line) =>
        line.kind === 'agents' &&
        line.ids.some((id) => {
          const agent = live.get('agent', id)
          return agent && fits(agent, filter)
        }),
    )
    if (index >= 0) rows.scrollToIndex(index, { align: 'center' })
  }
  return (
    <div ref={box} className={css.scroll} role="region" aria-label={t('floor')}>
      {ids.length ? (
        <div className={css.room} style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map((one) => {
            const line = lines[one.index]
            if (!line) return null
            return line.kind === 'team' ? (
              <h2 key={one.key} className={css.team} style={{ transform: `translateY(${one.start}px)` }}>
                {line.team ? names.team(line.team) : names.teams.length ? t('noTeam') : null}{' '}
                <span className="dim num">
                  {line.team || names.teams.length ? line.size : t('matches', { n: line.size })}
                </span>
              </h2>
            ) : (
              <Cells
                key={one.key}
                ids={line.ids}
                top={one.start}
                columns={columns}
                filter={filter}
                names={names}
                after={after}
                chosen={chosen !== null && line.ids.includes(chosen) ? chosen : null}
              />
            )
          })}
        </div>
      ) : (
        <Empty title={t('noAgents')} why={t('noAgentsWhy')} />
      )}
    </div>
  )
})

interface CellsProps {
  ids: string[]
  top: number
  columns: number
  filter: Filter
  names: Names
  after: string
  chosen: string | null
}

const Cells = memo(function Cells({ ids, top, columns, filter, names, after, chosen }: CellsProps) {
  return (
    <div
      className={css.cells}
      style={{ transform: `translateY(${top}px)`, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}
    >
      {ids.map((id) => (
        <Cell key={id} id={id} filter={filter} names={names} after={after} chosen={id === chosen} />
      ))}
    </div>
  )
})

interface CellProps {
  id: string
  filter: Filter
  names: Names
  after: string
  chosen: boolean
}

const Cell = memo(function Cell({ id, filter, names, after, chosen }: CellProps) {
  const stateName = useStateName()
  const [, go] = useLocation()
  const agent = useEntity('agent', id)
  if (!agent) return <span className={css.cell} />
  const met = agent.contact_with
  const with_ = met?.name || (met?.number ? phoneNumber(met.number) : '')
  const state = stateName(agent.state)
  const second =
    agent.state === 'not_ready'
      ? names.reason(agent.reason)
      : [names.queue(agent.queue), with_].filter(Boolean).join(' · ')
  const href = `/floor/${encodeURIComponent(id)}${after}`
  return (
    // A plain link: a component around each of a thousand would be made anew with each line that scrolls in.
    <a
      href={href}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
        event.preventDefault()
        go(href)
      }}
      className={css.cell}
      data-state={agent.state}
      data-agent={id}
      data-dim={fits(agent, filter) ? undefined : ''}
      aria-current={chosen ? 'true' : undefined}
      title={`${agent.name || id}, ${state}`}
    >
      <StateShape state={agent.state} />
      <span className={css.name}>{agent.name || id}</span>
      <Clock since={agent.since} className={css.clock} />
      <span className={css.second}>
        {second ? <span className="hidden-label">{state}, </span> : state}
        {second}
      </span>
    </a>
  )
})
