/** Live entities as the centre sends them (docs/reference/api.md, Live). Keys that an older centre leaves out are optional. */
export type Kind = 'queue' | 'agent' | 'contact' | 'message'

export interface Lamps {
  you: boolean
  phone: boolean
  line: boolean
  load: boolean
}

export interface Why {
  code: string
  values: Record<string, string | number | null>
}

export type AgentState =
  | 'on_contact'
  | 'held'
  | 'offered'
  | 'wrap_up'
  | 'unreachable'
  | 'resting'
  | 'ready'
  | 'not_ready'
  | 'logged_out'

/** Service levels are shares that were expected of the queue, and of the giving one that is left with least. */
export interface LoanLive {
  queue: string
  since: number
  without: number
  with: number
  target: number
  agents: number
  home: string | null
  home_without: number | null
  home_with: number | null
  home_target: number | null
}

export interface AgentLive {
  id: string
  name: string
  state: AgentState | (string & {})
  /** Unix seconds of the centre's clock. */
  since: number
  intent: 'ready' | 'not_ready' | 'logged_out' | (string & {})
  reason: string | null
  reachable: boolean
  until: number | null
  missed: number
  contact: string | null
  queues: string[]
  /** Of those, what a supervisor has added; and what a supervisor has taken out. */
  plus?: string[]
  minus?: string[]
  /** Where rebalancing has lent the agent. */
  loans?: LoanLive[]
  queue?: string | null
  team?: string | null
  lamps?: Lamps
  why?: Why | null
  /** What comes after this call, where something was queued. */
  next?: string | null
  contact_with?: { number?: string | null; name?: string | null } | null
}

export interface Party {
  leg: string
  agent: string | null
  number: string | null
  role: 'agent' | 'consult' | 'member' | 'supervisor' | (string & {})
  mode?: 'listen' | 'whisper' | 'barge' | null
  state: 'ringing' | 'talking' | 'held' | (string & {})
  muted: boolean
}

export interface Brief {
  id: string
  name: string
  company?: string | null
  badges?: string[]
}

export interface Promised {
  at: number | null
  /** Since when they have waited. */
  since: number | null
  due: number | null
  expires: number | null
  attempt: number
  attempts: number
  why: 'asked' | 'abandoned' | 'message' | (string & {})
  slot: boolean
}

export interface ContactLive {
  id: string
  medium: string
  direction: 'inbound' | 'outbound' | 'internal' | (string & {})
  state: 'new' | 'queued' | 'offered' | 'active' | 'held' | 'parked' | 'wrap_up' | (string & {})
  /** Where it is parked. */
  slot?: string | null
  queue: string | null
  since: number | null
  dialled: string | null
  number: string | null
  agent: string | null
  ringing: string[]
  why: string | null
  name?: string | null
  customer?: Brief | null
  parties?: Party[]
  /** listener leg → { source leg or "sound:NAME": gain } */
  hears?: Record<string, Record<string, number>>
  /** What is owed to a customer who isn't on the line. */
  owed?: 'callback' | 'message' | null
  promise?: Promised | null
  /** The agent whom it waits for alone. */
  kept_for?: string | null
  /** By agents to those who know, or may, more. */
  handed?: { at: number; agent: string; reason: string; tier: number }[]
  /** Of the message. */
  seconds?: number | null
  talk_since?: number | null
  hold_since?: number | null
  recorded?: boolean
  disposition?: string | null
  priority?: number | null
  recording?: {
    state: 'off' | 'on' | 'paused'
    /** Second 0 of the file. */
    since: number | null
    why: 'asked' | 'payment' | 'secret' | null
    until: number | null
    /** Its agent may begin and end it. */
    may: boolean
  }
  /** The agent has picked up and is told who waits. */
  told?: boolean
  /** What the customer goes through alone while their agent waits. */
  step?: { flow: string; place: string | null } | null
  /** Flows that its agent may send the customer through. */
  steps?: string[]
  /** Those of `answers` that the last step has brought. */
  given?: string[]
  /** Titles of the menus that the customer came through. */
  path?: string[]
  /** What they answered there: for who talks with them. */
  answers?: Record<string, string | number | boolean | null>
}

export interface Figures {
  offered: number
  served: number
  in_time: number
  abandoned: number
  early: number
  service_level: number | null
  /** Root of the mean squared error of the expected waits, seconds. */
  estimate_error?: number | null
}

/** To whom a queue is open beyond its own agents. */
export interface OpenLive {
  stage: number
  of: number
  since: number | null
  why: 'wait' | 'length' | 'service_level'
  /** To how many of those who wait. */
  contacts: number
  /** Skill → least level; 0: not asked for any more. */
  needs: Record<string, number>
  queues: string[]
  agents: number
}

export interface QueueLive {
  id: string
  name?: string | null
  client: string | null
  target: [number, number]
  waiting: number
  waiting_since: number | null
  talking: number
  callbacks?: number
  messages?: number
  free: number
  staffed: number
  /** By rebalancing, to it. */
  lent?: number
  open?: OpenLive | null
  estimate_by?: 'formula' | 'learned'
  today: Figures
  now: Figures
  bar?: { free: number; talk: number; wrap_up: number; away: number }
  level?: 'normal' | 'warn' | 'alarm'
  causes?: unknown[]
}

export interface MessageLive {
  from: string
  text: string
  at: number
  /** An agent's queues were changed. */
  moved?: { agent: string; into: string[]; out_of: string[] } | null
}

export interface Entities {
  queue: QueueLive
  agent: AgentLive
  contact: ContactLive
  message: MessageLive
}

export interface Shown {
  what: string
  id: string
  value: unknown
}

export type LiveMessage =
  | { kind: 'snapshot'; place: string; seq: number; at: number; entities: Shown[] }
  | { kind: 'changes'; after: string; place: string; seq: number; at: number; changes: Shown[] }
  | { kind: 'lost'; code: string }
