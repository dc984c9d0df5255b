/** What differs between two versions of a flow. Where nodes stand on the drawing is no difference. */
import { freePlace } from './edit'
import type { FlowNode, Graph } from './model'

export type Mark = 'added' | 'removed' | 'changed'

export interface FieldChange {
  /** Name of the field; of an exit `exits.NAME`. */
  field: string
  before: unknown
  after: unknown
}

export interface NodeChange {
  node: string
  kind: Mark
  type: string
  title: string
  fields: FieldChange[]
}

export interface Difference {
  nodes: NodeChange[]
  /** start, language, voice */
  flow: FieldChange[]
}

/** Equal as JSON is: the order of keys doesn't count. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((one, index) => same(one, b[index]))
  }
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false
  const mine = Object.keys(a).filter((key) => (a as Record<string, unknown>)[key] !== undefined)
  const theirs = Object.keys(b).filter((key) => (b as Record<string, unknown>)[key] !== undefined)
  return (
    mine.length === theirs.length &&
    mine.every((key) => same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  )
}

const UNSEEN = new Set(['at', 'exits'])

function fieldsOf(before: FlowNode, after: FlowNode): FieldChange[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)].filter((one) => !UNSEEN.has(one)))
  const found: FieldChange[] = []
  for (const field of names)
    if (!same(before[field], after[field])) found.push({ field, before: before[field], after: after[field] })
  const exits = new Set([...Object.keys(before.exits ?? {}), ...Object.keys(after.exits ?? {})])
  for (const exit of exits) {
    const from = before.exits?.[exit]
    const to = after.exits?.[exit]
    if (from !== to) found.push({ field: `exits.${exit}`, before: from, after: to })
  }
  return found
}

export function difference(before: Graph, after: Graph): Difference {
  const nodes: NodeChange[] = []
  const change = (node: string, kind: Mark, of: FlowNode, fields: FieldChange[] = []) =>
    nodes.push({ node, kind, type: of.type, title: of.title ?? '', fields })
  for (const [id, node] of Object.entries(after.nodes)) {
    const old = before.nodes[id]
    if (!old) change(id, 'added', node)
    else {
      const fields = fieldsOf(old, node)
      if (fields.length) change(id, 'changed', node, fields)
    }
  }
  for (const [id, node] of Object.entries(before.nodes)) if (!(id in after.nodes)) change(id, 'removed', node)
  const flow = (['start', 'language', 'voice'] as const)
    .filter((field) => (before[field] ?? '') !== (after[field] ?? ''))
    .map((field) => ({ field, before: before[field], after: after[field] }))
  return { nodes, flow }
}

export const nothingDiffers = (one: Difference): boolean => one.nodes.length === 0 && one.flow.length === 0

export const wayKey = (node: string, exit: string, to: string): string => `${node}/${exit}/${to}`

/** Both in one drawing: the later version, with what went from it as it was before. */
export function both(
  before: Graph,
  after: Graph,
): {
  graph: Graph
  marks: Map<string, Mark>
  ways: Map<string, Mark>
  gone: { node: string; exit: string; to: string }[]
} {
  const marks = new Map<string, Mark>(difference(before, after).nodes.map((one) => [one.node, one.kind]))
  const nodes = { ...after.nodes }
  for (const [id, node] of Object.entries(before.nodes)) {
    if (id in nodes) continue
    // Where something else stands now, it is drawn below.
    nodes[id] = node.at ? { ...node, at: freePlace({ ...after, nodes }, node.at) } : node
  }
  const ways = new Map<string, Mark>()
  const gone: { node: string; exit: string; to: string }[] = []
  const waysOf = (graph: Graph) =>
    Object.entries(graph.nodes).flatMap(([node, one]) =>
      Object.entries(one.exits ?? {})
        .filter(([, to]) => to)
        .map(([exit, to]) => ({ node, exit, to })),
    )
  const old = new Set(waysOf(before).map((one) => wayKey(one.node, one.exit, one.to)))
  const now = new Set(waysOf(after).map((one) => wayKey(one.node, one.exit, one.to)))
  for (const key of now) if (!old.has(key)) ways.set(key, 'added')
  for (const one of waysOf(before)) {
    const key = wayKey(one.node, one.exit, one.to)
    if (now.has(key)) continue
    ways.set(key, 'removed')
    gone.push(one)
    // It is drawn from its exit, which may be gone as well.
    const node = nodes[one.node]!
    if (!(one.exit in (node.exits ?? {}))) nodes[one.node] = { ...node, exits: { ...node.exits, [one.exit]: '' } }
  }
  return { graph: { ...after, nodes }, marks, ways, gone }
}
