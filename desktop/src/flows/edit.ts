/** Edits of a graph: each takes one and gives a new one; what isn't touched stays the same object. */
import { type Case, casesOf, type FlowNode, type Graph, isKey, TYPES } from './model'

/** An id that isn't taken: the type, with a number where needed. */
export function freeId(taken: Record<string, unknown>, wanted: string): string {
  const base = wanted.replace(/-\d+$/, '') || 'node'
  if (!(base in taken)) return base
  for (let n = 2; ; n++) if (!(`${base}-${n}` in taken)) return `${base}-${n}`
}

/** A new node of a type as people want it: with the exits that it can't be without, open. */
export function fresh(type: string): FlowNode {
  const node: FlowNode = { type, exits: {} }
  if (TYPES[type]?.fields.some((one) => one.name === 'prompt')) node.prompt = []
  if (type === 'menu') node.exits = { '1': '', '2': '' }
  if (type === 'collect') node.variable = 'number'
  if (type === 'record') node.variable = 'message'
  if (type === 'survey') node.question = 'score'
  if (type === 'set') node.values = {}
  if (type === 'branch') node.cases = [{ if: '', exit: 'yes' }]
  if (type === 'percentage') node.shares = { a: 50, b: 50 }
  if (type === 'http') node.method = 'GET'
  return node
}

function withNode(graph: Graph, id: string, node: FlowNode): Graph {
  return { ...graph, nodes: { ...graph.nodes, [id]: node } }
}

export function addNode(graph: Graph, node: FlowNode, wanted = node.type): { graph: Graph; id: string } {
  const id = freeId(graph.nodes, wanted)
  const made = withNode(graph, id, node)
  return { graph: made.start in made.nodes ? made : { ...made, start: id }, id }
}

/**
 * A node behind an exit of another: what the exit led to, the new one's first exit leads to. Without an exit given,
 * the first one that leads nowhere is taken.
 */
export function addAfter(
  graph: Graph,
  type: string,
  after: { node: string; exit: string } | null,
  at: [number, number],
): { graph: Graph; id: string } {
  const node = { ...fresh(type), at }
  const { graph: added, id } = addNode(graph, node)
  const before = after && graph.nodes[after.node]
  if (!before) return { graph: added, id }
  const led = before.exits?.[after.exit] ?? ''
  const joined = connect(added, after.node, after.exit, id)
  const through = TYPES[type]?.exits[0]
  return { graph: led && through ? connect(joined, id, through, led) : joined, id }
}

/** Where it is wanted, or below whatever stands there. `tall`: how high a node is drawn. */
export function freePlace(
  graph: Graph,
  wanted: readonly [number, number],
  tall: (id: string) => number = () => 150,
  own = 160,
): [number, number] {
  const [x, top] = wanted
  const others = Object.entries(graph.nodes)
    .filter(([, one]) => one.at && Math.abs(one.at[0] - x) < 240)
    .map(([id, one]) => [one.at![1], one.at![1] + tall(id)] as const)
    .sort((a, b) => a[0] - b[0])
  let y = top
  for (const [from, to] of others) if (from < y + own + 24 && to + 24 > y) y = to + 24
  return [x, Math.round(y)]
}

/** The exit to go on from: the first that leads nowhere, else the first. */
export function openExit(exits: readonly { name: string; to: string; needed: boolean }[]): string | null {
  return (exits.find((one) => !one.to && one.needed) ?? exits.find((one) => one.needed) ?? exits[0])?.name ?? null
}

export function connect(graph: Graph, node: string, exit: string, to: string): Graph {
  const found = graph.nodes[node]
  if (!found || found.exits?.[exit] === to) return graph
  return withNode(graph, node, { ...found, exits: { ...found.exits, [exit]: to } })
}

/** An exit that leads nowhere; a menu's digit stays as one that can be pressed. */
export function disconnect(graph: Graph, node: string, exit: string): Graph {
  const found = graph.nodes[node]
  if (!found?.exits || !(exit in found.exits)) return graph
  if (isKey(found, exit)) return connect(graph, node, exit, '')
  return dropExit(graph, node, exit)
}

export function dropExit(graph: Graph, node: string, exit: string): Graph {
  const found = graph.nodes[node]
  if (!found?.exits || !(exit in found.exits)) return graph
  const { [exit]: _, ...rest } = found.exits
  return withNode(graph, node, { ...found, exits: rest })
}

/** Nodes go, and with them what led to them. */
export function removeNodes(graph: Graph, gone: ReadonlySet<string>): Graph {
  let changed = false
  const nodes: Record<string, FlowNode> = {}
  for (const [id, node] of Object.entries(graph.nodes)) {
    if (gone.has(id)) {
      changed = true
      continue
    }
    const led = Object.entries(node.exits ?? {}).filter(([, to]) => gone.has(to))
    if (!led.length) {
      nodes[id] = node
      continue
    }
    const exits = { ...node.exits }
    for (const [exit] of led) {
      if (isKey(node, exit)) exits[exit] = ''
      else delete exits[exit]
    }
    nodes[id] = { ...node, exits }
  }
  if (!changed) return graph
  return { ...graph, nodes, start: graph.start in nodes ? graph.start : (Object.keys(nodes)[0] ?? '') }
}

/** A field's value; undefined leaves it out. */
export function setField(graph: Graph, id: string, field: string, value: unknown): Graph {
  const node = graph.nodes[id]
  if (!node || node[field] === value) return graph
  const { [field]: _, ...rest } = node
  return withNode(graph, id, value === undefined ? (rest as FlowNode) : { ...node, [field]: value })
}

/** Several fields of one node at once. */
export function setFields(graph: Graph, id: string, values: Record<string, unknown>): Graph {
  return Object.entries(values).reduce((now, [field, value]) => setField(now, id, field, value), graph)
}

export function moveNodes(graph: Graph, places: ReadonlyMap<string, readonly [number, number]>): Graph {
  let nodes = graph.nodes
  for (const [id, at] of places) {
    const node = nodes[id]
    const now: [number, number] = [Math.round(at[0]), Math.round(at[1])]
    if (!node || (node.at?.[0] === now[0] && node.at?.[1] === now[1])) continue
    if (nodes === graph.nodes) nodes = { ...nodes }
    nodes[id] = { ...node, at: now }
  }
  return nodes === graph.nodes ? graph : { ...graph, nodes }
}

/** Another id for a node; what led to it follows. */
export function renameNode(graph: Graph, from: string, to: string): Graph {
  if (from === to || !(from in graph.nodes) || to in graph.nodes || !to) return graph
  const nodes: Record<string, FlowNode> = {}
  for (const [id, node] of Object.entries(graph.nodes)) {
    const led = Object.values(node.exits ?? {}).includes(from)
    const exits = led
      ? Object.fromEntries(Object.entries(node.exits!).map(([exit, target]) => [exit, target === from ? to : target]))
      : node.exits
    nodes[id === from ? to : id] = led ? { ...node, exits } : node
  }
  return { ...graph, nodes, start: graph.start === from ? to : graph.start }
}

export function renameExit(graph: Graph, id: string, from: string, to: string): Graph {
  const node = graph.nodes[id]
  if (!node || from === to || !(from in (node.exits ?? {}))) return graph
  const exits = Object.fromEntries(
    Object.entries(node.exits!).map(([exit, target]) => [exit === from ? to : exit, target]),
  )
  return withNode(graph, id, { ...node, exits })
}

/** The cases of a branch. An exit whose name was changed keeps its target; one that no case names any more goes. */
export function setCases(graph: Graph, id: string, cases: Case[]): Graph {
  const node = graph.nodes[id]
  if (!node) return graph
  const before = casesOf(node)
  let made = setField(graph, id, 'cases', cases)
  if (before.length === cases.length) {
    for (const [index, one] of cases.entries()) {
      const old = before[index]!.exit
      if (old !== one.exit && !cases.some((other) => other.exit === old) && one.exit)
        made = renameExit(made, id, old, one.exit)
    }
  }
  const kept = new Set([...cases.map((one) => one.exit), 'else'])
  for (const exit of Object.keys(made.nodes[id]!.exits ?? {})) if (!kept.has(exit)) made = dropExit(made, id, exit)
  return made
}

/** The shares of a `percentage`, in order; as with cases, a renamed one keeps its target. */
export function setShares(graph: Graph, id: string, shares: [string, number][]): Graph {
  const node = graph.nodes[id]
  if (!node) return graph
  const before = Object.keys((node.shares as Record<string, number>) ?? {})
  const names = shares.map(([name]) => name)
  let made = setField(graph, id, 'shares', Object.fromEntries(shares))
  if (before.length === names.length) {
    for (const [index, name] of names.entries()) {
      const old = before[index]!
      if (old !== name && !names.includes(old) && name) made = renameExit(made, id, old, name)
    }
  }
  for (const exit of Object.keys(made.nodes[id]!.exits ?? {}))
    if (!names.includes(exit)) made = dropExit(made, id, exit)
  return made
}

/** What is copied: the chosen nodes, with the ways between them. */
export function copied(graph: Graph, chosen: ReadonlySet<string>): Record<string, FlowNode> {
  const nodes: Record<string, FlowNode> = {}
  for (const id of chosen) {
    const node = graph.nodes[id]
    if (!node) continue
    const exits = Object.fromEntries(
      Object.entries(node.exits ?? {})
        .map(([exit, to]) => [exit, chosen.has(to) ? to : ''] as const)
        .filter(([exit, to]) => to || isKey(node, exit)),
    )
    nodes[id] = { ...structuredClone(node), exits }
  }
  return nodes
}

/** Copied nodes laid beside where they were, under new ids. */
export function pasted(
  graph: Graph,
  nodes: Record<string, FlowNode>,
  shift: readonly [number, number] = [40, 40],
): { graph: Graph; ids: string[] } {
  const names = new Map<string, string>()
  const all: Record<string, FlowNode> = { ...graph.nodes }
  for (const [id, node] of Object.entries(nodes)) {
    const own = freeId(all, id)
    names.set(id, own)
    all[own] = node
  }
  for (const [id, own] of names) {
    const node = structuredClone(nodes[id]!)
    const [x, y] = node.at ?? [0, 0]
    all[own] = {
      ...node,
      at: [x + shift[0], y + shift[1]],
      exits: Object.fromEntries(Object.entries(node.exits ?? {}).map(([exit, to]) => [exit, names.get(to) ?? ''])),
    }
  }
  const made = { ...graph, nodes: all }
  return {
    graph: made.start in all ? made : { ...made, start: [...names.values()][0] ?? '' },
    ids: [...names.values()],
  }
}

// --- undo ---

export interface Past {
  before: readonly Graph[]
  after: readonly Graph[]
  /** What the last edit was of: typing on in the same field is one step. */
  what: string
  at: number
}

export const noPast: Past = { before: [], after: [], what: '', at: 0 }

const STEPS = 200
const TOGETHER = 1500

export function remembered(past: Past, graph: Graph, what: string, at: number): Past {
  if (what && what === past.what && at - past.at < TOGETHER && past.before.length) return { ...past, after: [], at }
  return { before: [...past.before.slice(-STEPS + 1), graph], after: [], what, at }
}

export function undone(past: Past, graph: Graph): { past: Past; graph: Graph } | null {
  const last = past.before.at(-1)
  if (!last) return null
  return { past: { before: past.before.slice(0, -1), after: [graph, ...past.after], what: '', at: 0 }, graph: last }
}

export function redone(past: Past, graph: Graph): { past: Past; graph: Graph } | null {
  const next = past.after[0]
  if (!next) return null
  return { past: { before: [...past.before, graph], after: past.after.slice(1), what: '', at: 0 }, graph: next }
}
