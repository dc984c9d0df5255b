/** Alarms: which there are, which there were while this page was open, the chime, and who asked for quiet. */
import { create } from 'zustand'
import { live } from '../live/store'
import { now } from '../live/time'
import { type Cause, causesOf, type Level, levelOf } from './figures'

export const MUTED_FOR = 600
const LOG = 'centrala.alarms'
const MUTES = 'centrala.alarms.muted'
const KEPT = 100

export interface Alarm {
  queue: string
  name: string
  level: Level
  causes: Cause[]
  since: number
  until: number | null
}

interface Alarms {
  /** Newest first. */
  log: readonly Alarm[]
  /** Queue, or * for all → unix seconds. */
  muted: Record<string, number>
  /** Since when this page looks. */
  from: number | null
  /** The browser lets no sound out before something was pressed. */
  silent: boolean
}

function read<T>(key: string, otherwise: T): T {
  try {
    return (JSON.parse(sessionStorage.getItem(key) ?? 'null') as T) ?? otherwise
  } catch {
    return otherwise
  }
}

function write(key: string, value: unknown): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(value))
  } catch {
    // It holds until the page is left.
  }
}

const stored =
  typeof sessionStorage === 'undefined'
    ? { log: [] as Alarm[], from: null }
    : read(LOG, { log: [] as Alarm[], from: null as number | null })

export const useAlarms = create<Alarms>(() => ({
  ...stored,
  muted: typeof sessionStorage === 'undefined' ? {} : read<Record<string, number>>(MUTES, {}),
  silent: false,
}))

export function mute(queue: string, seconds = MUTED_FOR): void {
  const muted = { ...useAlarms.getState().muted }
  if (seconds) muted[queue] = now() + seconds
  else delete muted[queue]
  useAlarms.setState({ muted })
  write(MUTES, muted)
}

export const mutedUntil = (muted: Record<string, number>, queue: string): number | null => {
  const until = Math.max(muted[queue] ?? 0, muted['*'] ?? 0)
  return until > now() ? until : null
}

// --- the chime: two notes, once for however many alarms come at one moment ---

let sound: AudioContext | null = null

async function context(): Promise<AudioContext | null> {
  if (typeof AudioContext === 'undefined') return null
  sound ??= new AudioContext()
  // Without a press of something it stays suspended, and resume() may wait for ever.
  if (sound.state !== 'running') await Promise.race([sound.resume(), new Promise((done) => setTimeout(done, 300))])
  useAlarms.setState({ silent: sound.state !== 'running' })
  return sound.state === 'running' ? sound : null
}

/** To be called by a press, so that the browser lets alarms sound. */
export async function unlock(): Promise<void> {
  if (await context()) await chime()
}

export async function chime(): Promise<void> {
  const at = await context()
  if (!at) return
  ;[660, 880].forEach((hertz, index) => {
    const from = at.currentTime + index * 0.22
    const tone = at.createOscillator()
    const gain = at.createGain()
    tone.frequency.value = hertz
    gain.gain.setValueAtTime(0, from)
    gain.gain.linearRampToValueAtTime(0.25, from + 0.02)
    gain.gain.exponentialRampToValueAtTime(0.001, from + 0.6)
    tone.connect(gain).connect(at.destination)
    tone.start(from)
    tone.stop(from + 0.65)
  })
}

// --- watching ---

let users = 0
let end: (() => void) | null = null
let known = new Map<string, Level>()

function look(): void {
  if (live.line.line !== 'live') return
  const at = now()
  const { log, muted, from } = useAlarms.getState()
  const fresh: Alarm[] = []
  let changed = [...log]
  const first = from === null
  for (const id of live.idsOf('queue')) {
    const queue = live.get('queue', id)!
    const level = levelOf(queue)
    const before = known.get(id)
    known.set(id, level)
    if (before === level) continue
    changed = changed.map((one) =>
      one.queue === id && one.until === null && one.level !== level ? { ...one, until: at } : one,
    )
    if (level === 'normal') continue
    if (changed.some((one) => one.queue === id && one.until === null)) continue
    const causes = causesOf(queue)
    const since = Math.min(at, ...causes.map((one) => one.since ?? at))
    const alarm = { queue: id, name: queue.name ?? id, level, causes, since, until: null }
    changed.unshift(alarm)
    // What stood there before this page was opened is no news.
    if (level === 'alarm' && before !== undefined) fresh.push(alarm)
  }
  for (const one of changed) {
    if (one.until === null && !live.get('queue', one.queue)) {
      changed = changed.map((each) => (each === one ? { ...each, until: at } : each))
    }
  }
  if (changed.length !== log.length || changed.some((one, index) => one !== log[index]) || first) {
    const kept = changed.slice(0, KEPT)
    useAlarms.setState({ log: kept, from: from ?? at })
    write(LOG, { log: kept, from: from ?? at })
  }
  if (fresh.some((one) => mutedUntil(muted, one.queue) === null)) void chime()
}

/** Watch while a page of the supervisor is open. */
export function attend(): () => void {
  if (users++ === 0) {
    known = new Map()
    let timer: ReturnType<typeof setTimeout> | null = null
    const tell = () => {
      timer ??= setTimeout(() => {
        timer = null
        look()
      }, 250)
    }
    tell()
    const off = live.subscribe('kind', 'queue', tell)
    end = () => {
      off()
      if (timer) clearTimeout(timer)
    }
  }
  return () => {
    if (--users === 0) {
      end?.()
      end = null
    }
  }
}
