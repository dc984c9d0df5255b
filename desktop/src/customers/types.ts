/** A customer's card and what hangs on it, as `centrala.web.cards` answers. */
export interface Identity {
  id: string
  kind: 'phone' | 'email' | 'messenger' | 'address' | (string & {})
  value: string | null
  label: string
}

export interface Consent {
  allowed: boolean
  at: number
  by: string
}

export interface Promise_ {
  id: string
  text: string
  due: number | null
  done: boolean
  /** Whoever serves it keeps the promise. */
  queue?: string | null
  at: number
  by: string
}

export interface Customer {
  id: string
  kind: 'person' | 'company' | (string & {})
  version: number
  name: string
  given: string | null
  middle: string | null
  family: string | null
  language: string | null
  /** Id of the agent who is theirs. */
  preferred_agent?: string | null
  badges: string[]
  companies: { id: string; name: string }[]
  people: { id: string; name: string }[]
  identities: Identity[]
  consents: { calls: Consent | null; ads: Consent | null }
  promises: Promise_[]
  custom: Record<string, string | boolean | number>
  made_at: number
  changed_at: number
}

export interface Found {
  id: string
  kind: string
  name: string
  company: string | null
  badges: string[]
  language: string | null
  number: string | null
  calls: boolean | null
  ads: boolean | null
}

export interface Note {
  id: string
  author: string
  text: string
  at: number
}

export interface Row {
  kind: 'contact' | 'note'
  id: string
  at: number
  contact: Record<string, unknown> | null
  notes: Note[]
}

export interface Change {
  id: number
  version: number
  at: number
  by: string
  field: string
  before: unknown
  after: unknown
}

export interface Conflict {
  field: string
  yours: unknown
  theirs: unknown
  by: string
  at: number
}
