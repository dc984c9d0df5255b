/** The flow that is open: its draft with undo, saved by itself; what is wrong with it; what is chosen and shown. */
import { create } from 'zustand'
import { ApiProblem, api, newKey, PREFIX } from '../api/client'
import { flowOf, pathOf } from './api'
import { same } from './difference'
import { noPast, type Past, redone, remembered, undone } from './edit'
import { drawable, type FlowNode, type Graph } from './model'
import type { FlowShown, Paths, Problem, Trial } from './types'

export const PANELS = ['node', 'problems', 'try', 'publish', 'versions', 'figures'] as const
export type Panel = (typeof PANELS)[number]

export interface Race {
  theirs: Graph
  revision: number
  by: string | null
  at: number | null
}

interface Editor {
  id: string
  name: string
  graph: Graph | null
  /** What callers go through now. */
  published: Graph | null
  version: number | null
  /** The draft is kept at the centre, or nothing was changed yet. */
  draft: boolean
  readOnly: boolean
  past: Past
  chosen: ReadonlySet<string>
  copied: Record<string, FlowNode>
  /** Revision of the draft that ours began from. */
  base: number
  saving: 'saved' | 'waits' | 'sent' | 'failed' | 'race'
  failure: unknown
  race: Race | null
  problems: Problem[]
  panel: Panel
  trial: Trial | null
  paths: Paths | null
  /** Exits by which other flows return, where this one goes through them. */
  returns: ReadonlyMap<string, readonly string[]>
  /** Two versions on the drawing at once. */
  compared: { before: Graph; after: Graph } | null
  /** A node that shall come into view, and a count, so that the same one can be asked for again. */
  goal: { node: string; focus: boolean; n: number }
}

const EMPTY: Editor = {
  id: '',
  name: '',
  graph: null,
  published: null,
  version: null,
  draft: false,
  readOnly: true,
  past: noPast,
  chosen: new Set(),
  copied: {},
  base: 0,
  saving: 'saved',
  failure: null,
  race: null,
  problems: [],
  panel: 'node',
  trial: null,
  paths: null,
  returns: new Map(),
  compared: null,
  goal: { node: '', focus: false, n: 0 },
}

export const useEditor = create<Editor>(() => EMPTY)
const { getState: now, setState: put } = useEditor

const AFTER = 700
const AGAIN = 5000
let timer: ReturnType<typeof setTimeout> | undefined
let asked = 0
/** What was sent last: an answer that was lost on its way back isn't somebody else's draft. */
let sent: Graph | null = null

const stored = (id: string) => `centrala.flow.${id}`

/** What the centre hasn't taken yet survives a reload of this tab. */
function keep(): void {
  const { id, graph, base, saving } = now()
  try {
    if (saving === 'saved') sessionStorage.removeItem(stored(id))
    else sessionStorage.setItem(stored(id), JSON.stringify({ base, graph }))
  } catch {
    // It holds for this page.
  }
}

/** The editor was left meanwhile, and the centre has it all. */
function forget(id: string): void {
  try {
    sessionStorage.removeItem(stored(id))
  } catch {
    // As above.
  }
}

function kept(id: string): { base: number; graph: Graph } | null {
  try {
    const found = JSON.parse(sessionStorage.getItem(stored(id)) ?? 'null')
    return found && typeof found.base === 'number' && found.graph?.nodes ? found : null
  } catch {
    return null
  }
}

export function open(shown: FlowShown, mayEdit: boolean): void {
  clearTimeout(timer)
  sent = null
  const readOnly = !mayEdit || shown.origin !== 'screen'
  const unsaved = readOnly ? null : kept(shown.id)
  put({
    ...EMPTY,
    copied: now().copied,
    id: shown.id,
    name: shown.name,
    graph: unsaved?.graph ?? shown.draft?.graph ?? shown.graph,
    published: shown.graph,
    version: shown.version,
    draft: shown.draft !== null,
    base: unsaved?.base ?? shown.draft?.revision ?? 0,
    readOnly,
  })
  if (unsaved) save()
  else if (mayEdit) void check()
}

export function close(): void {
  if (timer && now().saving === 'waits') void send()
  clearTimeout(timer)
  timer = undefined
}

/** Another graph. `what` names the edit, so that typing on in one field is undone at once. */
export function change(graph: Graph, what = ''): void {
  const { graph: before, past, readOnly } = now()
  if (!before || readOnly || graph === before) return
  put({ graph, past: remembered(past, before, what, Date.now()) })
  save()
}

export function edit(how: (graph: Graph) => Graph, what = ''): void {
  const { graph } = now()
  if (graph) change(how(graph), what)
}

function step(way: typeof undone): void {
  const { graph, past, readOnly, chosen } = now()
  const done = graph && !readOnly && way(past, graph)
  if (!done) return
  put({ ...done, chosen: new Set([...chosen].filter((one) => one in done.graph.nodes)) })
  save()
}

export const undo = (): void => step(undone)
export const redo = (): void => step(redone)

function save(): void {
  if (now().saving === 'race') {
    keep()
    return
  }
  // While one is on its way the next waits for it: revisions come one after the other.
  if (now().saving !== 'sent') put({ saving: 'waits' })
  keep()
  clearTimeout(timer)
  timer = setTimeout(() => void send(), AFTER)
}

async function send(): Promise<void> {
  clearTimeout(timer)
  timer = undefined
  const { id, graph, base, saving } = now()
  if (!graph || saving === 'race' || saving === 'sent') return
  put({ saving: 'sent' })
  const before = sent
  sent = graph
  try {
    const { revision, problems } = await api.put<{ revision: number; problems: Problem[] }>(`${pathOf(id)}/draft`, {
      base,
      graph,
    })
    if (now().id !== id) {
      forget(id)
      return
    }
    const still = now().graph === graph
    put({
      base: revision,
      draft: true,
      failure: null,
      saving: still ? 'saved' : 'waits',
      ...(still ? { problems } : {}),
    })
    keep()
    if (!still) timer = setTimeout(() => void send(), AFTER)
  } catch (problem) {
    if (now().id !== id) return
    if (problem instanceof ApiProblem && problem.code === 'EDIT-RACE') {
      const [one] = (problem.body.conflicts ?? []) as (Omit<Race, 'theirs'> & { theirs: Graph | null })[]
      const mine = one?.theirs && (same(one.theirs, graph) || same(one.theirs, before))
      if (one && mine) {
        put({ base: one.revision, saving: 'waits' })
        timer = setTimeout(() => void send(), 0)
      } else if (one?.theirs) put({ saving: 'race', race: { ...one, theirs: drawable(one.theirs) } })
      else if (one) {
        // They published it or threw it away, and nothing is left to choose from: ours goes on.
        put({ base: one.revision, saving: 'waits' })
        timer = setTimeout(() => void send(), 0)
      } else put({ saving: 'failed', failure: problem })
      keep()
      return
    }
    put({ saving: 'failed', failure: problem })
    keep()
    const later =
      problem instanceof ApiProblem && (problem.status === 0 || problem.status >= 500 || problem.status === 429)
    if (later) timer = setTimeout(() => void send(), AGAIN)
  }
}

/** The tab is closed: what waits goes on its way without an answer. Browsers take 64 kB so. */
if (typeof window !== 'undefined')
  window.addEventListener('pagehide', () => {
    const { id, graph, base, saving } = now()
    if (saving !== 'waits' || !graph) return
    sent = graph
    void fetch(`${PREFIX}${pathOf(id)}/draft`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json', 'X-Centrala': '1', 'Idempotency-Key': newKey() },
      body: JSON.stringify({ base, graph }),
      credentials: 'same-origin',
      keepalive: true,
    }).catch(() => {})
  })

/** Until the draft is at the centre, as whatever goes on from it needs; false when it can't be. */
export async function settled(): Promise<boolean> {
  if (now().saving === 'waits' || now().saving === 'failed') await send()
  while (now().saving === 'sent') await new Promise((go) => setTimeout(go, 50))
  if (now().saving === 'waits') return settled()
  return now().saving === 'saved'
}

/** Of two drafts at once one is chosen; the other one can be had back by undo. */
export function choose(mine: boolean): void {
  const { race, graph, past } = now()
  if (!race || !graph) return
  // Theirs is published by now.
  if (race.revision === 0) void refresh()
  if (mine) {
    put({ race: null, base: race.revision, saving: 'waits', compared: null })
    void send()
  } else {
    put({
      race: null,
      base: race.revision,
      graph: race.theirs,
      past: remembered(past, graph, '', Date.now()),
      saving: 'saved',
      chosen: new Set(),
      compared: null,
    })
    keep()
    void check()
  }
}

async function check(): Promise<void> {
  const { id, graph } = now()
  if (!graph) return
  const own = ++asked
  try {
    const { problems } = await api.post<{ problems: Problem[] }>(`${pathOf(id)}/check`, { graph })
    if (own === asked && now().id === id && now().graph === graph) put({ problems })
  } catch {
    // Each save checks anew.
  }
}

/** Another name for people; at once for all, as it is no part of a version. */
export async function rename(name: string): Promise<void> {
  const { id, name: before } = now()
  if (!name || name === before) return
  put({ name })
  try {
    await api.patch(pathOf(id), { name })
  } catch (problem) {
    put({ name: before })
    throw problem
  }
}

export function select(ids: Iterable<string>): void {
  const wanted = new Set(ids)
  const { chosen } = now()
  if (wanted.size === chosen.size && [...wanted].every((one) => chosen.has(one))) return
  put({ chosen: wanted })
}

/** Choose a node and bring it into view; with `focus` its settings have the keyboard. */
export function goTo(node: string, focus = false): void {
  const { goal } = now()
  put({ chosen: new Set([node]), goal: { node, focus, n: goal.n + 1 } })
}

export function show(panel: Panel): void {
  put({ panel, compared: null })
  if (panel === 'publish' || panel === 'versions') void refresh()
}

/** What is published may have changed since the flow was opened. */
async function refresh(): Promise<void> {
  const { id } = now()
  try {
    const shown = await flowOf(id)
    if (now().id === id) put({ published: shown.graph, version: shown.version })
  } catch {
    // What was known stays; publishing itself tells what is wrong.
  }
}
