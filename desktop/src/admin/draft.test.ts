/** The draft: what is a change, what belongs together, and how the file's ways of writing are read. */
import { describe, expect, it } from 'vitest'
import {
  applied,
  duration,
  type Edits,
  idFrom,
  keyOf,
  labelOf,
  seconds,
  serving,
  withEdit,
  withoutThing,
} from './draft'
import { count } from './store'
import { hoursOf, hoursWrong, weekOf } from './week'

const saved = {
  agents: { alice: { name: 'Alice', skills: { sales: 9 } }, boris: {} },
  queues: { sales: { agents: ['alice', 'boris'], ring_timeout: '15s', record: true } },
  teams: { one: { agents: ['boris'], leader: 'boris' } },
  numbers: { '201': { queue: 'sales' } },
}
const ring = ['queues', 'sales', 'ring_timeout']

describe('edits', () => {
  it('are none where the saved value comes back', () => {
    const edits = withEdit(saved, {}, ring, '20s')
    expect(count(edits)).toBe(1)
    expect(withEdit(saved, edits, ring, '15s')).toEqual({})
    expect(withEdit(saved, {}, ['queues', 'sales', 'max_wait'], null)).toEqual({})
  })
  it('of a secret are always edits, as what is saved is hidden', () => {
    const hidden = { agents: { alice: { sip_password: '***' } } }
    expect(Object.keys(withEdit(hidden, {}, ['agents', 'alice', 'sip_password'], 'new one'))).toHaveLength(1)
  })
  it('count a new thing with its keys as one, and make it before its keys', () => {
    let edits: Edits = withEdit(saved, {}, ['queues', 'new', 'wrap_up'], '5s')
    edits = withEdit(
      saved,
      { ...edits, [keyOf(['queues', 'new'])]: { path: ['queues', 'new'], value: {} } },
      ring,
      '9s',
    )
    expect(count(edits)).toBe(2)
    expect(applied(saved, edits)).toMatchObject({ queues: { new: { wrap_up: '5s' }, sales: { ring_timeout: '9s' } } })
    expect(saved.queues).not.toHaveProperty('new')
  })
  it('of a thing that goes take it out of the lists that name it', () => {
    const edits = withoutThing(saved, 'agents', 'boris').reduce<Edits>(
      (all, one) => withEdit(saved, all, one.path, one.value),
      {},
    )
    const after = applied(saved, edits)
    expect(after).toMatchObject({ queues: { sales: { agents: ['alice'] } }, teams: { one: { agents: [] } } })
    expect(after.agents).not.toHaveProperty('boris')
    expect((after.teams as { one: object }).one).not.toHaveProperty('leader')
  })
})

describe('words of the file', () => {
  it.each([
    ['15s', 15],
    ['1h30m', 5400],
    ['500ms', 0.5],
    ['90', 90],
    ['2.5', 2.5],
    ['soon', null],
    ['', null],
    ['15 s', null],
  ])('%s is %s seconds', (text, value) => expect(seconds(text)).toBe(value))
  it('durations come back as they are', () => {
    for (const value of [0, 5, 60, 90, 3600, 5400, 0.5]) expect(seconds(duration(value))).toBe(value)
  })
  it('hours are seven texts, and the shortest mapping again', () => {
    const file = { 'mon-fri': '9:00-17:00', sat: ['10:00-12:00', '13:00-14:00'] }
    expect(hoursOf(weekOf(file))).toEqual(file)
    expect(weekOf({ 'sat-mon': '8-12' }).map(Boolean)).toEqual([true, false, false, false, false, true, true])
    expect(hoursWrong('9:00-17:00, 18-20')).toBe(false)
    for (const bad of ['9-', '17:00-9:00', '9:00-25:00', 'always', '9:70-10:00']) expect(hoursWrong(bad)).toBe(true)
  })
  it('labels are read in every way of writing', () => {
    expect(labelOf('Lunch').pl).toBe('Lunch')
    expect(labelOf({ pl: 'Obiad' })).toEqual({ pl: 'Obiad' })
    expect(labelOf({ label: { ru: 'Обед' }, limit: '30m' })).toEqual({ ru: 'Обед' })
  })
  it('ids come from names in any script', () => {
    expect(idFrom('Łączność, noc', [])).toBe('lacznosc-noc')
    expect(idFrom('Ольга Щукина', [])).toBe('olga-shchukina')
    expect(idFrom('Sales', ['sales'])).toBe('sales-2')
    expect(idFrom('…', [])).toBe('new')
  })
  it('who serves a queue is as the centre reckons it', () => {
    expect(serving(saved, { needs: { sales: 5 } })).toEqual(['alice'])
    expect(serving(saved, { agents: ['boris'], needs: { sales: 5 } })).toEqual([])
    expect(serving(saved, {})).toEqual(['alice', 'boris'])
  })
})
