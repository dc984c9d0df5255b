/**
 * What the queues were like in the last two hours: the centre's own lines, and since then what this page sees.
 *
 * Each 15 s one sample of every queue; while the line is lost none. When it is back the centre is asked again, so that
 * only what the centre itself hasn't seen is a gap.
 */
import { api } from '../api/client'
import type { Schema } from '../api/types'
import { live } from '../live/store'
import { now } from '../live/time'

export const STEP = 15
const MINUTES = 120
const KEPT = MINUTES * 60
/** Two samples further apart than this have a gap between them. */
const GAP = 2.5 * STEP
/** Seconds until the centre is asked anew where it couldn't answer. */
const RETRY = 30

interface Track {
  /** Most who waited at once since the sample before. */
  waiting: (number | null)[]
  /** Seconds that the longest waiter had waited. */
  wait: (number | null)[]
  /** Service level of the last half hour, 0 to 1. */
  level: (number | null)[]
}

export type Figure = keyof Track

export interface State {
  times: number[]
  tracks: Map<string, Track>
}

let state: State = { times: [], tracks: new Map() }
const peaks = new Map<string, number>()
const listeners = new Set<() => void>()
let users = 0
let version = 0
let stop: (() => void) | null = null
let asked = Number.NEGATIVE_INFINITY
let missing = true

const tell = () => {
  version++
  if (!document.hidden) for (const one of listeners) one()
}

/** What the page has seen goes on where the centre's lines end; before that the centre's word counts. */
export function joined(lines: Schema<'QueueLines'>, seen: State): State {
  // A minute that isn't over yet is the page's own, or drawn where its value was seen: at the clock of the answer.
  const length = Math.max(0, ...Object.values(lines.queues).map((one) => one.waiting.length))
  const times = Array.from({ length }, (_, index) => Math.min(lines.begins + (index + 1) * 60, lines.at))
  const after = seen.times.findIndex((one) => one > lines.at)
  const rest = after < 0 ? [] : seen.times.slice(after)
  const tracks = new Map<string, Track>()
  for (const id of new Set([...Object.keys(lines.queues), ...seen.tracks.keys()])) {
    const of = lines.queues[id]
    const own = seen.tracks.get(id)
    const part = (said: (number | null)[] | undefined, mine: (number | null)[] | undefined) => [
      ...(said ?? Array.from({ length }, () => null)),
      ...rest.map((_, index) => mine?.[after + index] ?? null),
    ]
    tracks.set(id, {
      waiting: part(of?.waiting, own?.waiting),
      wait: part(of?.longest_wait, own?.wait),
      level: part(of?.service_level_30, own?.level),
    })
  }
  return { times: [...times, ...rest], tracks }
}

async function ask(): Promise<void> {
  asked = now()
  try {
    const lines = await api.get<Schema<'QueueLines'>>('/queues/history', { minutes: MINUTES })
    state = joined(lines, state)
    missing = false
    // The minute that isn't over is told at its worst: what is now, the page sees for itself.
    sample(true)
    tell()
  } catch {
    missing = true // asked again by a sample to come; until then the line has what the page saw
  }
}

function sample(first = false): void {
  if (live.line.line !== 'live' || !live.idsOf('queue').length) return
  const at = now()
  const last = state.times.at(-1)
  if (last !== undefined && at - last < (first ? 0.001 : STEP / 2)) return
  const gap = last !== undefined && at - last > GAP
  if ((gap || missing) && at - asked > RETRY) void ask()
  const rows = gap ? [null, at] : [at]
  for (const row of rows) {
    state.times.push(row ?? last! + STEP)
    const length = state.times.length
    for (const id of live.idsOf('queue')) {
      const queue = live.get('queue', id)!
      let track = state.tracks.get(id)
      if (!track) state.tracks.set(id, (track = { waiting: [], wait: [], level: [] }))
      for (const one of Object.values(track) as (number | null)[][]) while (one.length < length - 1) one.push(null)
      track.waiting.push(row === null ? null : Math.max(peaks.get(id) ?? 0, queue.waiting))
      track.wait.push(row === null ? null : queue.waiting_since === null ? 0 : Math.max(0, at - queue.waiting_since))
      track.level.push(row === null ? null : queue.now.service_level)
    }
  }
  peaks.clear()
  const over = state.times.findIndex((one) => one >= at - KEPT)
  if (over > 0) {
    state.times.splice(0, over)
    for (const track of state.tracks.values())
      for (const one of Object.values(track) as (number | null)[][]) one.splice(0, over)
  }
  tell()
}

function watch(): void {
  for (const id of live.idsOf('queue')) {
    const waiting = live.get('queue', id)!.waiting
    if (waiting > (peaks.get(id) ?? 0)) peaks.set(id, waiting)
  }
}

/** Collect while a page of the supervisor is open. */
export function collect(): () => void {
  if (users++ === 0) {
    if (missing || now() - asked > RETRY) void ask()
    const timer = setInterval(() => sample(), STEP * 1000)
    const peek = setInterval(watch, 1000)
    const first = setTimeout(() => sample(), 500)
    stop = () => {
      clearInterval(timer)
      clearInterval(peek)
      clearTimeout(first)
    }
  }
  return () => {
    if (--users === 0) {
      stop?.()
      stop = null
    }
  }
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const versionOf = (): number => version

export interface Line {
  times: number[]
  values: (number | null)[]
  /** When the line begins, within what is asked. */
  since: number | null
}

/** The last `seconds` of a queue. */
export function lineOf(id: string, figure: Figure, seconds: number): Line {
  const from = now() - seconds
  const start = state.times.findIndex((one) => one >= from)
  if (start < 0) return { times: [], values: [], since: null }
  const track = state.tracks.get(id)?.[figure] ?? []
  const times = state.times.slice(start)
  const values = times.map((_, index) => track[start + index] ?? null)
  const first = values.findIndex((one) => one !== null)
  return { times, values, since: first < 0 ? null : times[first]! }
}
