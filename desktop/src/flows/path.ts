/** What a trial and the figures of a flow mean on its drawing. */
import type { Graph } from './model'
import type { Paths, Trial } from './types'

export interface Walked {
  /** Node → when it was first come to, from 1. */
  nodes: Map<string, number>
  /** "node/exit" that were taken. */
  ways: Set<string>
  /** Where it ended or waits. */
  last: string
}

/** The way of a trial through one flow (of those that it went through). */
export function walked(trial: Trial, flow: string): Walked {
  const nodes = new Map<string, number>()
  const ways = new Set<string>()
  for (const step of trial.steps) {
    if (step.kind !== 'node' || step.flow !== flow) continue
    if (!nodes.has(step.node)) nodes.set(step.node, nodes.size + 1)
  }
  for (const one of trial.path) if (one.flow === flow && one.exit) ways.add(`${one.node}/${one.exit}`)
  return { nodes, ways, last: trial.end.node }
}

export interface Flowed {
  /** "node/exit" → how many went by it, and which share of those who came to the node. */
  ways: Map<string, { count: number; share: number }>
  nodes: Map<string, { entered: number; left: number; share: number; failed: number }>
  /** Those who came to the busiest node. */
  most: number
}

/** Figures as the drawing needs them; shares are of those who came to the node, hang-ups too. */
export function flowed(paths: Paths): Flowed {
  const ways = new Map<string, { count: number; share: number }>()
  const nodes = new Map<string, { entered: number; left: number; share: number; failed: number }>()
  let most = 0
  for (const one of paths.nodes) {
    most = Math.max(most, one.entered)
    const of = one.entered || 1
    nodes.set(one.node, { entered: one.entered, left: one.left, share: one.left / of, failed: one.failed })
    for (const { exit, count } of one.exits) ways.set(`${one.node}/${exit}`, { count, share: count / of })
  }
  return { ways, nodes, most }
}

/** How wide a way is drawn: 1.5 px for nobody, 10 px for all who called. */
export const widthOf = (count: number, most: number): number => 1.5 + 8.5 * Math.min(1, count / Math.max(1, most))

/** Nodes in the order in which a caller could come to them, each once with how deep it lies: the flow as an outline. */
export function outline(graph: Graph): { node: string; depth: number; by: string }[] {
  const seen = new Set<string>()
  const found: { node: string; depth: number; by: string }[] = []
  const walk = (root: string) => {
    const open = [{ node: root, depth: 0, by: '' }]
    while (open.length) {
      const one = open.pop()!
      const node = graph.nodes[one.node]
      if (!node || seen.has(one.node)) continue
      seen.add(one.node)
      found.push(one)
      const exits = Object.entries(node.exits ?? {}).reverse()
      // A single way on is no branch: what follows stands below, not further in.
      const depth = one.depth + (exits.length > 1 ? 1 : 0)
      for (const [exit, to] of exits) open.push({ node: to, depth, by: exit })
    }
  }
  walk(graph.start)
  for (const id of Object.keys(graph.nodes)) walk(id)
  return found
}
