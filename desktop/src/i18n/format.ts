/** Durations, times, numbers and dates for people. Seconds are unix seconds of the centre's clock. */
import type { Language } from './index'

/** m:ss, from an hour on h:mm:ss. Never negative. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const s = String(whole % 60).padStart(2, '0')
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes}:${s}`
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${s}`
}

const made = new Map<string, Intl.DateTimeFormat | Intl.NumberFormat>()

function dates(language: Language, zone: string | undefined, kind: string, options: Intl.DateTimeFormatOptions) {
  const key = `${language}|${zone}|${kind}`
  let found = made.get(key) as Intl.DateTimeFormat | undefined
  if (!found) {
    // English here is the international one: day first, 24 hours.
    found = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, { ...options, timeZone: zone })
    made.set(key, found)
  }
  return found
}

/** 14:02 in the centre's zone. */
export function timeOf(language: Language, at: number, zone?: string): string {
  return dates(language, zone, 'time', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at * 1000)
}

/** 12 Nov, with the year if it isn't this one. */
export function dayOf(language: Language, at: number, zone?: string): string {
  const sameYear = new Date(at * 1000).getFullYear() === new Date().getFullYear()
  const options: Intl.DateTimeFormatOptions = sameYear
    ? { day: 'numeric', month: 'short' }
    : { day: 'numeric', month: 'short', year: 'numeric' }
  return dates(language, zone, sameYear ? 'day' : 'dayyear', options).format(at * 1000)
}

export function dayAndTime(language: Language, at: number, zone?: string): string {
  return `${dayOf(language, at, zone)} ${timeOf(language, at, zone)}`
}

export function number(language: Language, n: number, digits = 0): string {
  const key = `n|${language}|${digits}`
  let found = made.get(key) as Intl.NumberFormat | undefined
  if (!found) made.set(key, (found = new Intl.NumberFormat(language, { maximumFractionDigits: digits })))
  return found.format(n)
}

/** 0.83 → 83 %. */
export function percent(language: Language, share: number, digits = 0): string {
  const key = `p|${language}|${digits}`
  let found = made.get(key) as Intl.NumberFormat | undefined
  if (!found) {
    made.set(key, (found = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: digits })))
  }
  return found.format(share)
}

const MINUTES: Record<Language, string> = { en: 'min', pl: 'min', ru: 'мин' }
const HOURS: Record<Language, string> = { en: 'h', pl: 'godz.', ru: 'ч' }
const SECONDS: Record<Language, string> = { en: 's', pl: 's', ru: 'с' }

/** "45 s", "4 min", "1 h 20 min": how much, where a clock would be too fine. */
export function span(language: Language, seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} ${SECONDS[language]}`
  const minutes = Math.round(whole / 60)
  if (minutes < 60) return `${minutes} ${MINUTES[language]}`
  const rest = minutes % 60
  const hours = `${Math.floor(minutes / 60)} ${HOURS[language]}`
  return rest ? `${hours} ${rest} ${MINUTES[language]}` : hours
}

/** A telephone number in groups, as people read it aloud; anything else as it is. */
export function phoneNumber(raw: string): string {
  const national = /^\+(7|48|1)(\d+)$/.exec(raw)
  if (national) {
    const [, code, rest] = national
    if (code === '48' && rest!.length === 9) return `+48 ${rest!.slice(0, 3)} ${rest!.slice(3, 6)} ${rest!.slice(6)}`
    if (code !== '48' && rest!.length === 10) {
      return `+${code} ${rest!.slice(0, 3)} ${rest!.slice(3, 6)}-${rest!.slice(6, 8)}-${rest!.slice(8)}`
    }
  }
  return raw
}
