import { describe, expect, it } from 'vitest'
import {
  anew,
  clockOf,
  courseOf,
  isoOf,
  joined,
  locally,
  minuteOf,
  mondays,
  overall,
  pulled,
  reversed,
  run,
  span,
  weekly,
  withTried,
  wrongLines,
} from './model'
import {
  activitiesOf,
  activitiesText,
  awayOf,
  awayText,
  datesOf,
  isDate,
  kindOf,
  kindText,
  specialOf,
  windowOf,
  windowText,
} from './reading'
import type { Change, Duty, Plan, Tried } from './types'

const duty = (id: string, agent: string, start: number, more: Partial<Duty> = {}): Duty => ({
  ...{ id, agent, day: '2026-11-30', shift: 'full', start, end: start + 510 },
  stretches: [
    { start, end: start + 240, queue: 'sales' },
    { start: start + 270, end: start + 510, queue: 'sales' },
  ],
  breaks: [{ start: start + 240, end: start + 270, paid: false }],
  activities: [],
  ...more,
})

function plan(more: Partial<Plan> = {}): Plan {
  const flat = (value: number) => Array.from({ length: 336 }, (_, at) => (at >= 16 && at < 36 ? value : 0))
  return {
    ...{ id: 'p', version: 3, name: 'P', first: '2026-11-30', weeks: 1, step: 1800, timezone: 'Europe/Warsaw' },
    ...{ state: 'draft', made_at: 0, made_by: 'u', queues: ['sales', 'claims'], starts: Array(336).fill('') },
    demand: {
      sales: { contacts: flat(10), low: flat(5), high: flat(15), handling: flat(200), required: flat(3) },
      claims: { contacts: flat(30), low: flat(20), high: flat(40), handling: flat(200), required: flat(5) },
    },
    staffed: { sales: flat(2), claims: flat(5) },
    expected: { sales: flat(0.5).map((one) => one || null), claims: flat(0.9).map((one) => one || null) },
    agents: ['ann', 'ben'].map((agent) => ({
      ...{ agent, name: agent, queues: ['sales'], hours: 40, available: [], wishes: [], absent: [] },
    })),
    kinds: [{ name: 'full', minutes: 510, starts: [480], breaks: [] }],
    duties: [duty('d1', 'ann', 480), duty('d2', 'ben', 600)],
    ...{ progress: null, problem: null, published_at: null, gap: null, cost: null, short_hours: null },
    ...{ targets: {}, patience: {}, notes: [], broken: [], costs: { total: 100 } },
    rules: { rest: 660, most_days: 6, tolerance: 2, weekly_rest: 2100, weekend_every: 0 },
    ...more,
  }
}

const tried = (more: Partial<Tried>): Tried => ({
  ...{ version: 3, duties: [], removed: [], staffed: {}, expected: {}, broken: [], anew: [], costs: { total: 90 } },
  before: { costs: { total: 100 }, short_hours: 4 },
  after: { costs: { total: 90 }, short_hours: 3 },
  ...more,
})

describe('times', () => {
  it('are read and said', () => {
    expect(clockOf(450)).toBe('07:30')
    expect(clockOf(1500)).toBe('01:00')
    expect(['7:30', '24:00', '7', '7:60', '25:00', 'x', ''].map(minuteOf)).toEqual([
      450,
      1440,
      420,
      null,
      null,
      null,
      null,
    ])
    expect(isoOf('2026-11-30', 6)).toBe('2026-12-06')
  })
  it('know the Mondays from this week on, on a Monday and on a Sunday', () => {
    expect(mondays(new Date(2026, 10, 30, 9).getTime(), 2)).toEqual(['2026-11-30', '2026-12-07'])
    expect(mondays(new Date(2026, 10, 29, 23).getTime(), 2)).toEqual(['2026-11-23', '2026-11-30'])
  })
  it('of a day are drawn from before its first shift to after its last', () => {
    expect(span(plan())).toEqual({ from: 420, to: 1200 })
    expect(span(plan({ duties: [duty('d', 'ann', 1200)] })).to).toBe(1800)
    expect(span(plan({ duties: [], demand: {} }))).toEqual({ from: 480, to: 1080 })
  })
})

describe('courses', () => {
  it('add contacts and agents up, and weigh service levels by contacts', () => {
    const both = courseOf(plan(), ['sales', 'claims'], run(15, 18))
    expect(both.contacts).toEqual([0, 40, 40])
    expect(both.required[1]).toBe(8)
    expect(both.staffed[1]).toBe(7)
    expect(both.level[0]).toBeNull()
    expect(both.level[1]).toBeCloseTo(0.8)
    expect(courseOf(plan(), ['sales'], [16]).level).toEqual([0.5])
    expect(overall(plan(), ['sales', 'claims'])).toBeCloseTo(0.8)
  })
})

describe('edits', () => {
  const move = (id: string, start: number, agent?: string): Change => ({
    ...{ what: 'move', duty: id, day: '2026-11-30', start },
    ...(agent && { agent }),
  })
  it('of the same shift become one, and none when it is where it was', () => {
    const of = plan()
    let all = joined([], move('d1', 510), of, of.duties)
    all = joined(all, move('d1', 540), of, of.duties)
    expect(all).toEqual([move('d1', 540)])
    expect(joined(all, move('d1', 480), of, of.duties)).toEqual([])
    all = joined([move('d1', 510, 'ben')], move('d1', 540), of, of.duties)
    expect(all).toEqual([move('d1', 540, 'ben')])
  })
  it('of a shift that is only wished for change the wish', () => {
    const of = plan({ duties: [] })
    const add: Change = { what: 'add', agent: 'ann', day: '2026-11-30', shift: 'full', start: 480 }
    const shown = locally(of, [add])
    expect(shown[0]).toMatchObject({ agent: 'ann', start: 480, end: 990 })
    const id = shown[0]!.id
    expect(joined([add], move(id, 510), of, shown)).toEqual([{ ...add, start: 510 }])
    expect(joined([add], { what: 'remove', duty: id }, of, shown)).toEqual([])
  })
  it('that remove a shift take its moves along', () => {
    const of = plan()
    expect(joined([move('d1', 510)], { what: 'remove', duty: 'd1' }, of, of.duties)).toEqual([
      { what: 'remove', duty: 'd1' },
    ])
  })
  it('are drawn at once, with their breaks, before the centre has answered', () => {
    const after = locally(plan(), [move('d1', 540, 'ben'), { what: 'remove', duty: 'd2' }])
    expect(after).toHaveLength(1)
    expect(after[0]).toMatchObject({ agent: 'ben', start: 540, end: 1050, breaks: [{ start: 780, end: 810 }] })
    const away = (name: string): Change => ({ what: 'activity', duty: 'd1', start: 540, end: 600, name })
    expect(locally(plan(), [away('coaching')])[0]!.activities).toEqual([{ start: 540, end: 600, what: 'coaching' }])
    expect(locally(plan(), [away('coaching'), away('')])[0]!.activities).toEqual([])
    const swapped = locally(plan(), [{ what: 'swap', duty: 'd1', with: 'd2' }])
    expect(swapped.map((one) => [one.id, one.agent])).toEqual([
      ['d1', 'ben'],
      ['d2', 'ann'],
    ])
  })
  it('are shown as the centre answered them, and taken back as things were', () => {
    const of = plan()
    const answer = tried({ duties: [duty('d1', 'ann', 540), duty('d9', 'ben', 300)], removed: ['d2'] })
    const shown = withTried(of, answer)
    expect(shown.duties.map((one) => [one.id, one.start])).toEqual([
      ['d1', 540],
      ['d9', 300],
    ])
    expect(shown.costs.total).toBe(90)
    const back = reversed(of, answer)
    expect(back).toEqual([
      { what: 'remove', duty: 'd9' },
      { what: 'put', duty: of.duties[0] },
      { what: 'put', duty: of.duties[1] },
    ])
    expect(locally(shown, back)).toEqual(of.duties)
  })
  it('name the rules that were kept before', () => {
    const old = { code: 'REST', agent: 'ann', day: '2026-11-30', text: 'x' }
    expect(anew([old], [old, { ...old, agent: 'ben' }])).toEqual([{ ...old, agent: 'ben' }])
  })
  it('by pointer keep to the steps and to the day', () => {
    const one = duty('d', 'ann', 480)
    expect(pulled(one, 44, 1, 30)).toBe(510)
    expect(pulled(one, 46, 1, 30)).toBe(540)
    expect(pulled(one, -2000, 1, 30)).toBe(0)
    expect(pulled(one, 9000, 1, 30)).toBe(1410)
  })
})

describe('a typed week', () => {
  const line = (from: string, to: string, perHour: string, days = [0, 1]) => ({ days, from, to, perHour })
  it('adds up, and finds times that meet or are none', () => {
    expect(weekly([line('8:00', '10:00', '20'), line('10', '10:30', '4,5', [6])])).toBeCloseTo(82.25)
    expect(wrongLines([line('8:00', '10:00', '20'), line('9:30', '11:00', '5', [1])])).toEqual([1])
    expect(wrongLines([line('8:00', '10:00', '20'), line('9:30', '11:00', '5', [2])])).toEqual([])
    expect(wrongLines([line('8:00', '8:00', '1'), line('x', '9', '1'), line('9', '10', '-1')])).toEqual([0, 1, 2])
  })
})

describe('forms', () => {
  it('read what they write', () => {
    expect(windowText(windowOf('8:00-24:00'))).toBe('8:00-24:00')
    expect([windowOf('8-7'), windowOf('8'), windowOf('8-9-10')]).toEqual([null, null, null])
    expect(datesOf('2026-12-25, 2026-12-24 2026-12-24')).toEqual(['2026-12-24', '2026-12-25'])
    expect(datesOf('2026-02-30')).toBeNull()
    expect(isDate('2028-02-29')).toBe(true)
    const away = '2026-12-24 2026-12-31 long holiday\n2026-11-30'
    expect(awayText(awayOf(away)!)).toBe(away)
    expect(awayOf('2026-12-24 2026-12-01')).toBeNull()
    expect(specialOf('2026-12-24 60 %\n\n2026-12-25 0%\n2025-12-24 christmas eve')).toEqual({
      '2026-12-24': 0.6,
      '2026-12-25': 0,
      '2025-12-24': 'christmas eve',
    })
    expect(specialOf('2026-12-24')).toBeNull()
    expect(specialOf('2026-12-24 many %')).toBeNull()
    expect(specialOf('2026-12-24 60 %\n2026-12-24 70 %')).toBeNull()
    const spent = '2026-12-01 10:00-11:30 team meeting\n2026-12-02 9:00-9:15 coaching'
    expect(activitiesText(activitiesOf(spent)!)).toBe(spent)
    expect(activitiesOf('2026-12-01 10:00-11:30')).toBeNull()
    expect(activitiesOf('2026-12-01 11:30-10:00 x')).toBeNull()
    const kind = {
      name: 'full',
      minutes: 510,
      starts: [360, 420],
      breaks: [{ minutes: 30, earliest: 210, latest: 300, paid: false }],
    }
    expect(kindOf(kindText(kind))).toEqual(kind)
    expect(kindOf({ ...kindText(kind), breaks: '30 5:00-3:00' })).toBeNull()
    expect(kindOf({ ...kindText(kind), starts: '' })).toBeNull()
  })
})
