/** What a plan is on the screen: pure functions of its values. */
import type { Change, Duty, Plan, Tried } from './types'

export const DAY = 1440

/** 450 → 07:30; past midnight it begins anew. */
export function clockOf(minute: number): string {
  const of = ((Math.round(minute) % DAY) + DAY) % DAY
  return `${String(Math.floor(of / 60)).padStart(2, '0')}:${String(of % 60).padStart(2, '0')}`
}

/** 07:30 or 7 → 450, 24:00 → 1440; null for what is no time. */
export function minuteOf(text: string): number | null {
  const found = /^(\d{1,2})(?::(\d{2}))?$/.exec(text.trim())
  if (!found) return null
  const minute = Number(found[1]) * 60 + Number(found[2] ?? 0)
  return Number(found[2] ?? 0) < 60 && minute <= DAY ? minute : null
}

/** The date of a plan's day, as noon in UTC: formatted in UTC it is that day everywhere. */
export function dateOf(first: string, day: number): number {
  return Date.parse(`${first}T12:00:00Z`) + day * 86_400_000
}

/** Which of the plan's days a date is. */
export const indexOf = (first: string, date: string): number =>
  Math.round((Date.parse(date) - Date.parse(first)) / 86_400_000)

export const isoOf = (first: string, day: number): string => new Date(dateOf(first, day)).toISOString().slice(0, 10)

/** Mondays from this week's on. */
export function mondays(now: number, count: number): string[] {
  const day = new Date(now)
  const noon = Date.UTC(day.getFullYear(), day.getMonth(), day.getDate(), 12)
  const ago = (new Date(noon).getUTCDay() + 6) % 7
  return run(0, count).map((week) => new Date(noon + (7 * week - ago) * 86_400_000).toISOString().slice(0, 10))
}

export const stepOf = (plan: { step: number }): number => Math.max(1, Math.round(plan.step / 60))
export const perDay = (plan: { step: number }): number => Math.floor(DAY / stepOf(plan))

/** Paid hours of a duty. */
export function hoursOf(duty: Duty): number {
  const unpaid = duty.breaks.reduce((sum, one) => sum + (one.paid ? 0 : one.end - one.start), 0)
  return (duty.end - duty.start - unpaid) / 60
}

/** The hours that a day is drawn for, whole and the same for all days of the plan. */
export function span(plan: Plan): { from: number; to: number } {
  const step = stepOf(plan)
  const day = perDay(plan)
  let from = Number.POSITIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY
  for (const duty of plan.duties) {
    from = Math.min(from, duty.start)
    to = Math.max(to, duty.end)
  }
  for (const { contacts, required } of Object.values(plan.demand)) {
    contacts.forEach((many, index) => {
      if (many <= 0 && !required[index]) return
      from = Math.min(from, (index % day) * step)
      to = Math.max(to, (index % day) * step + step)
    })
  }
  if (!Number.isFinite(from)) return { from: 480, to: 1080 }
  return { from: Math.max(0, Math.floor(from / 60) * 60 - 60), to: Math.min(2 * DAY, Math.ceil(to / 60) * 60 + 60) }
}

/** One queue's figures in some intervals, or all of these queues together: contacts and agents add up. */
export interface Course {
  contacts: (number | null)[]
  low: (number | null)[]
  high: (number | null)[]
  required: (number | null)[]
  staffed: (number | null)[]
  /** Of all contacts together where there are several queues. */
  level: (number | null)[]
}

/** The intervals from..to. */
export const run = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index)

export function courseOf(plan: Plan, queues: readonly string[], intervals: readonly number[]): Course {
  const course: Course = { contacts: [], low: [], high: [], required: [], staffed: [], level: [] }
  for (const at of intervals) {
    const sum = { contacts: 0, low: 0, high: 0, required: 0, staffed: 0 }
    let weight = 0
    let level = 0
    let known = false
    for (const queue of queues) {
      const demand = plan.demand[queue]
      if (demand && at < demand.contacts.length) {
        known = true
        sum.contacts += demand.contacts[at] ?? 0
        sum.low += demand.low[at] ?? demand.contacts[at] ?? 0
        sum.high += demand.high[at] ?? demand.contacts[at] ?? 0
        sum.required += demand.required[at] ?? 0
      }
      sum.staffed += plan.staffed[queue]?.[at] ?? 0
      const reached = plan.expected[queue]?.[at]
      const many = demand?.contacts[at] ?? 0
      if (reached !== null && reached !== undefined && many > 0) {
        weight += many
        level += many * reached
      }
    }
    course.contacts.push(known ? sum.contacts : null)
    course.low.push(known ? sum.low : null)
    course.high.push(known ? sum.high : null)
    course.required.push(known ? sum.required : null)
    course.staffed.push(sum.staffed)
    course.level.push(weight > 0 ? level / weight : null)
  }
  return course
}

/** Of the whole plan: contacts that are expected to be answered in time. */
export function overall(plan: Plan, queues: readonly string[]): number | null {
  const { contacts, level } = courseOf(plan, queues, run(0, plan.starts.length))
  let sum = 0
  let reached = 0
  level.forEach((one, index) => {
    if (one === null) return
    sum += contacts[index] ?? 0
    reached += (contacts[index] ?? 0) * one
  })
  return sum > 0 ? reached / sum : null
}

// --- edits ---

/** What was tried but isn't saved: a change that undoes or outdoes one before it takes its place. */
export function joined(before: readonly Change[], next: Change, plan: Plan, shown: readonly Duty[]): Change[] {
  const all = [...before]
  const target = next.what === 'move' || next.what === 'remove' || next.what === 'swap' ? next.duty : null
  const duty = target === null ? undefined : shown.find((one) => one.id === target)
  const stored = duty && plan.duties.some((one) => one.id === duty.id)
  if (duty && !stored) {
    // Known to this page only: it is still a wish to add, whatever its id.
    const at = all.findIndex((one) => one.what === 'add' && one.agent === duty.agent && one.day === duty.day)
    const add = all[at]
    if (add?.what === 'add') {
      if (next.what === 'remove') all.splice(at, 1)
      else if (next.what === 'move')
        all[at] = { ...add, agent: next.agent ?? add.agent, day: next.day, start: next.start }
      return all
    }
  }
  const last = all.at(-1)
  if (next.what === 'move' && last?.what === 'move' && last.duty === next.duty) {
    all.pop()
    const from = plan.duties.find((one) => one.id === next.duty)
    const agent = next.agent ?? last.agent
    if (from && from.start === next.start && from.day === next.day && (agent ?? from.agent) === from.agent) return all
    return [...all, agent === undefined ? next : { ...next, agent }]
  }
  if (next.what === 'remove') {
    const kept = all.filter((one) => !(one.what === 'move' && one.duty === next.duty))
    return [...kept, next]
  }
  return [...all, next]
}

/** The plan as it would be. */
export function withTried(plan: Plan, tried: Tried | null): Plan {
  if (!tried) return plan
  const gone = new Set(tried.removed)
  const changed = new Map(tried.duties.map((one) => [one.id, one]))
  const duties = plan.duties.filter((one) => !gone.has(one.id)).map((one) => changed.get(one.id) ?? one)
  const known = new Set(plan.duties.map((one) => one.id))
  return {
    ...plan,
    duties: [...duties, ...tried.duties.filter((one) => !known.has(one.id) && !gone.has(one.id))],
    staffed: { ...plan.staffed, ...tried.staffed },
    expected: { ...plan.expected, ...tried.expected },
    broken: tried.broken,
    costs: tried.costs,
  }
}

/** A shift begun at another minute, all in it along. */
export function begun(duty: Duty, start: number): Duty {
  const by = start - duty.start
  const moved = <T extends { start: number; end: number }>(all: readonly T[]): T[] =>
    all.map((one) => ({ ...one, start: one.start + by, end: one.end + by }))
  return {
    ...duty,
    start,
    end: duty.end + by,
    stretches: moved(duty.stretches),
    breaks: moved(duty.breaks),
    activities: moved(duty.activities),
  }
}

/** What the changes are roughly, until the centre has said it: shifts with their old breaks, new ones with none. */
export function locally(plan: Plan, changes: readonly Change[]): Duty[] {
  let all = [...plan.duties]
  const put = (duty: Duty) => {
    all = all.some((one) => one.id === duty.id) ? all.map((one) => (one.id === duty.id ? duty : one)) : [...all, duty]
  }
  for (const change of changes) {
    if (change.what === 'put') put(change.duty)
    else if (change.what === 'add') {
      const minutes = plan.kinds.find((one) => one.name === change.shift)?.minutes ?? 480
      const { agent, day, shift, start } = change
      const queue = plan.agents.find((one) => one.agent === agent)?.queues[0] ?? plan.queues[0] ?? ''
      const end = start + minutes
      put({
        ...{ id: `new:${agent}:${day}`, agent, day, shift, start, end },
        ...{ stretches: [{ start, end, queue }], breaks: [], activities: [] },
      })
    } else if (change.what === 'absent')
      all = all.filter((one) => one.agent !== change.agent || !change.days.includes(one.day))
    else if (change.what === 'activity') {
      const old = all.find((one) => one.id === change.duty)
      const { start, end, name } = change
      const others = old?.activities.filter((one) => one.end <= start || one.start >= end) ?? []
      if (old) put({ ...old, activities: name ? [...others, { start, end, what: name }] : others })
    } else if (change.what === 'remove') all = all.filter((one) => one.id !== change.duty)
    else if (change.what === 'move') {
      const old = all.find((one) => one.id === change.duty)
      if (old) put({ ...begun(old, change.start), day: change.day, agent: change.agent ?? old.agent })
    } else {
      const one = all.find((duty) => duty.id === change.duty)
      const other = all.find((duty) => duty.id === change.with)
      if (one && other) {
        put({ ...one, agent: other.agent })
        put({ ...other, agent: one.agent })
      }
    }
  }
  return all
}

/** What takes saved changes back: shifts as they were, breaks and all. */
export function reversed(before: Plan, tried: Tried): Change[] {
  const old = new Map(before.duties.map((one) => [one.id, one]))
  const gone = new Set(tried.removed)
  const back: Change[] = []
  for (const one of tried.duties) if (!old.has(one.id) && !gone.has(one.id)) back.push({ what: 'remove', duty: one.id })
  for (const id of [...tried.duties.map((one) => one.id), ...tried.removed]) {
    const was = old.get(id)
    if (was) back.push({ what: 'put', duty: was })
  }
  return back
}

/** Rules that weren't broken before. */
export function anew(before: Plan['broken'], after: Plan['broken']): Plan['broken'] {
  const known = new Set(before.map((one) => `${one.code}|${one.agent}|${one.day}|${one.text}`))
  return after.filter((one) => !known.has(`${one.code}|${one.agent}|${one.day}|${one.text}`))
}

/** The start that a bar pulled by `pixels` has: on the plan's steps, the shift within two days. */
export function pulled(duty: Duty, pixels: number, perMinute: number, step: number): number {
  const moved = Math.round(pixels / perMinute / step) * step
  const start = duty.start + moved
  return Math.max(0, Math.min(start, DAY - step, 2 * DAY - (duty.end - duty.start)))
}

// --- a typed week ---

export interface Line {
  /** Weekdays, 0 is Monday. */
  days: readonly number[]
  from: string
  to: string
  perHour: string
}

/** Positions of the lines that can't be: no time, no number, or over another line of the same day. */
export function wrongLines(lines: readonly Line[]): number[] {
  const wrong = new Set<number>()
  const read = lines.map((one) => ({ from: minuteOf(one.from), to: minuteOf(one.to), many: numberOf(one.perHour) }))
  read.forEach((one, index) => {
    if (one.from === null || one.to === null || one.many === null || one.from >= one.to) wrong.add(index)
    if (!lines[index]!.days.length) wrong.add(index)
    read.slice(0, index).forEach((other, before) => {
      if (one.from === null || one.to === null || other.from === null || other.to === null) return
      const meet = lines[index]!.days.some((day) => lines[before]!.days.includes(day))
      if (meet && one.from < other.to && other.from < one.to) wrong.add(index)
    })
  })
  return [...wrong].sort((a, b) => a - b)
}

export function numberOf(text: string): number | null {
  const value = Number(text.trim().replace(',', '.'))
  return text.trim() && Number.isFinite(value) && value >= 0 ? value : null
}

/** Contacts of a week that the lines say. */
export function weekly(lines: readonly Line[]): number {
  return lines.reduce((sum, one) => {
    const from = minuteOf(one.from)
    const to = minuteOf(one.to)
    const many = numberOf(one.perHour)
    return from === null || to === null || many === null ? sum : sum + (one.days.length * many * (to - from)) / 60
  }, 0)
}
