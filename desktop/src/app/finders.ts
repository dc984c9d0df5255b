import type { Me } from '../api/session'
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
