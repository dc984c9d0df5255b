/** Reckoned from what is live: estimates, proposals, who waits. Pure, but for the hook that gathers at most 4 times a second. */
import { useEffect, useState } from 'react'
import { live } from '../live/store'
import type { AgentLive, ContactLive, Kind, QueueLive } from '../live/types'

/** Between two looks at what changes by the moment. */
export const GATHER = 250

/**
 * A value made of many entities, made anew at most 4 times a second, and only told when it differs.
 * `gather` must be kept by useCallback.
 */
export function useGathered<T>(
  kinds: readonly Kind[],
  gather: () => T,
  same: (a: T, b: T) => boolean = Object.is,
  every = GATHER,
): T {
  const [value, setValue] = useState(gather)
  const names = kinds.join(' ')
  // `same` is one of the functions below: it never changes.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null
    const run = () => {
      timer = null
      setValue((old) => {
        const made = gather()
        return same(old, made) ? old : made
      })
    }
    const tell = () => {
      timer ??= setTimeout(run, every)
    }
    run()
    const ends = names.split(' ').map((kind) => live.subscribe('kind', kind, tell))
    return () => {
      for (const end of ends) end()
      if (timer) clearTimeout(timer)
    }
  }, [gather, names, every])
  return value
}

export const sameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((one, index) => one === b[index])

export const sameJson = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

// --- levels ---

export type Level = 'normal' | 'warn' | 'alarm'
export const LEVELS: readonly Level[] = ['normal', 'warn', 'alarm']

export const levelOf = (queue: Pick<QueueLive, 'level'> | undefined): Level =>
  queue?.level === 'alarm' || queue?.level === 'warn' ? queue.level : 'normal'

export interface Cause {
  code: 'service_level' | 'longest_wait' | 'waiting' | (string & {})
  level: Level
  limit: number
  since: number | null
}

export const causesOf = (queue: Pick<QueueLive, 'causes'> | undefined): Cause[] => (queue?.causes ?? []) as Cause[]

// --- the wait of whoever calls next ---

export interface Estimate {
  /** Seconds. */
  mean: number
  /** Standard deviation, seconds. */
  error: number
}

/** What the estimate needs of a queue. */
export type Flow = Pick<QueueLive, 'waiting' | 'bar' | 'today' | 'now'>

/**
 * How long whoever calls now will wait: with `n` agents at work that each take `aht` on average, the k-th release comes
 * after an Erlang-distributed time of mean k·aht/n and deviation √k·aht/n. Null where nothing is known to reckon with.
 */
export function estimate(queue: Flow, more = 0): Estimate | null {
  const { free = 0, talk = 0, wrap_up = 0 } = queue.bar ?? {}
  const ahead = queue.waiting + 1 - free - more
  if (ahead <= 0) return { mean: 0, error: 0 }
  const n = free + talk + wrap_up + more
  const aht = handling(queue)
  if (!n || !aht) return null
  return { mean: (ahead * aht) / n, error: (Math.sqrt(ahead) * aht) / n }
}

function handling(queue: Flow): number | null {
  const of = (figures: object): number | null => (figures as { aht?: number | null }).aht ?? null
  return of(queue.now) ?? of(queue.today)
}

// --- who waits ---

export const waits = (contact: ContactLive, queue: string): boolean =>
  contact.queue === queue && (contact.state === 'queued' || contact.state === 'offered') && contact.since !== null

/** Who waits in a queue, who waits longest first. */
export function waitingIn(queue: string): ContactLive[] {
  const found: ContactLive[] = []
  for (const id of live.idsOf('contact')) {
    const contact = live.get('contact', id)
    if (contact && waits(contact, queue)) found.push(contact)
  }
  return found.sort((a, b) => a.since! - b.since!)
}

// --- what to do about an alarm ---

export type Proposal =
  | {
      kind: 'move'
      queue: string
      to: string
      contacts: string[]
      /** Agents free there who don't serve this queue. */
      free: number
      /** Since when the one waits who then waits longest here; null: nobody does. */
      next: number | null
      since: number
      /** How many wait, and how many would then. */
      waiting: number
      left: number
    }
  | { kind: 'ask'; queue: string; agents: string[]; before: number | null; after: number | null }

export interface House {
  queues: Iterable<QueueLive>
  agents: Iterable<AgentLive>
  /** Who waits in the queue and rings nowhere yet, who waits longest first. */
  waiting: readonly ContactLive[]
}

const MOST_MOVED = 5
const MOST_ASKED = 5

/** The one thing that would help most, with what is to be expected of it; null: nothing can be proposed. */
export function propose(queue: QueueLive, house: House): Proposal | null {
  const movable = house.waiting.filter((one) => one.state === 'queued' && one.since !== null)
  const idle = new Map<string, number>()
  const paused: string[] = []
  for (const agent of house.agents) {
    const serves = agent.queues.includes(queue.id)
    if (agent.state === 'ready' && !serves) for (const one of agent.queues) idle.set(one, (idle.get(one) ?? 0) + 1)
    if (agent.state === 'not_ready' && serves && agent.reachable) paused.push(agent.id)
  }
  let best: QueueLive | null = null
  for (const other of house.queues) {
    if (other.id === queue.id || other.client !== queue.client || other.waiting) continue
    if ((idle.get(other.id) ?? 0) > (best ? (idle.get(best.id) ?? 0) : 0)) best = other
  }
  if (best && movable.length) {
    const free = idle.get(best.id) ?? 0
    const going = movable.slice(0, Math.min(free, MOST_MOVED))
    return {
      kind: 'move',
      queue: queue.id,
      to: best.id,
      contacts: going.map((one) => one.id),
      free,
      next: house.waiting.find((one) => !going.includes(one))?.since ?? null,
      since: going[0]!.since!,
      waiting: house.waiting.length,
      left: house.waiting.length - going.length,
    }
  }
  if (paused.length && queue.waiting) {
    const agents = paused.slice(0, MOST_ASKED)
    return {
      kind: 'ask',
      queue: queue.id,
      agents,
      before: estimate(queue)?.mean ?? null,
      after: estimate(queue, agents.length)?.mean ?? null,
    }
  }
  return null
}

export function proposalFor(id: string): Proposal | null {
  const queue = live.get('queue', id)
  if (!queue) return null
  return propose(queue, { queues: each('queue'), agents: each('agent'), waiting: waitingIn(id) })
}

function* each<K extends 'queue' | 'agent'>(kind: K) {
  for (const id of live.idsOf(kind)) {
    const one = live.get(kind, id)
    if (one) yield one
  }
}

// --- the order of queues is the user's ---

const ORDER = 'centrala.board.order'

export function storedOrder(): string[] {
  try {
    const said: unknown = JSON.parse(localStorage.getItem(ORDER) ?? '[]')
    return Array.isArray(said) ? said.filter((one) => typeof one === 'string') : []
  } catch {
    return []
  }
}

export function storeOrder(ids: readonly string[]): void {
  try {
    localStorage.setItem(ORDER, JSON.stringify(ids))
  } catch {
    // It holds for this page.
  }
}

/** Queues in the user's order; new ones behind, by name. */
export function ordered(ids: readonly string[], order: readonly string[], name: (id: string) => string): string[] {
  const { compare } = new Intl.Collator(undefined, { numeric: true })
  const place = new Map(order.map((id, index) => [id, index]))
  return [...ids].sort((a, b) => {
    const one = place.get(a) ?? Number.POSITIVE_INFINITY
    const other = place.get(b) ?? Number.POSITIVE_INFINITY
    return one === other ? compare(name(a), name(b)) || compare(a, b) : one - other
  })
}

/** The id moved by so many places. */
export function moved(ids: readonly string[], id: string, by: number): string[] {
  const from = ids.indexOf(id)
  const to = Math.min(ids.length - 1, Math.max(0, from + by))
  const left = ids.filter((one) => one !== id)
  left.splice(to, 0, id)
  return left
}

/** The pages of a wall: the order kept, the page turned to first is the one with the worst alarm. */
export function pagesOf(ids: readonly string[], size: number): string[][] {
  const pages: string[][] = []
  for (let start = 0; start < ids.length; start += size) pages.push(ids.slice(start, start + size))
  return pages
}

/** How a wall is divided for so few queues: columns, rows, and how much larger than the least everything is written. */
export function layoutOf(count: number): { columns: number; rows: number; scale: number } {
  if (count <= 1) return { columns: 1, rows: 1, scale: 2.8 }
  if (count <= 2) return { columns: 2, rows: 1, scale: 2 }
  if (count <= 4) return { columns: 2, rows: 2, scale: 1.5 }
  if (count <= 6) return { columns: 3, rows: 2, scale: 1.33 }
  if (count <= 9) return { columns: 3, rows: 3, scale: 1 }
  return { columns: 4, rows: 3, scale: 1 }
}

/** A wait as it is read from afar: m:ss to ten minutes, then full minutes, then hours. */
export function farClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const minutes = Math.floor(whole / 60)
  if (minutes < 10) return `${minutes}:${String(whole % 60).padStart(2, '0')}`
  return minutes < 60 ? `${minutes}′` : `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, '0')}`
}

export function firstPage(pages: readonly (readonly string[])[], level: (id: string) => Level): number {
  const worst = pages.map((page) => Math.max(0, ...page.map((id) => LEVELS.indexOf(level(id)))))
  const top = Math.max(0, ...worst)
  // A warning alone doesn't reorder the wall.
  return top === LEVELS.indexOf('alarm') ? worst.indexOf(top) : 0
}
