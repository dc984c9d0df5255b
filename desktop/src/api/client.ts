/**
 * The API of the centre. Errors are `ApiProblem` with a stable code (RFC 9457), also for a lost line.
 *
 *     const me = await api.get<Schema<'Me'>>('/me')
 *     await api.post('/me/agent/pause', { reason: 'lunch' })
 */

import { create } from 'zustand'
import { withRefusals } from '../i18n/problems'

export const PREFIX = '/api/v1'

export class ApiProblem extends Error {
  readonly code: string
  readonly status: number
  readonly errors: { where: string; what: string }[]
  /** The whole answer: some problems carry more, as EDIT-RACE does. */
  readonly body: Record<string, unknown>
  readonly retryAfter: number | null

  constructor(
    code: string,
    status: number,
    detail: string,
    body: Record<string, unknown> = {},
    retryAfter: number | null = null,
  ) {
    super(detail)
    this.code = code
    this.status = status
    this.body = body
    this.errors = Array.isArray(body.errors) ? (body.errors as { where: string; what: string }[]) : []
    this.retryAfter = retryAfter
  }
}

/** Whom to tell that the session is over. */
export const onSignedOut = new Set<() => void>()

/** Routes without an id that this centre doesn't have: what needs them is dimmed, with that as its reason. */
export const useMissing = create<{ routes: ReadonlySet<string> }>(() => ({ routes: new Set() }))

type Query = Record<string, string | number | boolean | null | undefined>

interface Options {
  query?: Query
  /** Seconds to wait; 15 by default. */
  within?: number
  headers?: Record<string, string>
  signal?: AbortSignal
  /** The same key for a repetition of the same write. */
  key?: string
}

export function address(path: string, query?: Query): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== '')
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return `${PREFIX}${path}${text ? `?${text}` : ''}`
}

export async function call<T>(method: string, path: string, body?: unknown, options: Options = {}): Promise<T> {
  const headers: Record<string, string> = { ...options.headers }
  let sent: BodyInit | undefined
  if (method !== 'GET') {
    headers['X-Centrala'] = '1'
    headers['Idempotency-Key'] = options.key ?? newKey()
  }
  if (body instanceof Blob || body instanceof ArrayBuffer || body instanceof FormData) sent = body
  else if (body !== undefined) {
    headers['Content-Type'] = 'application/json'
    sent = JSON.stringify(body)
  }
  const limit = AbortSignal.timeout((options.within ?? 15) * 1000)
  let answer: Response
  try {
    answer = await fetch(address(path, options.query), {
      method,
      headers,
      body: sent,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: options.signal ? AbortSignal.any([limit, options.signal]) : limit,
    })
  } catch (problem) {
    if (options.signal?.aborted) throw problem
    throw new ApiProblem('NET-LOST', 0, 'The centre did not answer.')
  }
  if (answer.ok) {
    if (answer.status === 204) return undefined as T
    return (await answer.json()) as T
  }
  throw await problemOf(answer, method, path)
}

async function problemOf(answer: Response, method: string, path: string): Promise<ApiProblem> {
  let said: Record<string, unknown> = {}
  try {
    said = (await answer.json()) as Record<string, unknown>
  } catch {
    // A proxy's page, or nothing at all.
  }
  const code = typeof said.code === 'string' ? said.code : `HTTP-${answer.status}`
  const detail = typeof said.detail === 'string' ? said.detail : answer.statusText
  const after = Number(answer.headers.get('retry-after'))
  if (code === 'SIGNED-OUT') for (const tell of onSignedOut) tell()
  if (
    (code === 'NOT-FOUND' || code === 'METHOD') &&
    /^\/(me\/(agent|phone)(\/|$)|centre$|floor\/message$|customers(\/lookup)?$)/.test(path)
  ) {
    const { routes } = useMissing.getState()
    useMissing.setState({ routes: new Set([...routes, `${method} ${path.split('?')[0]}`]) })
  }
  if (code === 'AGENT-REFUSED') await withRefusals()
  return new ApiProblem(code, answer.status, detail, said, Number.isFinite(after) && after > 0 ? after : null)
}

export function newKey(): string {
  const random = crypto.getRandomValues(new Uint8Array(12))
  return Array.from(random, (one) => one.toString(16).padStart(2, '0')).join('')
}

export const api = {
  get: <T>(path: string, query?: Query, options: Options = {}) =>
    call<T>('GET', path, undefined, { ...options, query }),
  post: <T = unknown>(path: string, body: unknown = undefined, options?: Options) =>
    call<T>('POST', path, body, options),
  put: <T = unknown>(path: string, body: unknown = undefined, options?: Options) => call<T>('PUT', path, body, options),
  patch: <T = unknown>(path: string, body: unknown = undefined, options?: Options) =>
    call<T>('PATCH', path, body, options),
  delete: <T = void>(path: string, options?: Options) => call<T>('DELETE', path, undefined, options),
}
