import { describe, expect, it } from 'vitest'
import type { AgentLive, ContactLive, QueueLive } from '../live/types'
import { estimate, farClock, firstPage, layoutOf, moved, ordered, pagesOf, propose } from './figures'
import { hearing, reachable } from './hearing'

const figures = {
  offered: 0,
  served: 0,
  in_time: 0,
  abandoned: 0,
  early: 0,
  service_level: null,
  aht: 120,
}

const queue = (id: string, more: Partial<QueueLive> = {}): QueueLive => ({
  id,
  name: id,
  client: null,
  target: [0.8, 20],
  waiting: 0,
  waiting_since: null,
  talking: 0,
  free: 0,
  staffed: 0,
  today: figures,
  now: figures,
  bar: { free: 0, talk: 4, wrap_up: 0, away: 0 },
  ...more,
})

const agent = (id: string, state: string, queues: string[]): AgentLive => ({
  id,
  name: id,
  state,
  since: 0,
  intent: state === 'ready' ? 'ready' : 'not_ready',
  reason: null,
  reachable: true,
  until: null,
  missed: 0,
  contact: null,
  queues,
})

const caller = (id: string, since: number, state = 'queued'): ContactLive => ({
  id,
  medium: 'voice',
  direction: 'inbound',
  state,
  queue: 'claims',
  since,
  dialled: null,
  number: '+48600100200',
  agent: null,
  ringing: [],
  why: null,
})

describe('estimate', () => {
  it('is the time of the k-th release of n agents', () => {
    // Three wait: whoever calls now goes after the fourth release; four agents of 120 s release one each 30 s.
    expect(estimate(queue('a', { waiting: 3 }))).toEqual({ mean: 120, error: 60 })
  })
  it('is nothing while somebody is free, and unknown where nobody works', () => {
    expect(estimate(queue('a', { bar: { free: 1, talk: 0, wrap_up: 0, away: 0 } }))).toEqual({ mean: 0, error: 0 })
    expect(estimate(queue('a', { bar: { free: 0, talk: 0, wrap_up: 0, away: 9 } }))).toBeNull()
  })
})

describe('propose', () => {
  const waiting = [caller('c1', 10), caller('c2', 20), caller('c3', 30)]
  it('moves who wait longest to where agents are free who can’t take them here', () => {
    const found = propose(queue('claims', { waiting: 3 }), {
      queues: [queue('claims', { waiting: 3 }), queue('sales'), queue('other', { client: 'bank' })],
      agents: [agent('a', 'ready', ['sales']), agent('b', 'ready', ['sales']), agent('c', 'ready', ['claims'])],
      waiting,
    })
    expect(found).toMatchObject({ kind: 'move', to: 'sales', contacts: ['c1', 'c2'], free: 2, next: 30, left: 1 })
  })
  it('never moves to another client’s queue, nor to one where somebody waits', () => {
    const found = propose(queue('claims', { waiting: 3 }), {
      queues: [queue('bank', { client: 'bank' }), queue('full', { waiting: 1 })],
      agents: [agent('a', 'ready', ['bank', 'full'])],
      waiting,
    })
    expect(found).toBeNull()
  })
  it('leaves alone whoever rings somewhere already', () => {
    const found = propose(queue('claims', { waiting: 1 }), {
      queues: [queue('sales')],
      agents: [agent('a', 'ready', ['sales'])],
      waiting: [caller('c1', 10, 'offered')],
    })
    expect(found).toBeNull()
  })
  it('asks who pauses, and reckons what that brings', () => {
    const found = propose(queue('claims', { waiting: 3 }), {
      queues: [],
      agents: [agent('a', 'not_ready', ['claims']), agent('b', 'not_ready', ['sales'])],
      waiting,
    })
    expect(found).toEqual({ kind: 'ask', queue: 'claims', agents: ['a'], before: 120, after: 72 })
  })
})

describe('the wall', () => {
  it('turns to the page with an alarm first, not for a warning', () => {
    const pages = pagesOf(['a', 'b', 'c', 'd', 'e'], 2)
    expect(pages).toEqual([['a', 'b'], ['c', 'd'], ['e']])
    expect(firstPage(pages, (id) => (id === 'd' ? 'alarm' : 'normal'))).toBe(1)
    expect(firstPage(pages, (id) => (id === 'e' ? 'warn' : 'normal'))).toBe(0)
  })
  it('never writes smaller than five metres allow', () => {
    for (let count = 0; count < 30; count++) {
      const { columns, rows, scale } = layoutOf(count)
      expect(columns * rows).toBeGreaterThanOrEqual(Math.min(count, 12))
      expect(scale).toBeGreaterThanOrEqual(1)
    }
  })
  it('tells waits in four characters at most', () => {
    expect([0, 59, 599, 600, 3599, 3661, -5].map(farClock)).toEqual([
      '0:00',
      '0:59',
      '9:59',
      '10′',
      '59′',
      '1h01',
      '0:00',
    ])
  })
})

describe('the order', () => {
  it('is the user’s; new queues come behind, by name', () => {
    expect(ordered(['a', 'b', 'c', 'd'], ['c', 'a'], (id) => id)).toEqual(['c', 'a', 'b', 'd'])
    expect(moved(['a', 'b', 'c'], 'a', 1)).toEqual(['b', 'a', 'c'])
    expect(moved(['a', 'b', 'c'], 'a', -1)).toEqual(['a', 'b', 'c'])
  })
})

describe('who hears whom', () => {
  const party = (leg: string, who: string, role: string, mode: 'listen' | 'whisper' | null = null) => ({
    leg,
    agent: who,
    number: null,
    role,
    mode,
    state: 'talking',
    muted: false,
  })
  const contact: ContactLive = {
    ...caller('c', 1, 'active'),
    parties: [party('c.1', 'alice', 'agent'), party('c.2', 'maria', 'supervisor', 'whisper')],
    hears: { c: { 'c.1': 1 }, 'c.1': { c: 1, 'c.2': 1 }, 'c.2': { c: 1, 'c.1': 1 } },
  }
  it('follows the matrix, whatever the mode says', () => {
    const found = hearing(contact, 'maria')
    expect(found.youHear).toEqual(['c', 'c.1'])
    expect(found.heardBy).toEqual(['c.1'])
    const silent = hearing({ ...contact, hears: { ...contact.hears, 'c.1': { c: 1, 'c.2': 0 } } }, 'maria')
    expect(silent.heardBy).toEqual([])
  })
  it('knows music from people, and who is not in', () => {
    const held = hearing({ ...contact, hears: { c: { 'sound:default': 1 }, 'c.1': {} } }, null)
    expect(held.voices[0]!.sound).toBe('default')
    expect(held.edges).toEqual([])
    expect(held.me).toBeNull()
  })
  it('goes up one step at a time', () => {
    expect(reachable(null)).toBe(0)
    expect(reachable(contact.parties![1]!)).toBe(2)
    expect(reachable({ ...contact.parties![1]!, state: 'ringing' })).toBe(-1)
  })
})
