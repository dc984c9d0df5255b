/** The draft of the settings: kept over reloads of this tab, checked by the centre, saved as one version. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo } from 'react'
import { create } from 'zustand'
import { ApiProblem, api } from '../api/client'
import { CENTRE } from '../api/session'
import type { Schema } from '../api/types'
import {
  applied,
  type Edit,
  type Edits,
  isSecret,
  keyOf,
  ordered,
  type Path,
  type Tree,
  withEdit,
  withoutEdit,
} from './draft'

export type Shown = Omit<Schema<'SettingsShown'>, 'tree'> & { tree: Tree }
export type Checked = Schema<'SettingsChecked'>
export interface Conflict {
  field: string
  yours: unknown
  theirs: unknown
  by: string | null
  at: number | null
}

export const SETTINGS = ['admin', 'settings'] as const
export const HISTORY = ['admin', 'history'] as const
export const UNDO_FOR = 30

interface Draft {
  /** The version that the first of these edits was made on. */
  base: number | null
  edits: Edits
  checked: Checked | null
  checking: boolean
  /** What went wrong with asking itself. */
  failed: unknown
  race: Conflict[] | null
  saved: { version: number; until: number; undone: boolean } | null
  saving: boolean
  /** The page to go back to from the review. */
  place: string
}

const EMPTY: Draft = {
  base: null,
  edits: {},
  checked: null,
  checking: false,
  failed: null,
  race: null,
  saved: null,
  saving: false,
  place: '/settings',
}
const STORED = 'centrala.settings'

function stored(): Pick<Draft, 'base' | 'edits'> {
  try {
    const found = JSON.parse(sessionStorage.getItem(STORED) ?? 'null')
    if (found && typeof found.base === 'number' && typeof found.edits === 'object') return found
  } catch {
    // It holds for this page.
  }
  return { base: null, edits: {} }
}

export const useDraft = create<Draft>(() => ({ ...EMPTY, ...stored() }))

useDraft.subscribe(({ base, edits }, before) => {
  if (edits === before.edits && base === before.base) return
  try {
    // Typed passwords stay in this page alone.
    const kept = Object.fromEntries(Object.entries(edits).filter(([, one]) => !isSecret(one.path)))
    if (Object.keys(kept).length) sessionStorage.setItem(STORED, JSON.stringify({ base, edits: kept }))
    else sessionStorage.removeItem(STORED)
  } catch {
    // As above.
  }
})

export const count = (edits: Edits): number =>
  // A new thing with its keys is one change.
  ordered(edits).filter((one) => one.path.length < 3 || !edits[keyOf(one.path.slice(0, 2))]).length

/** Set a key; `now` asks the centre at once whether it can be. */
export function set(shown: Shown, path: Path, value: unknown): void {
  setAll(shown, [{ path, value }])
}

export function setAll(shown: Shown, all: Edit[]): void {
  const { edits, base } = useDraft.getState()
  const next = all.reduce((now, one) => withEdit(shown.tree, now, one.path, one.value), edits)
  change(next, base ?? shown.version)
}

export function takeBack(path: Path): void {
  const { edits, base } = useDraft.getState()
  change(withoutEdit(edits, path), base)
  void check()
}

function change(edits: Edits, base: number | null): void {
  const some = Object.keys(edits).length > 0
  useDraft.setState({
    edits,
    base: some ? base : null,
    saved: null,
    failed: null,
    ...(some ? {} : { checked: null, race: null }),
  })
}

export function discard(): Edits {
  const { edits } = useDraft.getState()
  useDraft.setState({ ...EMPTY, place: useDraft.getState().place })
  return edits
}

const body = () => {
  const { edits, base } = useDraft.getState()
  return { base: base ?? 0, edits: ordered(edits).map(({ path, value }) => ({ path, value })) }
}

let asked = 0

/** Ask the centre what these edits would do, and what is wrong with them. The last question's answer counts. */
export async function check(): Promise<void> {
  const own = ++asked
  if (!Object.keys(useDraft.getState().edits).length) return
  useDraft.setState({ checking: true })
  try {
    const checked = await api.post<Checked>('/admin/settings/check', body())
    if (own === asked) useDraft.setState({ checked, failed: null, race: null })
  } catch (problem) {
    if (own === asked) take(problem)
  } finally {
    if (own === asked) useDraft.setState({ checking: false })
  }
}

function take(problem: unknown): void {
  if (problem instanceof ApiProblem && problem.code === 'EDIT-RACE') {
    useDraft.setState({ race: (problem.body.conflicts ?? []) as Conflict[], failed: null })
  } else if (problem instanceof ApiProblem && problem.code === 'SETTINGS-WRONG') {
    const problems = problem.errors.map((one) => ({ key: one.where, text: one.what }))
    const before = useDraft.getState().checked
    useDraft.setState({
      checked: {
        ...(before ?? { version: 0, warnings: [], differences: [], yaml: '', effects: [] }),
        problems,
      },
      failed: null,
    })
  } else useDraft.setState({ failed: problem })
}

export function useActs() {
  const queries = useQueryClient()
  const fresh = () =>
    Promise.all([SETTINGS, HISTORY, CENTRE].map((queryKey) => queries.invalidateQueries({ queryKey: [...queryKey] })))
  return {
    fresh,
    async save(comment: string): Promise<boolean> {
      useDraft.setState({ saving: true })
      try {
        const { version } = await api.post<{ version: number }>('/admin/settings', { ...body(), comment })
        await fresh()
        useDraft.setState({
          ...EMPTY,
          place: useDraft.getState().place,
          saved: { version, until: Date.now() + UNDO_FOR * 1000, undone: false },
        })
        return true
      } catch (problem) {
        take(problem)
        if (problem instanceof ApiProblem && problem.code === 'EDIT-RACE') await fresh()
        return false
      } finally {
        useDraft.setState({ saving: false })
      }
    },
    /** A conflict settled: their value stays, or mine goes over it. */
    async settle(mine: ReadonlySet<string>): Promise<void> {
      await fresh()
      const shown = queries.getQueryData<Shown>([...SETTINGS])
      const { edits, race } = useDraft.getState()
      let next = edits
      for (const conflict of race ?? []) {
        if (mine.has(conflict.field)) continue
        const edit = Object.values(edits).find((one) => one.path.join('.') === conflict.field)
        if (edit) next = withoutEdit(next, edit.path)
      }
      useDraft.setState({ race: null, checked: null })
      change(next, shown?.version ?? null)
      await check()
    },
    /** Back to an older version, as a new one. */
    async back(base: number, to?: number): Promise<void> {
      const done = await api.post<{ version: number }>('/admin/settings/undo', {
        base,
        ...(to === undefined ? {} : { to }),
      })
      await fresh()
      useDraft.setState({ saved: { version: done.version, until: Date.now() + UNDO_FOR * 1000, undone: true } })
    },
  }
}

export function useShown() {
  return useQuery({ queryKey: SETTINGS, queryFn: () => api.get<Shown>('/admin/settings'), staleTime: 5000 })
}

export interface Source {
  file: boolean
  line: number | null
}

/** What one page needs of the settings: the tree with the draft laid over it, where keys come from, what is wrong. */
export function useTree(shown: Shown) {
  const edits = useDraft((one) => one.edits)
  const checked = useDraft((one) => one.checked)
  const tree = useMemo(() => applied(shown.tree, edits), [shown.tree, edits])
  const sources = useMemo(
    () => new Map(shown.sources.map((one) => [keyOf(one.path), { file: one.given === 'file', line: one.line }])),
    [shown.sources],
  )
  return useMemo(
    () => ({
      shown,
      tree,
      edits,
      /** Where the file gives it, so that it can't be changed here. */
      fileLine: (path: Path): number | null => {
        const found = sources.get(keyOf(path))
        return found?.file ? found.line : null
      },
      edited: (path: Path) => keyOf(path) in edits || (path.length === 3 && keyOf(path.slice(0, 2)) in edits),
      touched: (table: string, id: string) =>
        Object.values(edits).some((one) => one.path[0] === table && one.path[1] === id),
      /** Of a key or what stands below it; `here` leaves those below out that are told elsewhere. */
      problem: (path: Path, here: (below: string) => boolean = () => true): string | null => {
        const dotted = path.join('.')
        return (
          checked?.problems.find(
            ({ key }) =>
              key.startsWith(dotted) && /^($|[.[])/.test(key.slice(dotted.length)) && here(key.slice(dotted.length)),
          )?.text ?? null
        )
      },
      set: (path: Path, value: unknown) => set(shown, path, value),
    }),
    [shown, tree, edits, sources, checked],
  )
}

export type Settings = ReturnType<typeof useTree>
