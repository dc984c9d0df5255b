/** Keys of the settings that are mappings themselves: what stands in each, as docs/reference/centre-yaml.md tells it. */

import type { Language } from '../i18n'
import { fieldSay, wrong } from './fields'

export interface Part {
  key: string
  kind:
    | 'duration'
    | 'integer'
    | 'percent'
    | 'text'
    | 'choice'
    | 'secret'
    | 'yes'
    | 'levels'
    | 'countries'
    | 'sounds'
    | 'parts'
  /** What holds where it is left out. */
  usual?: string
  low?: number
  high?: number
  needed?: true
  choices?: readonly string[]
  parts?: Part[]
}

const DAY = 86400

export const PARTS: Record<string, Part[]> = {
  announce: [
    { key: 'first', kind: 'duration', usual: '20s' },
    { key: 'every', kind: 'duration', usual: '45s', low: 5 },
    { key: 'position', kind: 'yes' },
    { key: 'wait', kind: 'yes' },
    { key: 'learned', kind: 'yes' },
    { key: 'messages', kind: 'sounds' },
  ],
  callbacks: [
    { key: 'attempts', kind: 'integer', usual: '3', low: 1, high: 20 },
    { key: 'retry', kind: 'duration', usual: '5m', low: 10, high: DAY },
    { key: 'expires', kind: 'duration', usual: '4h', low: 60, high: 30 * DAY },
    { key: 'ring', kind: 'duration', usual: '30s', low: 5, high: 120 },
    {
      key: 'slots',
      kind: 'parts',
      parts: [
        { key: 'share', kind: 'percent', usual: '50' },
        { key: 'days', kind: 'integer', usual: '5', low: 1, high: 31 },
      ],
    },
  ],
  balance: [
    { key: 'give', kind: 'yes' },
    { key: 'take', kind: 'yes' },
    { key: 'reserve', kind: 'integer', usual: '0', low: 0, high: 100_000 },
    { key: 'most', kind: 'integer', low: 0, high: 100_000 },
    { key: 'helpers', kind: 'levels' },
  ],
  last_agent: [
    { key: 'within', kind: 'duration', usual: '168h', low: 60 },
    { key: 'wait', kind: 'duration', usual: '30s', high: 3600 },
    { key: 'preferred', kind: 'yes' },
  ],
  follow_up: [
    { key: 'after', kind: 'duration', usual: '10m', high: 7 * DAY },
    { key: 'attempts', kind: 'integer', usual: '1', low: 1, high: 20 },
    { key: 'priority', kind: 'integer', usual: '0', low: -1000, high: 1000 },
    { key: 'grace', kind: 'duration', usual: '1m', high: DAY },
  ],
  balancing: [
    { key: 'on', kind: 'yes' },
    { key: 'every', kind: 'duration', usual: '20s', low: 5, high: 600 },
    { key: 'moves_per_hour', kind: 'integer', usual: '6', low: 0, high: 60 },
    { key: 'margin', kind: 'percent', usual: '2' },
  ],
  parking: [
    { key: 'slots', kind: 'text', usual: '701-720', needed: true },
    { key: 'number', kind: 'text', usual: '700' },
    { key: 'timeout', kind: 'duration', usual: '2m', low: 10, high: 3600 },
  ],
  callback_rules: [{ key: 'countries', kind: 'countries' }],
  mail: [
    { key: 'host', kind: 'text', usual: 'mail.example.com', needed: true },
    { key: 'from', kind: 'text', usual: 'centre@example.com', needed: true },
    { key: 'security', kind: 'choice', usual: 'starttls', choices: ['starttls', 'tls', 'none'] },
    { key: 'port', kind: 'integer', low: 1, high: 65535 },
    { key: 'user', kind: 'text' },
    { key: 'password', kind: 'secret' },
  ],
}

/** Of a stage of a queue, and of an expert: these stand in lists. */
export const STAGE = ['after', 'length', 'below', 'needs', 'queues', 'calendar']
export const EXPERT = ['name', 'number', 'phone', 'tier', 'skills', 'calendar', 'authority']

/** Its name in `PARTS`, and before the dot in the words: a queue's `callbacks` aren't those of the house. */
export const mappingOf = (table: string, key: string): string =>
  table === 'tenant' && key === 'callbacks' ? 'callback_rules' : key

/** Whether it is there always, with nothing but what is usual. */
export const isAlways = (key: string): boolean => key === 'callbacks'

/** What is wrong with what was typed, told without asking the centre. */
export function wrongPart(language: Language, part: Part, value: unknown): string | null {
  if (part.kind !== 'duration' && part.kind !== 'integer') return null
  const found = wrong({ key: part.key, kind: part.kind, low: part.low, high: part.high }, value)
  return found && fieldSay(language, found.key, found.values)
}
