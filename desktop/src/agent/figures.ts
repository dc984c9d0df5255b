import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { api } from '../api/client'
import { useDesk } from './desk'

export interface DayFigures {
  date?: string
  contacts: number
  talk_s: number
  hold_s: number
  wrap_up_s: number
  ready_s: number
  not_ready_s: Record<string, number>
  missed: number
  results: Record<string, number>
  occupancy?: number | null
}

/** My figures of today; asked anew when my state changes, and each minute. */
export function useDay() {
  const { agent } = useDesk()
  const query = useQuery({
    queryKey: ['day'],
    queryFn: () => api.get<DayFigures>('/me/agent/day'),
    refetchInterval: 60_000,
    staleTime: 5_000,
    retry: false,
  })
  const { refetch } = query
  const state = agent?.state
  const known = useRef(state)
  useEffect(() => {
    // What was there from the beginning was in the first answer.
    const first = known.current === undefined || known.current === state
    known.current = state
    if (first) return
    const timer = setTimeout(() => void refetch(), 1200)
    return () => clearTimeout(timer)
  }, [state, refetch])
  return query
}
