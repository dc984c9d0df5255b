/** Opening hours: the file's mapping and seven texts. */
import { isRecord } from './ControlProps'

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Week = string[]

/** The file's mapping as seven texts, Monday first; "" is closed. */
export function weekOf(value: unknown): Week {
  const week: Week = Array(7).fill('')
  if (!isRecord(value)) return week
  for (const [name, spans] of Object.entries(value)) {
    const [from, to] = name.toLowerCase().split('-') as [string, string?]
    const start = DAYS.indexOf(from.trim() as 'mon')
    const end = to === undefined ? start : DAYS.indexOf(to.trim() as 'mon')
    if (start < 0 || end < 0) continue
    const text = (Array.isArray(spans) ? spans : [spans]).filter((one) => one !== null && one !== 'closed').join(', ')
    for (let day = start; ; day = (day + 1) % 7) {
      week[day] = text
      if (day === end) break
    }
  }
  return week
}

/** The shortest mapping that says the same: days alike next to each other become a range. */
export function hoursOf(week: Week): Record<string, string | string[]> {
  const made: Record<string, string | string[]> = {}
  for (let day = 0; day < 7; ) {
    let last = day
    while (last < 6 && week[last + 1] === week[day]) last++
    const spans = week[day]!.split(',')
      .map((one) => one.trim())
      .filter(Boolean)
    if (spans.length) {
      made[day === last ? DAYS[day]! : `${DAYS[day]}-${DAYS[last]}`] = spans.length === 1 ? spans[0]! : spans
    }
    day = last + 1
  }
  return made
}

export function hoursWrong(text: string): boolean {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)
    .some((one) => {
      const found = /^(\d{1,2})(?::(\d{2}))? ?- ?(\d{1,2})(?::(\d{2}))?$/.exec(one)
      if (!found) return true
      const [a, b, c, d] = found.slice(1).map((part) => Number(part ?? 0))
      return b! > 59 || d! > 59 || a! * 60 + b! >= c! * 60 + d! || c! * 60 + d! > 1440
    })
}

/** What can't be yet: each day by itself, as typed, so that nothing is lost. */
export const rawHours = (week: Week): Record<string, string> =>
  Object.fromEntries(DAYS.map((day, index) => [day, week[index]!]).filter(([, text]) => text))
