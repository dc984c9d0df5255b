// What a page must remember of itself over a reload: who it is to the registrar, and the call that goes on.

const IDENTITY = 'centrala.phone.identity'
const CALL = 'centrala.phone.call'

/** A server keeps a call for so long whose phone has gone. */
const RESUMABLE_MS = 25_000

export type Identity = { instance: string; contact: string }

export type Kept = {
  callId: string
  /** The server's tag, then ours. */
  toTag: string
  fromTag: string
  contact: string | null
  direction: 'in' | 'out'
  muted: boolean
  user: string
  /** When the page was seen alive last. */
  at: number
}

const read = <T>(key: string): T | null => {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? 'null')
  } catch {
    return null
  }
}

const write = (key: string, value: unknown): void => {
  try {
    if (value === null) sessionStorage.removeItem(key)
    else sessionStorage.setItem(key, JSON.stringify(value))
  } catch {
    // Nothing is kept then: a reload ends the call.
  }
}

const random = (bytes: number): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (one) => one.toString(16).padStart(2, '0')).join('')

/** The same tab is the same phone to the registrar, however often it is loaded (RFC 5626, 4.1). */
export function identity(): Identity {
  const kept = read<Identity>(IDENTITY)
  if (kept?.instance && kept.contact) return kept
  const r = random(16)
  const instance = `${r.slice(0, 8)}-${r.slice(8, 12)}-4${r.slice(13, 16)}-a${r.slice(17, 20)}-${r.slice(20)}`
  const fresh = { instance, contact: `sip:${random(6)}@${random(6)}.invalid;transport=ws` }
  write(IDENTITY, fresh)
  return fresh
}

export const keepCall = (call: Kept | null): void => write(CALL, call)

/** The call that this page had before it was loaded again. */
export function keptCall(user: string): Kept | null {
  const kept = read<Kept>(CALL)
  return kept && kept.user === user && Date.now() - kept.at < RESUMABLE_MS ? kept : null
}
