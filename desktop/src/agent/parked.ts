/** Who is parked in the house: asked every few seconds where there is parking at all. */
import { useQuery } from '@tanstack/react-query'
import { api } from '../api/client'
import type { Schema } from '../api/types'
import { useDesk } from './desk'

export function useParked() {
  const { agent } = useDesk()
  return useQuery({
    queryKey: ['parked', agent?.state], // whoever has just parked somebody, or picked them up, sees it at once
    placeholderData: (before: Schema<'ParkedList'> | undefined) => before,
    queryFn: () => api.get<Schema<'ParkedList'>>('/me/agent/parked'),
    refetchInterval: ({ state }) => (state.data?.slots ? 5_000 : 300_000),
    retry: false,
  })
}
