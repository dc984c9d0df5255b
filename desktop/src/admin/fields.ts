/** The keys of things: their kind, order and limits, as docs/reference/centre-yaml.md tells them. */
import { type Language, say } from '../i18n'
import { seconds, type Table } from './draft'
import { fieldWords } from './fieldWords'
import { routingWords } from './routingWords'

export type Kind =
  | 'text'
  | 'duration'
  | 'integer'
  | 'flag'
  | 'choice'
  | 'serviceLevel'
  | 'sip'
  | 'address'
  | 'network'
  | 'agents'
  | 'serves'
  | 'agent'
  | 'client'
  | 'levels'
  | 'sound'
  | 'destination'
  | 'hours'
  | 'dates'
  | 'results'
  | 'thresholds'
  | 'keys'
  | 'mapping'
  | 'stages'
  | 'flow'
  | 'flows'
  | 'queues'
  | 'secret'
  | 'register'
  | 'zone'
  | 'country'
  | 'numbers'
  | 'memberships'
  | 'ofClient'

export interface Field {
  key: string
  kind: Kind
  low?: number
  high?: number
  choices?: readonly string[]
  unit?: 's'
  /** Stands in the file under this name; kinds that only show other keys have none. */
  virtual?: true
}

export interface Group {
  title: string
  fields: Field[]
}

const f = (key: string, kind: Kind, more: Partial<Field> = {}): Field => ({ key, kind, ...more })

export const FORMS: Record<'queues' | 'agents' | 'teams' | 'clients' | 'trunks' | 'calendars' | 'tenant', Group[]> = {
  queues: [
    {
      title: 'group.what',
      fields: [f('name', 'text'), f('numbers', 'numbers', { virtual: true }), f('client', 'client')],
    },
    {
      title: 'group.who',
      fields: [
        f('agents', 'serves'),
        f('needs', 'levels'),
        f('strategy', 'choice', {
          choices: ['longest_idle', 'most_skilled', 'round_robin', 'fewest_calls', 'ring_all'],
        }),
        f('widen', 'stages'),
      ],
    },
    {
      title: 'group.times',
      fields: [
        f('ring_timeout', 'duration', { low: 1, high: 3600 }),
        f('wrap_up', 'duration'),
        f('max_wait', 'duration', { low: 0.001 }),
        f('max_length', 'integer', { low: 0, high: 1_000_000 }),
      ],
    },
    {
      title: 'group.caller',
      fields: [
        f('music', 'sound'),
        f('announce', 'mapping'),
        f('when_no_agents', 'destination'),
        f('when_full', 'destination'),
        f('after_max_wait', 'destination'),
        f('keys', 'keys'),
      ],
    },
    {
      title: 'group.known',
      fields: [
        f('last_agent', 'mapping'),
        f('when_slow', 'destination'),
        f('slow_below', 'integer', { low: 0, high: 100 }),
        f('tier', 'integer', { low: 1, high: 9 }),
        f('escalate', 'destination'),
      ],
    },
    { title: 'group.balance', fields: [f('balance', 'mapping')] },
    { title: 'group.owed', fields: [f('callbacks', 'mapping'), f('follow_up', 'mapping')] },
    {
      title: 'group.open',
      fields: [f('hours', 'hours'), f('holidays', 'dates'), f('when_closed', 'destination')],
    },
    {
      title: 'group.talk',
      fields: [
        f('brief', 'flag'),
        f('record', 'flag'),
        f('record_on_demand', 'flag'),
        f('longest_pause', 'duration', { low: 1, high: 3600 }),
        f('auto_answer', 'duration', { low: 1, high: 10 }),
        f('interludes', 'flows'),
      ],
    },
    { title: 'group.after', fields: [f('survey', 'flow'), f('dispositions', 'results')] },
    { title: 'group.alarms', fields: [f('service_level', 'serviceLevel'), f('thresholds', 'thresholds')] },
    {
      title: 'group.fine',
      fields: [
        f('priority', 'integer', { low: -1000, high: 1000 }),
        f('ageing', 'duration', { low: 0.001 }),
        f('short_abandon', 'duration'),
        f('reject_delay', 'duration'),
        f('retry_delay', 'duration'),
        f('missed_limit', 'integer', { low: 1, high: 1000 }),
      ],
    },
  ],
  agents: [
    {
      title: 'group.what',
      fields: [
        f('name', 'text'),
        f('skills', 'levels'),
        f('queues', 'memberships', { virtual: true }),
        f('helps', 'queues'),
      ],
    },
    {
      title: 'group.phone',
      fields: [
        f('sip_password', 'secret'),
        f('phone', 'sip'),
        f('ready_on_register', 'flag'),
        f('always_ready', 'flag'),
      ],
    },
  ],
  teams: [{ title: 'group.what', fields: [f('name', 'text'), f('agents', 'agents'), f('leader', 'agent')] }],
  clients: [{ title: 'group.what', fields: [f('name', 'text'), f('queues', 'ofClient', { virtual: true })] }],
  trunks: [
    {
      title: 'group.place',
      fields: [
        f('address', 'address'),
        f('network', 'network'),
        f('transport', 'choice', { choices: ['udp', 'tcp', 'tls'] }),
      ],
    },
    { title: 'group.account', fields: [f('register', 'register')] },
    {
      title: 'group.calls',
      fields: [
        f('outbound', 'flag'),
        f('caller_id', 'text'),
        f('max_calls', 'integer', { low: 1, high: 100_000 }),
        f('options_interval', 'duration', { low: 1 }),
      ],
    },
  ],
  calendars: [{ title: 'group.open', fields: [f('hours', 'hours'), f('holidays', 'dates'), f('timezone', 'zone')] }],
  tenant: [
    {
      title: 'group.what',
      fields: [
        f('name', 'text'),
        f('timezone', 'zone'),
        f('country', 'country'),
        f('locale', 'text'),
        f('domain', 'text'),
      ],
    },
    { title: 'group.balance', fields: [f('balancing', 'mapping')] },
    {
      title: 'group.services',
      fields: [f('parking', 'mapping'), f('callbacks', 'mapping'), f('mail', 'mapping')],
    },
  ],
}

export type FormName = keyof typeof FORMS

export const fieldOf = (table: Table | 'tenant', key: string): Field | undefined =>
  table in FORMS
    ? FORMS[table as FormName].flatMap((group) => group.fields).find((one) => one.key === key && !one.virtual)
    : undefined

export function fieldSay(
  language: Language,
  key: string,
  values: Record<string, string | number | null> = {},
  spare = '',
): string {
  const found = fieldWords[key] ?? routingWords[key]
  return found ? say(found, values, language) : spare
}

export interface Wrong {
  key: string
  values?: Record<string, string | number>
}

export const ID = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/

/** What can be told here, in the reader's language, without asking the centre; null where nothing is wrong. */
export function wrong(field: Field, value: unknown): Wrong | null {
  if (value === null || value === undefined || value === '') return null
  const text = String(value)
  switch (field.kind) {
    case 'duration': {
      const found = seconds(text)
      if (found === null) return { key: 'wrong.duration' }
      if (found < (field.low ?? 0) || found > (field.high ?? 366 * 86400)) {
        return {
          key: 'wrong.range',
          values: { low: `${field.low ?? 0} s`, high: field.high ? `${field.high} s` : '366 d' },
        }
      }
      return null
    }
    case 'integer': {
      const n = Number(text)
      const good = /^[+-]?\d{1,9}$/.test(text.trim()) && n >= (field.low ?? 0) && n <= (field.high ?? 1e9)
      return good ? null : { key: 'wrong.integer', values: { low: field.low ?? 0, high: field.high ?? 1e9 } }
    }
    case 'serviceLevel': {
      const found = /^\s*(\d{1,3}(?:\.\d+)?)\s*\/\s*(\S+)\s*$/.exec(text)
      const within = found ? seconds(found[2]!) : null
      return found && Number(found[1]) > 0 && Number(found[1]) <= 100 && within ? null : { key: 'wrong.service_level' }
    }
    case 'sip':
      return /^sips?:[^\s<>"]+$/.test(text) ? null : { key: 'wrong.sip' }
    case 'address':
      return /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/.test(text) ? null : { key: 'wrong.address' }
    case 'network':
      return /^[0-9A-Fa-f:.]+\/\d{1,3}$|^[0-9A-Fa-f:.]+$/.test(text) ? null : { key: 'wrong.network' }
    case 'country':
      return /^[A-Za-z]{2}$/.test(text) ? null : { key: 'wrong.country' }
    default:
      return null
  }
}
