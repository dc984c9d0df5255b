/**
 * The live view outside React. What comes within a frame is told to components once; rows subscribe by id.
 *
 *     const agent = useEntity('agent', id)       // renders again when this agent changes
 *     const ids = useIds('queue')                // when one comes or goes
 *     const calls = useEvery('contact')          // when any of them changes: for few, or at most 4 Hz
 */
import { useCallback, useSyncExternalStore } from 'react'
import { fold, nothing, type View } from './fold'
import type { Entities, Kind, LiveMessage } from './types'

/** restart: the centre said that it stops, and comes back in seconds. */
export type Line = 'connecting' | 'live' | 'lost' | 'restart' | 'over'

type Tell = () => void

export class LiveStore {
  private view: View = nothing()
  private readonly byKey = new Map<string, Set<Tell>>()
  private readonly byKind = new Map<string, Set<Tell>>()
  private readonly byIds = new Map<string, Set<Tell>>()
  private readonly lineListeners = new Set<Tell>()
  private dirty = new Map<string, Set<string>>()
  private idsDirty = new Set<string>()
  private ids = new Map<string, readonly string[]>()
  private every = new Map<string, readonly unknown[]>()
  private scheduled = false
  private lineNow: { line: Line; since: number } = { line: 'connecting', since: Date.now() / 1000 }

  get place(): string {
    return this.view.place
  }

  get<K extends Kind>(kind: K, id: string | null | undefined): Entities[K] | undefined {
    return id == null ? undefined : (this.view.kinds.get(kind)?.get(id) as Entities[K] | undefined)
  }

  idsOf(kind: Kind): readonly string[] {
    let found = this.ids.get(kind)
    if (!found) this.ids.set(kind, (found = [...(this.view.kinds.get(kind)?.keys() ?? [])]))
    return found
  }

  all<K extends Kind>(kind: K): readonly (Entities[K] & { key: string })[] {
    let found = this.every.get(kind)
    if (!found) {
      found = [...(this.view.kinds.get(kind) ?? [])].map(([key, value]) => ({ ...(value as object), key }))
      this.every.set(kind, found)
    }
    return found as readonly (Entities[K] & { key: string })[]
  }

  /** Throws LostPlace. */
  take(message: LiveMessage): void {
    for (const [kind, id, membership] of fold(this.view, message)) {
      let ids = this.dirty.get(kind)
      if (!ids) this.dirty.set(kind, (ids = new Set()))
      ids.add(id)
      if (membership) this.idsDirty.add(kind)
      this.every.delete(kind)
    }
    for (const kind of this.idsDirty) this.ids.delete(kind)
    this.schedule()
  }

  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    // A hidden page gets no frames, but its offers count all the same.
    if (document.hidden) setTimeout(() => this.commit(), 20)
    else requestAnimationFrame(() => this.commit())
  }

  private commit(): void {
    this.scheduled = false
    const { dirty, idsDirty } = this
    this.dirty = new Map()
    this.idsDirty = new Set()
    const tell = new Set<Tell>()
    for (const [kind, ids] of dirty) {
      for (const id of ids) for (const one of this.byKey.get(`${kind}/${id}`) ?? []) tell.add(one)
      for (const one of this.byKind.get(kind) ?? []) tell.add(one)
    }
    for (const kind of idsDirty) for (const one of this.byIds.get(kind) ?? []) tell.add(one)
    for (const one of tell) one()
  }

  clear(): void {
    for (const kind of this.view.kinds.keys()) {
      this.dirty.set(kind, new Set(this.view.kinds.get(kind)!.keys()))
      this.idsDirty.add(kind)
    }
    this.view = nothing()
    this.ids.clear()
    this.every.clear()
    this.schedule()
  }

  get line(): { line: Line; since: number } {
    return this.lineNow
  }

  setLine(line: Line): void {
    if (this.lineNow.line === line) return
    this.lineNow = { line, since: Date.now() / 1000 }
    for (const one of this.lineListeners) one()
  }

  subscribeLine = (tell: Tell): (() => void) => {
    this.lineListeners.add(tell)
    return () => this.lineListeners.delete(tell)
  }

  subscribe(where: 'key' | 'kind' | 'ids', name: string, tell: Tell): () => void {
    const map = where === 'key' ? this.byKey : where === 'kind' ? this.byKind : this.byIds
    let all = map.get(name)
    if (!all) map.set(name, (all = new Set()))
    all.add(tell)
    return () => {
      all.delete(tell)
      if (!all.size && map.get(name) === all) map.delete(name)
    }
  }
}

export const live = new LiveStore()

export function useEntity<K extends Kind>(kind: K, id: string | null | undefined): Entities[K] | undefined {
  const subscribe = useCallback(
    (tell: Tell) => (id == null ? () => {} : live.subscribe('key', `${kind}/${id}`, tell)),
    [kind, id],
  )
  return useSyncExternalStore(subscribe, () => live.get(kind, id))
}

export function useIds(kind: Kind): readonly string[] {
  const subscribe = useCallback((tell: Tell) => live.subscribe('ids', kind, tell), [kind])
  return useSyncExternalStore(subscribe, () => live.idsOf(kind))
}

export function useEvery<K extends Kind>(kind: K): readonly (Entities[K] & { key: string })[] {
  const subscribe = useCallback((tell: Tell) => live.subscribe('kind', kind, tell), [kind])
  return useSyncExternalStore(subscribe, () => live.all(kind))
}

export function useLine(): { line: Line; since: number } {
  return useSyncExternalStore(live.subscribeLine, () => live.line)
}
