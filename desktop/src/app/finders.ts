import { api } from '../api/client'
import { type Me, may } from '../api/session'
import { phoneNumber } from '../i18n/format'
import type { IconName } from '../ui/icons'

export interface Found {
  id: string
  name: string
  note?: string
  icon: IconName
  /** Where to go, or what to do. */
  go?: string
  run?: () => void
}

/** What Ctrl+K asks beside the pages. Areas push theirs: `finders.push(async (text, me, signal) => [...])`. */
export const finders: ((text: string, me: Me, signal: AbortSignal) => Promise<Found[]>)[] = []

finders.push(async (text, me, signal) => {
  if (!may(me, 'customers')) return []
  interface One {
    id: string
    name: string
    company: string | null
    number: string | null
  }
  const { items } = await api.get<{ items: One[] }>('/customers', { q: text, limit: 8 }, { signal })
  return items.map((one) => ({
    id: `customer/${one.id}`,
    name: one.name || (one.number ? phoneNumber(one.number) : one.id),
    note: one.company ?? (one.number ? phoneNumber(one.number) : undefined),
    icon: 'customers',
    go: `/customers/${one.id}`,
  }))
})
