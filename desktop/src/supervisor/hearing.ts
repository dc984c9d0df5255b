/** Who hears whom in a contact, from the matrix that the mixer was told: never from the button that was pressed. */
import type { ContactLive, Party } from '../live/types'

export interface Voice {
  leg: string
  who: 'customer' | 'owner' | 'other' | 'me'
  /** The agent's id, or null for the customer and for people outside. */
  agent: string | null
  number: string | null
  party: Party | null
  /** Hears a sound (music, ringback) instead of people. */
  sound: string | null
}

export interface Hearing {
  voices: Voice[]
  /** Pairs "source leg, listening leg". */
  edges: [from: string, to: string][]
  me: Voice | null
  /** Legs. */
  youHear: string[]
  heardBy: string[]
}

export function hearing(contact: ContactLive, mine: string | null): Hearing {
  const parties = (contact.parties ?? []).filter((one) => one.state !== 'ringing')
  const hears = contact.hears ?? {}
  const soundOf = (leg: string): string | null =>
    Object.keys(hears[leg] ?? {})
      .find((one) => one.startsWith('sound:'))
      ?.slice('sound:'.length) ?? null
  const voices: Voice[] = [
    { leg: contact.id, who: 'customer', agent: null, number: contact.number, party: null, sound: soundOf(contact.id) },
  ]
  for (const party of parties) {
    voices.push({
      leg: party.leg,
      who: mine !== null && party.agent === mine ? 'me' : party.role === 'agent' ? 'owner' : 'other',
      agent: party.agent,
      number: party.number,
      party,
      sound: soundOf(party.leg),
    })
  }
  const known = new Set(voices.map((one) => one.leg))
  const edges: [string, string][] = []
  for (const [listener, sources] of Object.entries(hears)) {
    for (const [source, gain] of Object.entries(sources)) {
      if (gain > 0 && known.has(listener) && known.has(source)) edges.push([source, listener])
    }
  }
  const me = voices.find((one) => one.who === 'me') ?? null
  return {
    voices,
    edges,
    me,
    youHear: me ? edges.filter(([, to]) => to === me.leg).map(([from]) => from) : [],
    heardBy: me ? edges.filter(([from]) => from === me.leg).map(([, to]) => to) : [],
  }
}

export type Mode = 'listen' | 'whisper' | 'barge' | 'take_over'
export const MODES: readonly Mode[] = ['listen', 'whisper', 'barge', 'take_over']

/** The highest step that may be pressed now: one above where one stands, as the mixer's side tells it. */
export function reachable(mine: Party | null): number {
  if (!mine) return 0
  if (mine.state === 'ringing') return -1
  return MODES.indexOf((mine.mode ?? 'listen') as Mode) + 1
}
