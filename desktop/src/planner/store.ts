/** Plans as the centre has them, asked for again while one is being made. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api } from '../api/client'
import { may, useCentre } from '../api/session'
import { useUser } from '../app/me'
import { useLanguage } from '../i18n'
import './apiProblems'
import type { Change, Head, Person, Plan, Rules, Tried } from './types'

export const PLANS = ['plans'] as const
const SOON = 1000

export const pathOf = (id: string): string => `/plans/${encodeURIComponent(id)}`

export function usePlans() {
  return useQuery({
    queryKey: [...PLANS, 'all'],
    queryFn: ({ signal }) => api.get<{ items: Head[] }>('/plans', undefined, { signal }),
    refetchInterval: (query) => (query.state.data?.items.some((one) => one.state === 'making') ? SOON : 30_000),
  })
}

export function usePlan(id: string) {
  return useQuery({
    queryKey: [...PLANS, id],
    queryFn: ({ signal }) => api.get<Plan>(pathOf(id), undefined, { signal, within: 30 }),
    refetchInterval: (query) => (query.state.data?.state === 'making' ? SOON : false),
  })
}

/** Several queries after a change: the list and the plan itself. */
export function useFresh() {
  const queries = useQueryClient()
  return () => queries.invalidateQueries({ queryKey: PLANS })
}

export const tryChanges = (plan: { id: string; version: number }, changes: readonly Change[], how: object) =>
  api.patch<Tried>(`${pathOf(plan.id)}/duties`, { version: plan.version, changes, ...how }, { within: 60 })

export function usePeople() {
  return useQuery({
    queryKey: ['planning', 'people'],
    queryFn: ({ signal }) => api.get<{ items: Person[] }>('/planning/people', undefined, { signal }),
  })
}

export function useRules() {
  return useQuery({
    queryKey: ['planning', 'rules'],
    queryFn: ({ signal }) => api.get<Rules>('/planning/rules', undefined, { signal }),
  })
}

/** One request that changes something, then everything about plans anew. */
export function useAsk<T>(ask: (given: T) => Promise<unknown>, done?: (answer: unknown) => void) {
  const fresh = useFresh()
  return useMutation({
    mutationFn: ask,
    onSuccess: async (answer) => {
      await fresh()
      done?.(answer)
    },
  })
}

/** Whether this user makes and changes plans, or only reads them. */
export function usePlanner(): boolean {
  const me = useUser()
  return may(me, 'planning') && me.scopes.includes('tenant')
}

export function useDays() {
  const language = useLanguage()
  const made = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, { ...options, timeZone: 'UTC' })
  const short = made({ weekday: 'short', day: 'numeric', month: 'short' })
  const long = made({ weekday: 'long', day: 'numeric', month: 'long' })
  const weekday = made({ weekday: 'long' })
  const brief = made({ weekday: 'short' })
  const date = made({ day: 'numeric', month: 'short', year: 'numeric' })
  const noon = (day: string) => Date.parse(`${day.slice(0, 10)}T12:00:00Z`)
  return {
    short: (day: string) => short.format(noon(day)),
    long: (day: string) => long.format(noon(day)),
    date: (day: string) => date.format(noon(day)),
    /** 0 is Monday. */
    weekday: (index: number) => weekday.format(Date.UTC(2024, 0, 1 + index, 12)),
    brief: (index: number) => brief.format(Date.UTC(2024, 0, 1 + index, 12)),
  }
}

/** Names of queues, agents. */
export function useNames() {
  const { queueName, agentName, reasonName, zone, data } = useCentre()
  return { queue: queueName, agent: agentName, reason: reasonName, zone, queues: data?.queues ?? [] }
}
