/**
 * What the queues were like in the last two hours, as this page saw it: the centre keeps no such line yet.
 *
 * Each 15 s one sample of every queue; while the line is lost none, so that gaps stay gaps. Kept over a reload of the tab.
 */
import { live } from '../live/store'
import { now } from '../live/time'

export const STEP = 15
const KEPT = (2 * 3600) / STEP
const STORED = 'centrala.board.history'
/** Two samples further apart than this have a gap between them. */
const GAP = 2.5 * STEP

interface Track {
  /** Most who waited at once since the sample before. */
  waiting: (number | null)[]
  /** Seconds that the longest waiter had waited. */
  wait: (number | null)[]
  /** Service level of the last half hour, 0 to 1. */
  level: (number | null)[]
}

export type Figure = keyof Track

interface State {
  times: number[]
  tracks: Map<string, Track>
}

let state: State = { times: [], tracks: new Map() }
const peaks = new Map<string, number>()
const listeners = new Set<() => void>()
let users = 0
let version = 0
let stop: (() => void) | null = null

function sample(): void {
  if (live.line.line !== 'live' || !live.idsOf('queue').length) return
  const at = now()
  const last = state.times.at(-1)
  if (last !== undefined && at - last < STEP / 2) return
  const gap = last !== undefined && at - last > GAP
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
  if (state.times.length > KEPT) {
    const over = state.times.length - KEPT
    state.times.splice(0, over)
    for (const track of state.tracks.values())
      for (const one of Object.values(track) as (number | null)[][]) one.splice(0, over)
  }
  version++
  if (!document.hidden) for (const one of listeners) one()
}

function watch(): void {
  for (const id of live.idsOf('queue')) {
    const waiting = live.get('queue', id)!.waiting
    if (waiting > (peaks.get(id) ?? 0)) peaks.set(id, waiting)
  }
}

function store(): void {
  try {
    sessionStorage.setItem(STORED, JSON.stringify({ times: state.times, tracks: [...state.tracks] }))
  } catch {
    // A line that is missing after a reload says so itself.
  }
}

function restore(): void {
  try {
    const said = JSON.parse(sessionStorage.getItem(STORED) ?? 'null') as {
      times: number[]
      tracks: [string, Track][]
    } | null
    if (!said || state.times.length || now() - (said.times.at(-1) ?? 0) > KEPT * STEP) return
    state = { times: said.times, tracks: new Map(said.tracks) }
  } catch {
    // Of another version.
  }
}

/** Collect while a page of the supervisor is open. */
export function collect(): () => void {
  if (users++ === 0) {
    restore()
    const timer = setInterval(sample, STEP * 1000)
    const peek = setInterval(watch, 1000)
    const first = setTimeout(sample, 500)
    window.addEventListener('pagehide', store)
    stop = () => {
      clearInterval(timer)
      clearInterval(peek)
      clearTimeout(first)
      window.removeEventListener('pagehide', store)
    }
  }
  return () => {
    if (--users === 0) {
      store()
      stop?.()
      stop = null
    }
  }
}

export function subscribe(tell: () => void): () => void {
  listeners.add(tell)
  return () => listeners.delete(tell)
}

export const versionOf = (): number => version

export interface Line {
  times: number[]
  values: (number | null)[]
  /** When this page began to look, within what is asked. */
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
