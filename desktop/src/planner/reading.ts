/** Texts of the forms as values, and back: null is what can't be read. */
import { clockOf, DAY, minuteOf } from './model'
import type { Kind, Window } from './types'

/** As clockOf, but the end of the day is 24:00. */
export const timeText = (minute: number): string =>
  minute >= DAY
    ? `${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, '0')}`
    : clockOf(minute).replace(/^0/, '')

export function windowOf(text: string): Window | null {
  const [from, to, more] = text.split(/[-–]/).map(minuteOf)
  return more === undefined && from != null && to != null && from < to ? [from, to] : null
}

export const windowText = (window: Window | null): string =>
  window ? `${timeText(window[0])}-${timeText(window[1])}` : ''

/** A real date as 2026-12-24. */
export function isDate(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`)
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(at) && new Date(at).toISOString().startsWith(text)
}

export function datesOf(text: string): string[] | null {
  const all = text.split(/[\s,;]+/).filter(Boolean)
  return all.every(isDate) ? [...new Set(all)].sort() : null
}

export interface Away {
  from: string
  to: string
  why: string
}

/** One line each: first day, last day (or none), why. */
export function awayOf(text: string): Away[] | null {
  const lines = text
    .split('\n')
    .map((one) => one.trim())
    .filter(Boolean)
  const made = lines.map((line) => {
    const found = /^(\S+)(?:\s+(\d{4}-\d{2}-\d{2}))?(?:\s+(.*))?$/.exec(line)
    const from = found?.[1] ?? ''
    const to = found?.[2] ?? from
    return isDate(from) && isDate(to) && from <= to ? { from, to, why: found?.[3] ?? '' } : null
  })
  return made.every((one) => one !== null) ? (made as Away[]) : null
}

export const awayText = (all: readonly { from: string; to: string; why?: string | null }[]): string =>
  all.map((one) => [one.from, one.to === one.from ? '' : one.to, one.why ?? ''].filter(Boolean).join(' ')).join('\n')

/** One line each: a day and "140 %" of a usual one, or what kind of day it is. */
export function specialOf(text: string): Record<string, number | string> | null {
  const made: Record<string, number | string> = {}
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (!line) continue
    const [, day, what] = /^(\S+)\s+(.+)$/.exec(line) ?? []
    if (!day || !what || !isDate(day) || day in made) return null
    const share = /^(\d+(?:[.,]\d+)?)\s*%$/.exec(what)?.[1]
    const factor = share === undefined ? null : Number(share.replace(',', '.')) / 100
    if (factor === null ? /%$/.test(what) || what.length > 60 : factor > 100) return null
    made[day] = factor ?? what
  }
  return made
}

export interface Spent {
  day: string
  from: number
  to: number
  what: string
}

/** One line each: the day, from and to, what. */
export function activitiesOf(text: string): Spent[] | null {
  const lines = text
    .split('\n')
    .map((one) => one.trim())
    .filter(Boolean)
  const made = lines.map((line) => {
    const found = /^(\S+)\s+(\S+)\s+(.+)$/.exec(line)
    const window = windowOf(found?.[2] ?? '')
    return found && isDate(found[1]!) && window
      ? { day: found[1]!, from: window[0], to: window[1], what: found[3]! }
      : null
  })
  return made.every((one) => one !== null) ? (made as Spent[]) : null
}

export const activitiesText = (all: readonly Spent[]): string =>
  all.map((one) => `${one.day} ${windowText([one.from, one.to])} ${one.what}`).join('\n')

/** A kind of shift as its four fields have it. */
export interface KindText {
  name: string
  length: string
  starts: string
  breaks: string
}

export const kindText = (kind: Kind): KindText => ({
  name: kind.name,
  length: timeText(kind.minutes),
  starts: kind.starts.map(timeText).join(', '),
  breaks: kind.breaks
    .map((one) => `${one.minutes} ${timeText(one.earliest)}-${timeText(one.latest)}${one.paid ? '' : ' unpaid'}`)
    .join('; '),
})

export function kindOf(text: KindText): Kind | null {
  const minutes = minuteOf(text.length)
  const starts = text.starts
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(minuteOf)
  const breaks = text.breaks
    .split(';')
    .map((one) => one.trim())
    .filter(Boolean)
    .map((one) => {
      const found = /^(\d{1,3})\s+(\S+?)[-–](\S+)(\s+unpaid)?$/.exec(one)
      const earliest = minuteOf(found?.[2] ?? '')
      const latest = minuteOf(found?.[3] ?? '')
      if (!found || earliest === null || latest === null || latest < earliest || !Number(found[1])) return null
      return { minutes: Number(found[1]), earliest, latest, paid: !found[4] }
    })
  if (!text.name.trim() || !minutes || !starts.length) return null
  if (starts.some((one) => one === null || one >= DAY) || breaks.some((one) => one === null)) return null
  return {
    name: text.name.trim(),
    minutes,
    starts: [...new Set(starts as number[])].sort((a, b) => a - b),
    breaks: breaks as Kind['breaks'],
  }
}
