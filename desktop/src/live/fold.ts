/** What the live socket says, taken in. The same fold as the centre's own (`centrala.web.board.fold`). */
import type { LiveMessage, Shown } from './types'

export class LostPlace extends Error {}

/** What a page holds: the place it is at, and every entity it may see, by kind and id. */
export interface View {
  place: string
  kinds: Map<string, Map<string, unknown>>
}

export const nothing = (): View => ({ place: '', kinds: new Map() })

/** Kind, id, and whether it came or went rather than changed. */
export type Touched = readonly [kind: string, id: string, membership: boolean]

/**
 * Takes one message into `view`, which it changes, and gives what changed.
 * Throws LostPlace for changes that don't follow on the view's place: the page registers again.
 */
export function fold(view: View, message: LiveMessage): Touched[] {
  switch (message.kind) {
    case 'snapshot': {
      const touched: Touched[] = []
      for (const [kind, all] of view.kinds) for (const id of all.keys()) touched.push([kind, id, true])
      view.kinds = new Map()
      for (const one of message.entities) touched.push(put(view, one))
      view.place = message.place
      return touched
    }
    case 'changes': {
      if (!view.place || message.after !== view.place) throw new LostPlace()
      const touched = message.changes.map((one) => put(view, one))
      view.place = message.place
      return touched
    }
    default:
      throw new LostPlace()
  }
}

function put(view: View, one: Shown): Touched {
  let all = view.kinds.get(one.what)
  if (!all) view.kinds.set(one.what, (all = new Map()))
  if (one.value === null) return [one.what, one.id, all.delete(one.id)]
  const came = !all.has(one.id)
  all.set(one.id, one.value)
  return [one.what, one.id, came]
}
