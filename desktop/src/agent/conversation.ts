/** What an agent's contact is for that agent just now, of the live entities alone. */
import type { AgentLive, ContactLive, Party } from '../live/types'

export type Phase =
  | 'none'
  | 'ringing'
  | 'dialling'
  | 'talk'
  | 'hold'
  | 'consult'
  | 'conference'
  | 'joined'
  | 'step'
  | 'wrap_up'

export interface Conversation {
  phase: Phase
  contact: ContactLive | null
  /** The agent's own leg. */
  mine: Party | null
  /** Whether the contact is the agent's: others may hold, transfer and end for all only then. */
  owner: boolean
  /** Who is asked while the customer waits. */
  asked: Party | null
  /** Everybody else but the customer and supervisors who are only heard by their own leave. */
  others: Party[]
  supervisors: Party[]
  /** With whom the agent talks in a consultation. */
  lane: 'customer' | 'asked' | null
  muted: boolean
}

const NONE: Conversation = {
  phase: 'none',
  contact: null,
  mine: null,
  owner: false,
  asked: null,
  others: [],
  supervisors: [],
  lane: null,
  muted: false,
}

export function conversation(agent: AgentLive | undefined, contact: ContactLive | undefined): Conversation {
  if (!agent || !contact) return NONE
  const parties = contact.parties ?? []
  const mine = parties.find((one) => one.agent === agent.id) ?? null
  const owner = contact.agent === agent.id
  const others = parties.filter((one) => one.agent !== agent.id && one.role !== 'supervisor')
  const supervisors = parties.filter((one) => one.agent !== agent.id && one.role === 'supervisor')
  const asked = others.find((one) => one.role === 'consult') ?? null
  const found = { ...NONE, contact, mine, owner, asked, others, supervisors, muted: mine?.muted ?? false }
  if (agent.state === 'wrap_up' || contact.state === 'wrap_up') return { ...found, phase: 'wrap_up' }
  if (agent.state === 'offered') return { ...found, phase: 'ringing' }
  if (agent.state !== 'on_contact' && agent.state !== 'held') return { ...found, phase: 'none' }
  if (!owner && mine && mine.role !== 'agent') return { ...found, phase: 'joined' }
  if (contact.step) return { ...found, phase: 'step' }
  if (asked) return { ...found, phase: 'consult', lane: contact.state === 'active' ? 'customer' : 'asked' }
  if (contact.state === 'held') return { ...found, phase: 'hold' }
  if (others.some((one) => one.role === 'member')) return { ...found, phase: 'conference' }
  if (contact.state === 'offered' || contact.state === 'new') return { ...found, phase: 'dialling' }
  return { ...found, phase: 'talk' }
}

/** What the buttons stand for just now: as long as it is the same, a second press of one of them is the same wish. */
export function standing(agent: AgentLive | undefined, contact: ContactLive | undefined): string {
  const { phase, lane, muted } = conversation(agent, contact)
  return [
    agent?.state,
    agent?.intent,
    agent?.reason,
    agent?.next,
    contact?.id,
    phase,
    lane,
    muted,
    contact?.recording?.state,
    contact?.step?.flow,
  ].join('|')
}

export type Control = 'answer' | 'hold' | 'mute' | 'transfer' | 'join' | 'digits' | 'end'

export interface Use {
  /** What pressing it does now. */
  does: string
  on: boolean
  /** A key of the catalogue: why not, where it is off. */
  why?:
    | 'nothingRings'
    | 'pickUp'
    | 'noCall'
    | 'notYours'
    | 'notAnswered'
    | 'asking'
    | 'onlyConsult'
    | 'nobodyHears'
    | 'declineThere'
    | 'stillRings'
    | 'inStep'
    | 'beingTold'
}

/** What each control of the call bar does in a phase. They keep their places; only this changes. */
export function controls(one: Conversation, browserPhone: boolean): Record<Control, Use> {
  const off = (does: string, why: Use['why']): Use => ({ does, on: false, why })
  const on = (does: string): Use => ({ does, on: true })
  const made: Record<Control, Use> = {
    answer: off('answer', 'nothingRings'),
    hold: off('hold', 'noCall'),
    mute: off('mute', 'noCall'),
    transfer: off('transfer', 'noCall'),
    join: off('join', 'noCall'),
    digits: off('digits', 'noCall'),
    end: off('end', 'noCall'),
  }
  switch (one.phase) {
    case 'ringing':
      made.answer = one.contact?.told
        ? off('answer', 'beingTold')
        : browserPhone
          ? on('answer')
          : off('answer', 'pickUp')
      made.end = on('decline')
      break
    case 'dialling':
      made.mute = on('mute')
      made.end = on('end')
      for (const name of ['hold', 'transfer', 'join', 'digits'] as const) made[name] = off(name, 'notAnswered')
      break
    case 'talk':
    case 'hold':
      made.hold = one.owner ? on(one.phase === 'hold' ? 'resume' : 'hold') : off('hold', 'notYours')
      made.mute = on('mute')
      made.transfer = one.owner ? on('transfer') : off('transfer', 'notYours')
      made.join = off('join', 'onlyConsult')
      made.digits = one.phase === 'hold' ? off('digits', 'nobodyHears') : on('digits')
      made.end = on('end')
      break
    case 'step':
      made.mute = on('mute')
      made.end = on('end')
      for (const name of ['hold', 'transfer', 'join', 'digits'] as const) made[name] = off(name, 'inStep')
      break
    case 'consult': {
      const there = one.asked?.state !== 'ringing'
      made.hold = there ? on('swap') : on('resume')
      made.mute = on('mute')
      made.transfer = there ? on('complete') : off('complete', 'stillRings')
      made.join = there ? on('join') : off('join', 'stillRings')
      made.digits = on('digits')
      made.end = on('drop')
      break
    }
    case 'conference':
      made.hold = one.owner ? on('hold') : off('hold', 'notYours')
      made.mute = on('mute')
      made.transfer = one.owner ? on('invite') : off('invite', 'notYours')
      made.join = on('leave')
      made.digits = on('digits')
      made.end = one.owner ? on('endAll') : off('endAll', 'notYours')
      break
    case 'joined':
      made.mute = on('mute')
      made.join = on('leave')
      made.end = on('endMine')
      for (const name of ['hold', 'transfer'] as const) made[name] = off(name, 'notYours')
      break
    default:
      break
  }
  return made
}
