/** A flow as JSON (format 1; docs/reference/flows.md), and what the editor knows of each node type. */

export type Texts = string | Record<string, string>

/** A piece of a prompt; a bare string is text for every language. */
export type Part =
  | string
  | { text: Texts }
  | { sound: Texts }
  | { number: string }
  | { money: string; currency?: string }
  | { date: string }
  | { time: string }
  | { digits: string }
  | { pause: number }

export const PART_KINDS = ['text', 'sound', 'number', 'money', 'date', 'time', 'digits', 'pause'] as const
export type PartKind = (typeof PART_KINDS)[number]

export interface FlowNode {
  type: string
  title?: string
  /** Where the editor draws it. */
  at?: [number, number]
  /** Exit → id of a node; an empty id is an exit that was asked for and leads nowhere yet. */
  exits?: Record<string, string>
  [field: string]: unknown
}

export interface Graph {
  format: 1
  start: string
  language?: string
  voice?: string
  nodes: Record<string, FlowNode>
}

export interface Case {
  if: string
  exit: string
}

export type FieldKind =
  | 'prompt'
  | 'template'
  | 'long'
  | 'expression'
  | 'variable'
  | 'seconds'
  | 'whole'
  | 'flag'
  | 'choice'
  | 'queue'
  | 'agent'
  | 'sound'
  | 'calendar'
  | 'table'
  | 'flow'
  | 'word'
  | 'terminator'
  | 'expressions'
  | 'templates'
  | 'pointers'
  | 'shares'
  | 'cases'
  | 'to'

export interface Field {
  name: string
  kind: FieldKind
  needed?: boolean
  /** What holds where it is left out. */
  usual?: string | number | boolean
  choices?: readonly string[]
  least?: number
  most?: number
  /** Seldom changed: folded away. */
  more?: boolean
}

export const GROUPS = ['speak', 'ask', 'decide', 'data', 'route'] as const
export type Group = (typeof GROUPS)[number]

/** Each group's colour, as the theme names them. */
export const TONES: Record<Group, string> = { speak: 'sky', ask: 'tide', decide: 'iris', data: 'amber', route: 'gray' }

export interface NodeType {
  group: Group
  fields: readonly Field[]
  /** Exits that it always has. */
  exits: readonly string[]
  /** Exits that may be left open. */
  optional?: readonly string[]
}

const bargeIn: Field = { name: 'barge_in', kind: 'flag', usual: true, more: true }
const again: readonly Field[] = [
  { name: 'timeout_prompt', kind: 'prompt', more: true },
  { name: 'invalid_prompt', kind: 'prompt', more: true },
]
const prompt: Field = { name: 'prompt', kind: 'prompt', needed: true }
/** Left out: the queue in which they waited, or that led here. */
const waitedIn: Field = { name: 'queue', kind: 'queue' }

export const TYPES: Record<string, NodeType> = {
  answer: { group: 'speak', fields: [], exits: ['next'] },
  say: { group: 'speak', fields: [prompt, bargeIn], exits: ['next'] },
  play: { group: 'speak', fields: [{ name: 'sound', kind: 'sound', needed: true }, bargeIn], exits: ['next'] },
  menu: {
    group: 'ask',
    fields: [
      prompt,
      { name: 'timeout', kind: 'seconds', usual: 5, least: 0.5, most: 120 },
      { name: 'retries', kind: 'whole', usual: 2, least: 0, most: 10 },
      ...again,
      bargeIn,
    ],
    exits: ['timeout', 'invalid'],
  },
  collect: {
    group: 'ask',
    fields: [
      prompt,
      { name: 'variable', kind: 'variable', needed: true },
      { name: 'least', kind: 'whole', usual: 1, least: 0, most: 64 },
      { name: 'most', kind: 'whole', usual: 20, least: 1, most: 64 },
      { name: 'terminator', kind: 'terminator', usual: '#' },
      { name: 'secret', kind: 'flag', usual: false },
      { name: 'accept', kind: 'expression' },
      { name: 'timeout', kind: 'seconds', usual: 5, least: 0.5, most: 120, more: true },
      { name: 'digit_timeout', kind: 'seconds', usual: 3, least: 0.5, most: 30, more: true },
      { name: 'retries', kind: 'whole', usual: 2, least: 0, most: 10, more: true },
      ...again,
      bargeIn,
    ],
    exits: ['next', 'timeout', 'invalid'],
  },
  survey: {
    group: 'ask',
    fields: [
      prompt,
      { name: 'question', kind: 'variable', needed: true },
      { name: 'scale', kind: 'choice', choices: ['1-5', '0-10', 'yes_no'], usual: '1-5' },
      { name: 'timeout', kind: 'seconds', usual: 5, least: 0.5, most: 120, more: true },
      { name: 'retries', kind: 'whole', usual: 1, least: 0, most: 10, more: true },
      ...again,
      bargeIn,
    ],
    exits: ['next', 'timeout', 'invalid'],
  },
  record: {
    group: 'ask',
    fields: [
      prompt,
      { name: 'variable', kind: 'variable', needed: true },
      { name: 'longest', kind: 'seconds', usual: 120, least: 1, most: 3600 },
      { name: 'silence', kind: 'seconds', usual: 4, least: 0.5, most: 60, more: true },
      { name: 'shortest', kind: 'seconds', usual: 1, least: 0, most: 60, more: true },
      { name: 'terminator', kind: 'terminator', usual: '#', more: true },
    ],
    exits: ['next', 'empty'],
  },
  voicemail: {
    group: 'ask',
    fields: [
      prompt,
      waitedIn,
      { name: 'longest', kind: 'seconds', usual: 120, least: 1, most: 3600 },
      { name: 'variable', kind: 'variable', usual: 'voicemail', more: true },
      { name: 'silence', kind: 'seconds', usual: 4, least: 0.5, most: 60, more: true },
      { name: 'shortest', kind: 'seconds', usual: 1, least: 0, most: 60, more: true },
      { name: 'terminator', kind: 'terminator', usual: '#', more: true },
    ],
    exits: ['next', 'empty'],
  },
  set: { group: 'decide', fields: [{ name: 'values', kind: 'expressions', needed: true }], exits: ['next'] },
  branch: { group: 'decide', fields: [{ name: 'cases', kind: 'cases', needed: true }], exits: ['else'] },
  percentage: { group: 'decide', fields: [{ name: 'shares', kind: 'shares', needed: true }], exits: [] },
  hours: {
    group: 'decide',
    fields: [
      { name: 'calendar', kind: 'calendar' },
      { name: 'queue', kind: 'queue' },
    ],
    exits: ['open', 'closed'],
  },
  customer: {
    group: 'data',
    fields: [
      { name: 'into', kind: 'variable', usual: 'customer' },
      { name: 'timeout', kind: 'seconds', usual: 5, least: 0.1, most: 30, more: true },
    ],
    exits: ['found', 'unknown'],
    optional: ['failed'],
  },
  table: {
    group: 'data',
    fields: [
      { name: 'table', kind: 'table', needed: true },
      { name: 'key', kind: 'template', needed: true },
      { name: 'into', kind: 'variable' },
      { name: 'timeout', kind: 'seconds', usual: 5, least: 0.1, most: 30, more: true },
    ],
    exits: ['found', 'unknown'],
    optional: ['failed'],
  },
  http: {
    group: 'data',
    fields: [
      { name: 'method', kind: 'choice', choices: ['GET', 'POST', 'PUT'], usual: 'GET' },
      { name: 'url', kind: 'template', needed: true },
      { name: 'take', kind: 'pointers' },
      { name: 'headers', kind: 'templates', more: true },
      { name: 'body', kind: 'long', more: true },
      { name: 'content_type', kind: 'word', more: true },
      { name: 'timeout', kind: 'seconds', usual: 5, least: 0.1, most: 30, more: true },
      { name: 'into', kind: 'variable', more: true },
      { name: 'cache', kind: 'seconds', usual: 0, least: 0, most: 86400, more: true },
    ],
    exits: ['next', 'failed'],
  },
  email: {
    group: 'data',
    fields: [
      { name: 'to', kind: 'template', needed: true },
      { name: 'subject', kind: 'template', needed: true },
      { name: 'body', kind: 'long', needed: true },
      { name: 'attach', kind: 'variable' },
    ],
    exits: ['next'],
  },
  python: {
    group: 'data',
    fields: [
      { name: 'entry_point', kind: 'word', needed: true },
      { name: 'arguments', kind: 'templates' },
      { name: 'into', kind: 'variable' },
      { name: 'timeout', kind: 'seconds', usual: 5, least: 0.1, most: 60, more: true },
      { name: 'cache', kind: 'seconds', usual: 0, least: 0, most: 86400, more: true },
    ],
    exits: ['next', 'failed'],
  },
  number: {
    group: 'data',
    fields: [
      { name: 'number', kind: 'template' },
      { name: 'into', kind: 'variable', usual: 'number' },
      { name: 'timeout', kind: 'seconds', usual: 5, least: 0.1, most: 30, more: true },
    ],
    exits: ['found', 'unknown'],
    optional: ['failed'],
  },
  slots: {
    group: 'data',
    fields: [
      waitedIn,
      { name: 'count', kind: 'whole', usual: 3, least: 1, most: 9 },
      { name: 'lead', kind: 'seconds', usual: 3600, least: 0, most: 2592000 },
      { name: 'into', kind: 'variable', usual: 'slot', more: true },
    ],
    exits: ['found', 'none'],
  },
  wait: { group: 'route', fields: [], exits: [], optional: ['full', 'no_agents', 'max_wait', 'closed', 'slow'] },
  callback: {
    group: 'route',
    fields: [
      waitedIn,
      { name: 'number', kind: 'template' },
      { name: 'slot', kind: 'expression' },
      { name: 'priority', kind: 'whole', usual: 0, least: -1000, most: 1000, more: true },
    ],
    exits: ['booked', 'no_number', 'failed'],
    optional: ['full'],
  },
  queue: {
    group: 'route',
    fields: [
      { name: 'queue', kind: 'queue', needed: true },
      { name: 'priority', kind: 'whole', usual: 0, least: -1000, most: 1000 },
      { name: 'points', kind: 'expression', more: true },
      { name: 'agent', kind: 'expression', more: true },
      { name: 'agent_wait', kind: 'seconds', least: 0, most: 3600, more: true },
    ],
    exits: [],
    optional: ['full', 'no_agents', 'max_wait', 'closed', 'slow'],
  },
  transfer: {
    group: 'route',
    fields: [
      { name: 'to', kind: 'to', needed: true },
      { name: 'record', kind: 'flag', usual: false },
    ],
    exits: [],
    optional: ['failed'],
  },
  flow: { group: 'route', fields: [{ name: 'flow', kind: 'flow', needed: true }], exits: ['else'] },
  return: { group: 'route', fields: [{ name: 'exit', kind: 'word', usual: 'next' }], exits: [] },
  hang_up: {
    group: 'route',
    fields: [
      { name: 'outcome', kind: 'choice', choices: ['self_served', 'redirected', 'refused'], usual: 'self_served' },
      {
        name: 'cause',
        kind: 'choice',
        choices: ['unavailable', 'busy', 'declined', 'not_found'],
        usual: 'unavailable',
        more: true,
      },
    ],
    exits: [],
  },
}

/** To whom a `transfer` can go: exactly one of these keys. */
export const TRANSFERS = ['queue', 'agent', 'phone', 'outside'] as const

export const DIGITS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '0', '*', '#'] as const

/** Types whose exits may be keys of the telephone. */
export const KEYED: readonly string[] = ['menu', 'queue', 'wait']

/** An exit that is a key, which stays when it leads nowhere. */
export const isKey = (node: FlowNode, exit: string): boolean =>
  KEYED.includes(node.type) && !TYPES[node.type]!.exits.includes(exit) && !TYPES[node.type]!.optional?.includes(exit)

export interface Exit {
  name: string
  /** Id of the node; empty: leads nowhere yet. */
  to: string
  needed: boolean
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const casesOf = (node: FlowNode): Case[] =>
  (Array.isArray(node.cases) ? node.cases : []).filter(isRecord).map((one) => ({
    if: typeof one.if === 'string' ? one.if : '',
    exit: typeof one.exit === 'string' ? one.exit : '',
  }))

/** Exits in the order in which a person thinks of them; last those that the type doesn't have. */
export function exitsOf(node: FlowNode, returns: (flow: string) => readonly string[] = () => []): Exit[] {
  const type = TYPES[node.type]
  const given = node.exits ?? {}
  const names: string[] = []
  if (KEYED.includes(node.type)) names.push(...DIGITS.filter((one) => one in given))
  if (node.type === 'branch') names.push(...casesOf(node).map((one) => one.exit))
  if (node.type === 'percentage' && isRecord(node.shares)) names.push(...Object.keys(node.shares))
  if (node.type === 'flow' && typeof node.flow === 'string') names.push(...returns(node.flow))
  const optional = type?.optional ?? []
  names.push(...(type?.exits ?? []), ...optional, ...Object.keys(given))
  const seen = new Set<string>()
  return names
    .filter((one) => one && !seen.has(one) && seen.add(one))
    .map((name) => ({ name, to: given[name] ?? '', needed: !optional.includes(name) }))
}

/** Names by which a flow returns to the one that went into it. */
export const returnsOf = (graph: Graph): string[] => [
  ...new Set(
    Object.values(graph.nodes)
      .filter((one) => one.type === 'return')
      .map((one) => (typeof one.exit === 'string' && one.exit ? one.exit : 'next')),
  ),
]

export function kindOf(part: Part): PartKind {
  if (typeof part === 'string') return 'text'
  return PART_KINDS.find((kind) => kind in part) ?? 'text'
}

export const partsOf = (value: unknown): Part[] =>
  typeof value === 'string'
    ? [value]
    : Array.isArray(value)
      ? (value.filter((one) => typeof one === 'string' || isRecord(one)) as Part[])
      : []

/** What a text part says in a language; one that isn't there is looked for elsewhere. */
export function textOf(part: Part, language: string): string {
  if (typeof part === 'string') return part
  const said = 'text' in part ? part.text : 'sound' in part ? part.sound : ''
  if (typeof said === 'string') return said
  return said?.[language] ?? Object.values(said ?? {})[0] ?? ''
}

const SAMPLES: Partial<Record<PartKind, string>> = {
  number: '123',
  money: '123.45',
  date: '2026-11-22',
  time: '14:05',
  digits: '1234',
}

/** Something for each variable of a prompt, so that it can be heard before anybody has called: texts say its name. */
export function samplesOf(parts: readonly Part[]): Record<string, string> {
  const found: Record<string, string> = {}
  for (const part of parts) {
    const kind = kindOf(part)
    const said = typeof part === 'string' ? part : JSON.stringify(Object.values(part))
    for (const [, name] of said.matchAll(/(?<!\{)\{\s*([\p{L}_][\p{L}\p{N}_.]*)\s*\}/gu))
      found[name!] ??= SAMPLES[kind] ?? name!.replace(/[._]/g, ' ')
  }
  return found
}

/** A prompt in one line, for cards and lists. */
export function promptLine(value: unknown, language: string): string {
  return partsOf(value)
    .map((part) => {
      const kind = kindOf(part)
      if (kind === 'text') return textOf(part, language)
      if (kind === 'sound') return `♪ ${textOf(part, language)}`
      if (kind === 'pause') return '…'
      return String((part as Record<string, unknown>)[kind] ?? '')
    })
    .join(' ')
    .trim()
}

/** What stands under a node's name on its card: the part of its settings that tells it from others of its type. */
export function gistOf(node: FlowNode, language: string): string {
  const text = (name: string) => (typeof node[name] === 'string' ? (node[name] as string) : '')
  switch (node.type) {
    case 'say':
    case 'menu':
    case 'collect':
    case 'survey':
    case 'record':
      return promptLine(node.prompt, language)
    case 'play':
      return text('sound') && `♪ ${text('sound')}`
    case 'set':
      return isRecord(node.values)
        ? Object.entries(node.values)
            .map(([name, value]) => `${name} = ${value}`)
            .join(', ')
        : ''
    case 'branch':
      return casesOf(node)
        .map((one) => one.if)
        .join(' · ')
    case 'percentage':
      return isRecord(node.shares)
        ? Object.entries(node.shares)
            .map(([name, value]) => `${name} ${value} %`)
            .join(', ')
        : ''
    case 'hours':
      return text('calendar') || text('queue')
    case 'table':
      return [text('table'), text('key')].filter(Boolean).join(': ')
    case 'http':
      return [text('method') || 'GET', text('url')].join(' ')
    case 'email':
      return text('to')
    case 'python':
      return text('entry_point')
    case 'queue':
      return text('queue')
    case 'transfer':
      return TRANSFERS.map((one) => text(one)).find(Boolean) ?? ''
    case 'flow':
      return text('flow')
    case 'return':
      return text('exit') || 'next'
    default:
      return ''
  }
}

/**
 * A graph that can be drawn, whatever came: drafts are kept as they are written, and not this page alone writes them.
 * One that is sound stays the same object; what can't be drawn is left out, and the checker tells of it.
 */
export function drawable(value: unknown): Graph {
  if (!isRecord(value)) return { format: 1, start: '', nodes: {} }
  const nodes = isRecord(value.nodes) ? value.nodes : {}
  const sound = Object.fromEntries(Object.entries(nodes).map(([id, one]) => [id, drawableNode(one)]))
  const rest = { ...value }
  for (const field of ['language', 'voice']) if (field in rest && typeof rest[field] !== 'string') delete rest[field]
  const same =
    nodes === value.nodes &&
    Object.entries(sound).every(([id, one]) => one === nodes[id]) &&
    typeof value.start === 'string' &&
    Object.keys(rest).length === Object.keys(value).length
  if (same) return value as unknown as Graph
  return { ...rest, format: 1, start: typeof value.start === 'string' ? value.start : '', nodes: sound }
}

function drawableNode(value: unknown): FlowNode {
  if (!isRecord(value)) return { type: '?' }
  const made = { ...value }
  if (typeof made.type !== 'string') made.type = '?'
  if ('title' in made && typeof made.title !== 'string') delete made.title
  if ('at' in made && !(Array.isArray(made.at) && made.at.length === 2 && made.at.every(Number.isFinite)))
    delete made.at
  if ('exits' in made && !isRecord(made.exits)) delete made.exits
  if (isRecord(made.exits) && !Object.values(made.exits).every((one) => typeof one === 'string'))
    made.exits = Object.fromEntries(Object.entries(made.exits).filter(([, one]) => typeof one === 'string'))
  const same =
    Object.keys(made).length === Object.keys(value).length && Object.keys(made).every((key) => made[key] === value[key])
  return (same ? value : made) as FlowNode
}

/** A flow with nothing in it but its first node. */
export const emptyGraph = (language: string): Graph => ({
  format: 1,
  start: 'hello',
  language,
  nodes: { hello: { type: 'say', at: [0, 0], prompt: [], exits: {} } },
})

/** Languages that the texts of a flow are in, its own first. */
export function languagesOf(graph: Graph): string[] {
  const found = new Set<string>(graph.language ? [graph.language] : [])
  for (const node of Object.values(graph.nodes))
    for (const field of ['prompt', 'timeout_prompt', 'invalid_prompt'])
      for (const part of partsOf(node[field]))
        if (typeof part === 'object' && 'text' in part && isRecord(part.text))
          for (const one of Object.keys(part.text)) found.add(one)
  return [...found]
}

/** Variables that some node sets, to offer where one is asked for. */
export function variablesOf(graph: Graph): string[] {
  const found = new Set<string>()
  for (const node of Object.values(graph.nodes)) {
    if (typeof node.variable === 'string' && node.variable) found.add(node.variable)
    if (node.type === 'set' && isRecord(node.values)) for (const one of Object.keys(node.values)) found.add(one)
    if (node.type === 'http' && isRecord(node.take)) for (const one of Object.keys(node.take)) found.add(one)
  }
  return [...found].sort()
}
