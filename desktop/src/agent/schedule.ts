/** My roster as the centre tells it, and its days as the page needs them. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api } from '../api/client'
import type { Schema } from '../api/types'
import type { Language } from '../i18n'

export type Roster = Schema<'MyRoster'>
export type Duty = Schema<'MyDuty'>
export type Request = Schema<'MyRequest'>

const KEY = ['roster']

export const seconds = (iso: string): number => Date.parse(iso) / 1000

/** 2026-12-03, so many days later. */
export function dayAfter(date: string, days: number): string {
  const at = new Date(`${date}T12:00:00Z`)
  at.setUTCDate(at.getUTCDate() + days)
  return at.toISOString().slice(0, 10)
}

/** The Monday of its week. */
export const mondayOf = (date: string): string => dayAfter(date, -((new Date(`${date}T12:00:00Z`).getUTCDay() + 6) % 7))

/** Minutes of the day `date` by the clocks there; above 1440 on the next one. */
export function minutesOf(iso: string, date: string): number {
  const days = Math.round((Date.parse(`${iso.slice(0, 10)}T12:00Z`) - Date.parse(`${date}T12:00Z`)) / 86_400_000)
  return days * 1440 + Number(iso.slice(11, 13)) * 60 + Number(iso.slice(14, 16))
}

export const hm = (iso: string): string => iso.slice(11, 16)

/** Thu, 3 Dec. */
export function dayName(language: Language, date: string, long = false): string {
  return new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
    weekday: long ? 'long' : 'short',
    day: 'numeric',
    month: 'short',
    timeZone: 'UTC',
  }).format(new Date(`${date}T12:00:00Z`))
}

export type Part = { kind: 'work' | 'break' | 'activity'; start: string; end: string; what: string }

/** All of a duty in its order; work at neighbouring stretches of one queue is one part. */
export function partsOf(duty: Duty): Part[] {
  const all: Part[] = [
    ...duty.stretches.map((one) => ({ kind: 'work' as const, start: one.start, end: one.end, what: one.queue })),
    ...duty.breaks.map((one) => ({
      kind: 'break' as const,
      start: one.start,
      end: one.end,
      what: one.paid ? '' : '-',
    })),
    ...duty.activities.map((one) => ({ kind: 'activity' as const, start: one.start, end: one.end, what: one.what })),
  ].sort((a, b) => a.start.localeCompare(b.start))
  const found: Part[] = []
  for (const one of all) {
    const last = found.at(-1)
    if (last && last.kind === one.kind && last.what === one.what && last.end === one.start) last.end = one.end
    else found.push({ ...one })
  }
  return found
}

/** What is to be done at a moment: the part that runs, and the one after it in the same duty. */
export function partAt(duties: readonly Duty[], at: number): { now: Part; after: Part | null } | null {
  for (const duty of duties) {
    const parts = partsOf(duty)
    const place = parts.findIndex((one) => seconds(one.start) <= at && at < seconds(one.end))
    if (place >= 0) return { now: parts[place]!, after: parts[place + 1] ?? null }
  }
  return null
}

/** Paid hours of these duties, in seconds. */
export function paid(duties: readonly Duty[]): number {
  const of = (some: readonly { start: string; end: string }[]) =>
    some.reduce((sum, one) => sum + seconds(one.end) - seconds(one.start), 0)
  return duties.reduce((sum, one) => sum + of([one]) - of(one.breaks.filter((pause) => !pause.paid)), 0)
}

export function useRoster(from: string) {
  return useQuery({
    queryKey: [...KEY, from],
    // A week more than is shown: what comes next may lie there.
    queryFn: () => api.get<Roster>('/me/roster', { from, to: dayAfter(from, 13) }),
    refetchInterval: 60_000,
    retry: false,
  })
}

export function useColleagues(duty: Duty) {
  return useQuery({
    queryKey: [...KEY, 'colleagues', duty.plan, duty.id],
    queryFn: () => api.get<Schema<'Colleagues'>>('/me/roster/colleagues', { duty: duty.id, plan: duty.plan }),
    retry: false,
  })
}

/** Whatever changes the roster; it is read anew then. */
export function useAct<T, R = unknown>(act: (value: T) => Promise<R>) {
  const queries = useQueryClient()
  return useMutation({ mutationFn: act, onSettled: () => queries.invalidateQueries({ queryKey: KEY }) })
}
