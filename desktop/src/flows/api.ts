/** Questions to /api/v1/flows. */
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { ApiProblem, api, newKey, PREFIX } from '../api/client'
import { sentences, useWords } from '../i18n'
import { drawable, type Graph, type Part } from './model'
import type { FlowListed, FlowShown, Paths, Trial, VersionListed, Vocabulary } from './types'

export const FLOWS = ['flows'] as const

export const pathOf = (id: string): string => `/flows/${encodeURIComponent(id)}`

export const useFlows = () =>
  useQuery({ queryKey: FLOWS, queryFn: () => api.get<{ items: FlowListed[] }>('/flows'), staleTime: 5000 })

/** Of the flows that every house has. */
const houses = sentences({
  callback: ['Callback', 'Oddzwonienie', 'Обратный звонок'],
  voicemail: ['Voicemail', 'Poczta głosowa', 'Голосовая почта'],
})

/** What people call it; those that are built in are called in the reader's language. */
export function useFlowName(): (flow: Pick<FlowListed, 'id' | 'name' | 'origin'>) => string {
  const t = useWords(houses)
  return ({ id, name, origin }) =>
    origin === 'built_in' && (id === 'callback' || id === 'voicemail') ? t(id) : name || id
}

export async function flowOf(id: string): Promise<FlowShown> {
  const shown = await api.get<FlowShown>(pathOf(id))
  return {
    ...shown,
    graph: shown.graph && drawable(shown.graph),
    draft: shown.draft && { ...shown.draft, graph: drawable(shown.draft.graph) },
  }
}

export const useFlow = (id: string) =>
  useQuery({
    queryKey: [...FLOWS, id],
    queryFn: () => flowOf(id),
    staleTime: 0,
    gcTime: 0,
  })

const NOTHING: Vocabulary = {
  types: [],
  functions: [],
  known: [],
  queues: [],
  agents: [],
  calendars: [],
  tables: [],
  sounds: [],
  builtin_sounds: [],
  flows: [],
  entry_points: [],
  languages: ['en', 'pl', 'ru'],
  voices: [],
  currencies: ['PLN', 'EUR', 'USD', 'RUB'],
}

/** What a flow can name in this centre; without an answer every name can still be typed. */
export function useVocabulary(): Vocabulary {
  const { data } = useQuery({
    queryKey: [...FLOWS, 'vocabulary'],
    queryFn: () => api.get<Vocabulary>('/flows/vocabulary'),
    staleTime: 60_000,
  })
  // A centre without a voice speaks no language; texts can be written all the same.
  return data ? { ...data, languages: data.languages.length ? data.languages : NOTHING.languages } : NOTHING
}

export const versionsOf = (id: string, cursor?: string) =>
  api.get<{ items: VersionListed[]; next: string | null }>(`${pathOf(id)}/versions`, { cursor })

export const graphOf = async (id: string, version: number): Promise<Graph> =>
  drawable((await api.get<VersionListed & { graph: unknown }>(`${pathOf(id)}/versions/${version}`)).graph)

export interface Answer {
  exit: string
  values: Record<string, string>
}

export interface Tried {
  graph: Graph | null
  /** As pressed, each when a node waits for it; "." lets the time run out once. */
  keys: string
  then: 'time_out' | 'stop'
  caller: string
  at: number | null
  errands: Record<string, Answer>
}

export const tryOut = (id: string, what: Tried, signal: AbortSignal) =>
  api.post<Trial>(`${pathOf(id)}/try`, what, { within: 30, signal })

export const pathsOf = (id: string, version: number | null, from: string, to: string) =>
  api.get<Paths>(`${pathOf(id)}/paths`, { version, from, to })

export const fresh = (queries: QueryClient, id?: string) =>
  Promise.all([
    queries.invalidateQueries({ queryKey: FLOWS, exact: true }),
    id ? queries.invalidateQueries({ queryKey: [...FLOWS, id] }) : null,
  ])

/** A prompt as the caller hears it: a WAV file. */
export async function hear(
  what: { parts: Part[] | null; text?: string; language: string; voice: string; values?: Record<string, unknown> },
  signal?: AbortSignal,
): Promise<Blob> {
  let answer: Response
  try {
    answer = await fetch(`${PREFIX}/flows/hear`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Centrala': '1', 'Idempotency-Key': newKey() },
      body: JSON.stringify({ text: '', values: {}, ...what }),
      credentials: 'same-origin',
      signal: signal ? AbortSignal.any([signal, AbortSignal.timeout(30_000)]) : AbortSignal.timeout(30_000),
    })
  } catch (problem) {
    if (signal?.aborted) throw problem
    throw new ApiProblem('NET-LOST', 0, 'The centre did not answer.')
  }
  if (answer.ok) return answer.blob()
  const said = (await answer.json().catch(() => ({}))) as Record<string, unknown>
  throw new ApiProblem(
    typeof said.code === 'string' ? said.code : `HTTP-${answer.status}`,
    answer.status,
    typeof said.detail === 'string' ? said.detail : answer.statusText,
    said,
  )
}
