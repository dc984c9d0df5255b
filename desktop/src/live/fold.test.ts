import { describe, expect, it } from 'vitest'
import { fold, LostPlace, nothing } from './fold'
import { LiveStore } from './store'
import type { LiveMessage, Shown } from './types'

const snapshot = (place: string, entities: Shown[]): LiveMessage => ({
  kind: 'snapshot',
  place,
  seq: 1,
  at: 1,
  entities,
})
const changes = (after: string, place: string, all: Shown[]): LiveMessage => ({
  kind: 'changes',
  after,
  place,
  seq: 2,
  at: 2,
  changes: all,
})
const agent = (id: string, value: unknown): Shown => ({ what: 'agent', id, value })

describe('fold', () => {
  it('takes a snapshot, then changes that follow on it', () => {
    const view = nothing()
    fold(view, snapshot('a.1', [agent('x', { n: 1 }), agent('y', { n: 1 })]))
    expect(fold(view, changes('a.1', 'a.2', [agent('x', { n: 2 }), agent('y', null)]))).toEqual([
      ['agent', 'x', false],
      ['agent', 'y', true],
    ])
    expect(view.place).toBe('a.2')
    expect([...view.kinds.get('agent')!]).toEqual([['x', { n: 2 }]])
  })
  it('refuses what does not follow on its place, and changes nothing', () => {
    const view = nothing()
    expect(() => fold(view, changes('', 'a.2', []))).toThrow(LostPlace)
    fold(view, snapshot('a.1', [agent('x', 1)]))
    expect(() => fold(view, changes('a.3', 'a.4', [agent('x', 2)]))).toThrow(LostPlace)
    expect(view.kinds.get('agent')!.get('x')).toBe(1)
    expect(() => fold(view, { kind: 'lost', code: 'LIVE-LOST' })).toThrow(LostPlace)
  })
  it('tells of what a new snapshot no longer has', () => {
    const view = nothing()
    fold(view, snapshot('a.1', [agent('x', 1)]))
    expect(fold(view, snapshot('b.1', [agent('y', 1)]))).toEqual([
      ['agent', 'x', true],
      ['agent', 'y', true],
    ])
  })
  it('ends where a snapshot would be, whatever the order of changes', () => {
    // A pseudo-random walk against a plain map, which is what the centre holds.
    const view = nothing()
    const truth = new Map<string, number>()
    fold(view, snapshot('p.0', []))
    let seed = 7
    const random = (n: number) => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31
      return seed % n
    }
    for (let step = 0; step < 500; step++) {
      const id = `a${random(20)}`
      const value = random(3) ? step : null
      if (value === null) truth.delete(id)
      else truth.set(id, value)
      fold(view, changes(`p.${step}`, `p.${step + 1}`, [agent(id, value)]))
    }
    expect(new Map([...view.kinds.get('agent')!].sort())).toEqual(new Map([...truth].sort()))
  })
})

const frame = () => new Promise((go) => setTimeout(go, 60))

describe('store', () => {
  it('tells each listener once for all that came within a frame, and only whom it concerns', async () => {
    const store = new LiveStore()
    const told = { x: 0, y: 0, ids: 0 }
    store.take(snapshot('a.1', [agent('x', { n: 1 }), agent('y', { n: 1 })]))
    await frame()
    store.subscribe('key', 'agent/x', () => told.x++)
    store.subscribe('key', 'agent/y', () => told.y++)
    const off = store.subscribe('ids', 'agent', () => told.ids++)
    for (let n = 0; n < 50; n++) store.take(changes(`a.${n + 1}`, `a.${n + 2}`, [agent('x', { n })]))
    await frame()
    expect(told).toEqual({ x: 1, y: 0, ids: 0 })
    expect(store.get('agent', 'x')).toEqual({ n: 49 })
    // One for another in one message: the number of ids stays, the ids don't.
    store.take(changes('a.51', 'a.52', [agent('y', null), agent('z', { n: 1 })]))
    await frame()
    expect(told).toEqual({ x: 1, y: 1, ids: 1 })
    expect(store.idsOf('agent')).toEqual(['x', 'z'])
    expect(store.idsOf('agent')).toBe(store.idsOf('agent'))
    off()
    store.clear()
    await frame()
    expect(told).toEqual({ x: 2, y: 1, ids: 1 })
    expect(store.idsOf('agent')).toEqual([])
  })
})
