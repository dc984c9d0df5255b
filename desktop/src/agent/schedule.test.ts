import { expect, test } from 'vitest'
import { type Duty, dayAfter, minutesOf, mondayOf, paid, partAt, partsOf, seconds } from './schedule'

const at = (time: string) => `2026-12-03T${time}:00+01:00`
const duty: Duty = {
  plan: 'p',
  id: 'd1',
  date: '2026-12-03',
  shift: 'full',
  start: at('08:00'),
  end: at('16:00'),
  stretches: [
    { start: at('08:00'), end: at('09:00'), queue: 'sales' },
    { start: at('09:00'), end: at('10:00'), queue: 'sales' },
    { start: at('10:15'), end: at('12:00'), queue: 'claims' },
    { start: at('13:00'), end: at('16:00'), queue: 'sales' },
  ],
  breaks: [
    { start: at('10:00'), end: at('10:15'), paid: true },
    { start: at('12:00'), end: at('12:30'), paid: false },
  ],
  activities: [{ start: at('12:30'), end: at('13:00'), what: 'training' }],
}

test('a duty in its parts', () => {
  expect(partsOf(duty).map((one) => `${one.kind} ${one.start.slice(11, 16)} ${one.what}`)).toEqual([
    'work 08:00 sales',
    'break 10:00 ',
    'work 10:15 claims',
    'break 12:00 -',
    'activity 12:30 training',
    'work 13:00 sales',
  ])
  expect(paid([duty])).toBe(7.5 * 3600)
})

test('what runs and what follows', () => {
  const now = partAt([duty], seconds(at('12:10')))
  expect([now?.now.kind, now?.after?.what]).toEqual(['break', 'training'])
  expect(partAt([duty], seconds(at('15:00')))?.after).toBeNull()
  expect(partAt([duty], seconds(at('16:00')))).toBeNull()
})

test('days and minutes, over the edges', () => {
  expect(mondayOf('2026-12-06')).toBe('2026-11-30')
  expect(mondayOf('2026-11-30')).toBe('2026-11-30')
  expect(dayAfter('2026-12-31', 1)).toBe('2027-01-01')
  expect(minutesOf('2026-12-04T02:30:00+01:00', '2026-12-03')).toBe(1590)
})
