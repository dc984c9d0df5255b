import { describe, expect, it } from 'vitest'
import type { AgentLive, ContactLive, Party } from '../live/types'
import { controls, conversation, standing } from './conversation'
import { words } from './words'

const agent = (state: string): AgentLive => ({
  id: 'alice',
  name: 'Alice',
  state,
  since: 1,
  intent: 'ready',
  reason: null,
  reachable: true,
  until: null,
  missed: 0,
  contact: 'c1',
  queues: ['sales'],
})
const party = (leg: string, who: string | null, role: string, state = 'talking'): Party => ({
  leg,
  agent: who,
  number: who ? null : '+48600',
  role,
  mode: null,
  state,
  muted: false,
})
const contact = (state: string, parties: Party[], owner: string | null = 'alice'): ContactLive => ({
  id: 'c1',
  medium: 'voice',
  direction: 'inbound',
  state,
  queue: 'sales',
  since: 1,
  dialled: null,
  number: '+48600100200',
  agent: owner,
  ringing: [],
  why: null,
  parties,
})
const me = party('c1.1', 'alice', 'agent')

describe('conversation', () => {
  it('names the phase of every state', () => {
    const phase = (one: string, state: string, parties: Party[], owner: string | null = 'alice') =>
      conversation(agent(one), contact(state, parties, owner)).phase
    expect(conversation(undefined, undefined).phase).toBe('none')
    expect(phase('offered', 'offered', [party('c1.1', 'alice', 'agent', 'ringing')], null)).toBe('ringing')
    expect(phase('on_contact', 'active', [me])).toBe('talk')
    expect(phase('held', 'held', [me])).toBe('hold')
    expect(phase('held', 'held', [me, party('c1.2', 'boris', 'consult')])).toBe('consult')
    expect(phase('on_contact', 'active', [me, party('c1.2', 'boris', 'member')])).toBe('conference')
    expect(phase('on_contact', 'active', [me, party('c1.2', 'chief', 'supervisor')])).toBe('talk')
    expect(
      phase('on_contact', 'active', [party('c1.1', 'boris', 'agent'), party('c1.2', 'alice', 'member')], 'boris'),
    ).toBe('joined')
    expect(phase('on_contact', 'offered', [me])).toBe('dialling')
    expect(phase('wrap_up', 'wrap_up', [])).toBe('wrap_up')
  })
  it('knows the lane of a consultation', () => {
    const parties = [me, party('c1.2', 'boris', 'consult')]
    expect(conversation(agent('held'), contact('held', parties)).lane).toBe('asked')
    expect(conversation(agent('on_contact'), contact('active', parties)).lane).toBe('customer')
  })
})

describe('controls', () => {
  const all = [
    conversation(agent('ready'), undefined),
    conversation(agent('offered'), contact('offered', [], null)),
    conversation(agent('on_contact'), contact('active', [me])),
    conversation(agent('held'), contact('held', [me])),
    conversation(agent('held'), contact('held', [me, party('c1.2', 'boris', 'consult', 'ringing')])),
    conversation(agent('held'), contact('held', [me, party('c1.2', 'boris', 'consult')])),
    conversation(agent('on_contact'), contact('active', [me, party('c1.2', 'boris', 'member')])),
    conversation(agent('on_contact'), contact('active', [party('c1.2', 'alice', 'member')], 'boris')),
    conversation(agent('wrap_up'), contact('wrap_up', [])),
  ]
  it('are the same seven in every state; what is off says why', () => {
    for (const one of all) {
      for (const browser of [true, false]) {
        const made = controls(one, browser)
        expect(Object.keys(made)).toEqual(['answer', 'hold', 'mute', 'transfer', 'join', 'digits', 'end'])
        for (const use of Object.values(made)) {
          expect(use.on).toBe(use.why === undefined)
          expect(words).toHaveProperty(use.does)
          if (use.why) expect(words).toHaveProperty(use.why)
        }
      }
    }
  })
  it('never offer to answer and to talk at once: no press of Answer ends anything', () => {
    for (const one of all) {
      const made = controls(one, true)
      expect(made.answer.on).toBe(one.phase === 'ringing')
    }
  })
  it('wait while the customer takes a step of their own, and while the agent is told who waits', () => {
    const step = { ...contact('flow', [me]), step: { flow: 'payment', place: 'Card' } }
    const away = conversation(agent('on_contact'), step)
    expect(away.phase).toBe('step')
    const made = controls(away, true)
    expect([made.hold, made.transfer, made.digits].map((one) => one.why)).toEqual(['inStep', 'inStep', 'inStep'])
    expect([made.end.on, made.mute.on]).toEqual([true, true])
    const told = controls(conversation(agent('offered'), { ...contact('offered', [], null), told: true }), true)
    expect([told.answer.on, told.answer.why, told.end.does]).toEqual([false, 'beingTold', 'decline'])
    for (const use of [...Object.values(made), ...Object.values(told)])
      if (use.why) expect(words).toHaveProperty(use.why)
  })
  it('are the same wish when pressed twice, and a new one once the first has done something', () => {
    const asked = (state: string) => contact(state, [me, party('c1.2', 'boris', 'consult')])
    const before = standing(agent('held'), asked('held'))
    expect(standing({ ...agent('held'), missed: 1 }, { ...asked('held'), why: 'x' })).toBe(before)
    expect(standing(agent('on_contact'), asked('active'))).not.toBe(before)
    const recording = (state: 'on' | 'paused') =>
      standing(agent('on_contact'), { ...asked('active'), recording: { state } as ContactLive['recording'] })
    expect(recording('on')).not.toBe(recording('paused'))
    expect(standing(undefined, undefined)).toBe(standing(undefined, undefined))
  })
  it('answer only with the phone of this page', () => {
    expect(controls(all[1]!, true).answer.on).toBe(true)
    expect(controls(all[1]!, false).answer.why).toBe('pickUp')
  })
})
