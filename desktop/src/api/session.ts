/** Who is signed in, and the names of the centre's things. */
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { type LANGUAGES, language, say, useLanguage } from '../i18n'
import { shared } from '../i18n/shared'
import { ApiProblem, api } from './client'
import type { Schema } from './types'

export type Me = Schema<'Me'>

export const ME = ['me'] as const
export const CENTRE = ['centre'] as const

/** null: nobody is signed in. */
export function useMe() {
  return useQuery({
    queryKey: ME,
    queryFn: async (): Promise<Me | null> => {
      try {
        return await api.get<Me>('/me')
      } catch (problem) {
        if (problem instanceof ApiProblem && problem.code === 'SIGNED-OUT') return null
        throw problem
      }
    },
    staleTime: Number.POSITIVE_INFINITY,
    retry: (_, problem) => problem instanceof ApiProblem && problem.code === 'NET-LOST',
    retryDelay: 1500,
  })
}

export const may = (me: Me | null | undefined, permission: string): boolean =>
  me?.permissions.includes(permission) ?? false

type Label = Partial<Record<(typeof LANGUAGES)[number], string>> | string | null

export interface CentreNames {
  tenant: string
  name: string | null
  locale: string
  timezone: string
  queues: {
    id: string
    name: string | null
    client: string | null
    target: [number, number]
    dispositions: string[]
    auto_answer?: number | null
  }[]
  agents: { id: string; name: string; team: string | null }[]
  teams: { id: string; name: string | null }[]
  clients: { id: string; name: string | null }[]
  reasons: { id: string; label: Label; limit: number | null }[]
  dispositions: { id: string; label: Label }[]
}

const BUILT_IN = ['break', 'lunch', 'training', 'meeting', 'back_office', 'technical'] as const

/** Names for the page; a centre without the route still shows ids. */
export function useCentre() {
  const { data } = useQuery({
    queryKey: CENTRE,
    queryFn: () => api.get<CentreNames>('/centre'),
    staleTime: 5 * 60_000,
    retry: (count, problem) => problem instanceof ApiProblem && problem.code === 'NET-LOST' && count < 20,
  })
  const now = useLanguage()
  const text = (label: Label | undefined, id: string): string => {
    if (typeof label === 'string') return label || id
    const own = label?.[now] || label?.en
    if (own) return own
    if (id in shared) return say(shared[id as keyof typeof shared], {}, now)
    return id
  }
  const queue = (id: string | null | undefined) => data?.queues.find((one) => one.id === id)
  return {
    data,
    zone: data?.timezone,
    queueName: (id: string | null | undefined): string => queue(id)?.name || id || '',
    agentName: (id: string | null | undefined): string => data?.agents.find((one) => one.id === id)?.name || id || '',
    /** Seconds after which the phone of this page answers a call of this queue by itself. */
    autoAnswer: (id: string | null | undefined): number | null => queue(id)?.auto_answer ?? null,
    teamName: (id: string | null | undefined): string => data?.teams.find((one) => one.id === id)?.name || id || '',
    clientName: (id: string | null | undefined): string => data?.clients.find((one) => one.id === id)?.name || id || '',
    /** What an agent may give as a reason for a pause, in the centre's order. */
    reasons: data?.reasons?.length
      ? data.reasons.map((one) => ({ id: one.id, name: text(one.label, one.id), limit: one.limit }))
      : BUILT_IN.map((id) => ({ id: id as string, name: text(undefined, id), limit: null as number | null })),
    reasonName: (id: string | null | undefined): string =>
      id ? text(data?.reasons?.find((one) => one.id === id)?.label, id) : '',
    /** Of a queue, in their order; empty where no result is asked for. */
    dispositions: (id: string | null | undefined) =>
      (queue(id)?.dispositions ?? []).map((one) => ({
        id: one,
        name: text(data?.dispositions?.find((known) => known.id === one)?.label, one),
      })),
    dispositionName: (id: string | null | undefined): string =>
      id ? text(data?.dispositions?.find((one) => one.id === id)?.label, id) : '',
  }
}

/** After signing in or out: nothing of the one before stays. */
export function become(client: QueryClient, me: Me | null): void {
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== 'me' })
  client.setQueryData(ME, me)
}

export { language }
