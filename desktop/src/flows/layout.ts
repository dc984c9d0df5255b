/**
 * Where nodes stand: layers from left to right by the longest way from the start, few crossings, straight lines where
 * that can be. Loops back are left out of the layers. All sizes in px of the drawing.
 */
import { exitsOf, type Graph } from './model'

export const WIDTH = 220
const COLUMN = WIDTH + 90
const GAP = 28
const HEAD = 36
const EXIT = 26
const LANE = 12
/** Layers. */
const LONG = 8

interface Way {
  to: string
  /** From the top of the node. */
  port: number
}

export function layout(
  graph: Graph,
  tall: (id: string) => number = () => 120,
  returns?: (flow: string) => readonly string[],
): Map<string, [number, number]> {
  const ids = Object.keys(graph.nodes)
  const ways = new Map<string, Way[]>()
  for (const id of ids) {
    const exits = exitsOf(graph.nodes[id]!, returns)
    const top = tall(id) - exits.length * EXIT - 8
    ways.set(
      id,
      exits
        .map((one, index) => ({ to: one.to, port: top + index * EXIT + EXIT / 2 }))
        .filter((one) => one.to in graph.nodes && one.to !== id),
    )
  }
  const roots = rootsOf(graph, ids, ways)
  const direct = withoutLoops(roots, ways)
  const layer = layersOf(ids, direct)
  const forward = withLanes(direct, layer)
  const size = (id: string) => (id in graph.nodes ? tall(id) : LANE)
  const columns: string[][] = []
  for (const id of orderOf(roots, forward)) (columns[layer.get(id)!] ??= []).push(id)
  for (let i = 0; i < columns.length; i++) columns[i] ??= []
  const back = new Map<string, Way[]>([...forward.keys()].map((id) => [id, []]))
  for (const [id, all] of forward) for (const one of all) back.get(one.to)!.push({ to: id, port: one.port })
  untangle(columns, forward, back)
  const y = heights(columns, forward, back, size)
  return new Map(ids.map((id) => [id, [layer.get(id)! * COLUMN, Math.round(y.get(id)!)]]))
}

/** The start, then whatever it doesn't reach, so that everything is drawn. */
function rootsOf(graph: Graph, ids: string[], ways: Map<string, Way[]>): string[] {
  const led = new Set([...ways.values()].flat().map((one) => one.to))
  const wanted = [graph.start, ...ids.filter((id) => !led.has(id)), ...ids].filter((id) => id in graph.nodes)
  const seen = new Set<string>()
  const roots: string[] = []
  for (const root of wanted) {
    if (seen.has(root)) continue
    roots.push(root)
    const open = [root]
    while (open.length) {
      const id = open.pop()!
      if (seen.has(id)) continue
      seen.add(id)
      for (const one of ways.get(id)!) open.push(one.to)
    }
  }
  return roots
}

/** Ways that don't lead back to where one came from. */
function withoutLoops(roots: string[], ways: Map<string, Way[]>): Map<string, Way[]> {
  const state = new Map<string, 'open' | 'done'>()
  const kept = new Map<string, Way[]>([...ways.keys()].map((id) => [id, []]))
  for (const root of roots) {
    if (state.has(root)) continue
    const stack: { id: string; next: number }[] = [{ id: root, next: 0 }]
    state.set(root, 'open')
    while (stack.length) {
      const top = stack.at(-1)!
      const way = ways.get(top.id)![top.next++]
      if (!way) {
        state.set(top.id, 'done')
        stack.pop()
      } else if (state.get(way.to) !== 'open') {
        kept.get(top.id)!.push(way)
        if (!state.has(way.to)) {
          state.set(way.to, 'open')
          stack.push({ id: way.to, next: 0 })
        }
      }
    }
  }
  return kept
}

function layersOf(ids: string[], forward: Map<string, Way[]>): Map<string, number> {
  const waits = new Map<string, number>(ids.map((id) => [id, 0]))
  for (const all of forward.values()) for (const one of all) waits.set(one.to, waits.get(one.to)! + 1)
  const layer = new Map<string, number>(ids.map((id) => [id, 0]))
  const open = ids.filter((id) => waits.get(id) === 0)
  while (open.length) {
    const id = open.pop()!
    for (const { to } of forward.get(id)!) {
      layer.set(to, Math.max(layer.get(to)!, layer.get(id)! + 1))
      waits.set(to, waits.get(to)! - 1)
      if (waits.get(to) === 0) open.push(to)
    }
  }
  return layer
}

/**
 * A way over several layers keeps a lane free in those between, so that it runs over no card. Ways to one node share
 * theirs; those that are very long go without.
 */
function withLanes(forward: Map<string, Way[]>, layer: Map<string, number>): Map<string, Way[]> {
  const made = new Map<string, Way[]>([...forward.keys()].map((id) => [id, []]))
  const laned = (to: string, at: number): string => {
    const id = `\0${at}\0${to}`
    if (!made.has(id)) {
      layer.set(id, at)
      made.set(id, [])
      const next = at + 1 === layer.get(to) ? to : laned(to, at + 1)
      made.set(id, [{ to: next, port: LANE / 2 }])
    }
    return id
  }
  for (const [id, all] of forward) {
    for (const way of all) {
      const from = layer.get(id)!
      const span = layer.get(way.to)! - from
      made.get(id)!.push(span > 1 && span <= LONG ? { ...way, to: laned(way.to, from + 1) } : way)
    }
  }
  return made
}

/** As a person would tell it: depth first, exits from the top. */
function orderOf(roots: string[], forward: Map<string, Way[]>): string[] {
  const seen = new Set<string>()
  const order: string[] = []
  for (const root of roots) {
    const open = [root]
    while (open.length) {
      const id = open.pop()!
      if (seen.has(id)) continue
      seen.add(id)
      order.push(id)
      for (const one of [...forward.get(id)!].reverse()) open.push(one.to)
    }
  }
  return order
}

function untangle(columns: string[][], forward: Map<string, Way[]>, back: Map<string, Way[]>): void {
  const place = new Map<string, number>()
  const number = (column: string[]) => {
    for (const [index, id] of column.entries()) place.set(id, index)
  }
  for (const column of columns) number(column)
  const sort = (column: string[], ways: Map<string, Way[]>) => {
    const weight = new Map(
      column.map((id) => {
        const all = ways.get(id)!
        const sum = all.reduce((now, one) => now + place.get(one.to)! + one.port / 10_000, 0)
        return [id, all.length ? sum / all.length : place.get(id)!] as const
      }),
    )
    column.sort((a, b) => weight.get(a)! - weight.get(b)! || place.get(a)! - place.get(b)!)
    number(column)
  }
  for (let sweep = 0; sweep < 4; sweep++) {
    for (const column of columns.slice(1)) sort(column, back)
    for (const column of columns.slice(0, -1).reverse()) sort(column, forward)
  }
  for (const column of columns.slice(1)) sort(column, back)
}

/** Where ways come in, from the top. */
const inlet = (id: string): number => (id.startsWith('\0') ? LANE / 2 : HEAD / 2)

function heights(
  columns: string[][],
  forward: Map<string, Way[]>,
  back: Map<string, Way[]>,
  tall: (id: string) => number,
): Map<string, number> {
  const y = new Map<string, number>()
  for (const column of columns) {
    let top = 0
    for (const id of column) {
      y.set(id, top)
      top += tall(id) + GAP
    }
  }
  const mean = (all: number[], otherwise: number) =>
    all.length ? all.reduce((sum, one) => sum + one, 0) / all.length : otherwise
  for (let pass = 0; pass < 6; pass++) {
    const onward = pass % 2 === 0
    for (const column of onward ? columns.slice(1) : columns.slice(0, -1).reverse()) {
      const wanted = column.map((id) =>
        onward
          ? mean(
              back.get(id)!.map((one) => y.get(one.to)! + one.port - inlet(id)),
              y.get(id)!,
            )
          : mean(
              forward.get(id)!.map((one) => y.get(one.to)! + inlet(one.to) - one.port),
              y.get(id)!,
            ),
      )
      for (const [index, top] of apart(wanted, column.map(tall)).entries()) y.set(column[index]!, top)
    }
  }
  const least = Math.min(0, ...y.values())
  for (const [id, top] of y) y.set(id, top - least)
  return y
}

/** As near as can be to where each wants to be, in order and not over each other (pool adjacent violators). */
export function apart(wanted: number[], sizes: number[]): number[] {
  const offset: number[] = []
  let sum = 0
  for (const size of sizes) {
    offset.push(sum)
    sum += size + GAP
  }
  const blocks: { mean: number; count: number }[] = []
  for (const [index, one] of wanted.entries()) {
    let block = { mean: one - offset[index]!, count: 1 }
    while (blocks.length && blocks.at(-1)!.mean > block.mean) {
      const last = blocks.pop()!
      const count = last.count + block.count
      block = { mean: (last.mean * last.count + block.mean * block.count) / count, count }
    }
    blocks.push(block)
  }
  return blocks
    .flatMap((block) => Array<number>(block.count).fill(block.mean))
    .map((one, index) => one + offset[index]!)
}
