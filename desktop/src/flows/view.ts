/** What the drawing shows: the draft alone, or with a trial, figures or another version laid over it. */
import { createContext, useContext, useMemo } from 'react'
import { both, type Mark, wayKey } from './difference'
import type { Graph } from './model'
import { type Flowed, flowed, type Walked, walked } from './path'
import { useEditor } from './store'
import type { Problem } from './types'

export interface View {
  graph: Graph
  language: string
  /** Nothing can be moved or joined: it isn't the draft alone. */
  still: boolean
  start: string
  marks: ReadonlyMap<string, Mark>
  ways: ReadonlyMap<string, Mark>
  gone: readonly { node: string; exit: string; to: string }[]
  walked: Walked | null
  flowed: Flowed | null
  problems: ReadonlyMap<string, { errors: number; warnings: number }>
  returns: (flow: string) => readonly string[]
}

const NONE: ReadonlyMap<string, never> = new Map<string, never>()

function counted(problems: readonly Problem[]): Map<string, { errors: number; warnings: number }> {
  const found = new Map<string, { errors: number; warnings: number }>()
  for (const one of problems) {
    const now = found.get(one.node) ?? { errors: 0, warnings: 0 }
    if (one.severity === 'error') now.errors++
    else now.warnings++
    found.set(one.node, now)
  }
  return found
}

const LONELY: Graph = { format: 1, start: '', nodes: {} }

export function useView(language: string): View {
  const { id, graph, readOnly, published, panel, trial, paths, compared, problems } = useEditor()
  const returns = useReturns()
  return useMemo((): View => {
    const own = graph ?? LONELY
    const lay = compared ?? (panel === 'publish' && published && !readOnly ? { before: published, after: own } : null)
    const laid = lay && both(lay.before, lay.after)
    return {
      graph: laid?.graph ?? own,
      language: own.language || language,
      still: readOnly || compared !== null,
      start: (laid?.graph ?? own).start,
      marks: laid?.marks ?? NONE,
      ways: laid?.ways ?? NONE,
      gone: laid?.gone ?? [],
      walked: panel === 'try' && trial && !compared ? walked(trial, id) : null,
      flowed: panel === 'figures' && paths && !compared ? flowed(paths) : null,
      problems: compared ? NONE : counted(problems),
      returns,
    }
  }, [id, graph, readOnly, published, panel, trial, paths, compared, problems, language, returns])
}

/** Exits by which other flows return, as far as they are known here. */
export const useReturnNames = (): ReadonlyMap<string, readonly string[]> => useEditor((one) => one.returns)

function useReturns(): View['returns'] {
  const names = useReturnNames()
  return useMemo(() => (flow: string) => names.get(flow) ?? [], [names])
}

export const ViewContext = createContext<View | null>(null)

export function useShown(): View {
  const found = useContext(ViewContext)
  if (!found) throw new Error('useShown outside of the editor')
  return found
}

export { wayKey }
