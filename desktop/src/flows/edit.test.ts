import { describe, expect, it } from 'vitest'
import {
  addAfter,
  connect,
  copied,
  disconnect,
  freeId,
  freePlace,
  fresh,
  moveNodes,
  noPast,
  openExit,
  pasted,
  redone,
  remembered,
  removeNodes,
  renameNode,
  setCases,
  setField,
  setShares,
  undone,
} from './edit'
import { exitsOf, type Graph, TYPES } from './model'

const shop: Graph = {
  format: 1,
  start: 'hello',
  nodes: {
    hello: { type: 'say', prompt: ['Hello'], at: [0, 0], exits: { next: 'main' } },
    main: {
      type: 'menu',
      prompt: [],
      at: [300, 0],
      exits: { '1': 'sales', '2': 'bye', timeout: 'bye', invalid: 'main' },
    },
    sales: { type: 'queue', queue: 'sales', at: [600, 0], exits: {} },
    bye: { type: 'hang_up', at: [600, 200] },
  },
}

/** Every exit leads to a node that is there, or is open. */
function sound(graph: Graph): void {
  for (const node of Object.values(graph.nodes))
    for (const to of Object.values(node.exits ?? {})) expect(to === '' || to in graph.nodes).toBe(true)
  if (Object.keys(graph.nodes).length) expect(graph.start in graph.nodes).toBe(true)
}

describe('edits of a graph', () => {
  it('leave the graph that they were given as it was', () => {
    const before = structuredClone(shop)
    removeNodes(shop, new Set(['main', 'hello']))
    connect(shop, 'main', '3', 'sales')
    renameNode(shop, 'bye', 'end')
    pasted(shop, copied(shop, new Set(['main', 'sales'])))
    addAfter(shop, 'say', { node: 'main', exit: '1' }, [0, 0])
    expect(shop).toEqual(before)
  })

  it('give the same graph where nothing changes', () => {
    expect(connect(shop, 'main', '1', 'sales')).toBe(shop)
    expect(disconnect(shop, 'main', '9')).toBe(shop)
    expect(removeNodes(shop, new Set(['nobody']))).toBe(shop)
    expect(moveNodes(shop, new Map([['main', [300, 0]]]))).toBe(shop)
    expect(setField(shop, 'sales', 'queue', 'sales')).toBe(shop)
  })

  it('put a node between two', () => {
    const { graph, id } = addAfter(shop, 'say', { node: 'main', exit: '1' }, [450, 0])
    expect(id).toBe('say')
    expect(graph.nodes.main!.exits!['1']).toBe('say')
    expect(graph.nodes.say!.exits!.next).toBe('sales')
  })

  it('add a node of every type, with the exits it needs', () => {
    for (const type of Object.keys(TYPES)) {
      const { graph, id } = addAfter(shop, type, null, [0, 0])
      expect(graph.nodes[id]!.type).toBe(type)
      sound(graph)
    }
    expect(exitsOf(fresh('menu')).map((one) => one.name)).toEqual(['1', '2', 'timeout', 'invalid'])
    expect(exitsOf(fresh('branch')).map((one) => one.name)).toEqual(['yes', 'else'])
    expect(exitsOf(fresh('percentage')).map((one) => one.name)).toEqual(['a', 'b'])
  })

  it('take nodes away with what led to them; a menu keeps its keys', () => {
    const graph = removeNodes(shop, new Set(['sales', 'bye']))
    expect(graph.nodes.main!.exits).toEqual({ '1': '', '2': '', invalid: 'main' })
    sound(graph)
    const without = removeNodes(shop, new Set(['hello']))
    expect(without.start).toBe('main')
    sound(without)
    sound(removeNodes(shop, new Set(Object.keys(shop.nodes))))
  })

  it('disconnect an exit, and keep a key that can be pressed', () => {
    expect(disconnect(shop, 'main', '1').nodes.main!.exits!['1']).toBe('')
    expect('timeout' in disconnect(shop, 'main', 'timeout').nodes.main!.exits!).toBe(false)
  })

  it('rename a node everywhere', () => {
    const graph = renameNode(shop, 'main', 'menu')
    expect(graph.nodes.hello!.exits!.next).toBe('menu')
    expect(graph.nodes.menu!.exits!.invalid).toBe('menu')
    expect(renameNode(shop, 'main', 'bye')).toBe(shop)
    expect(renameNode(shop, 'hello', 'begin').start).toBe('begin')
  })

  it('copy what is chosen with the ways between', () => {
    const { graph, ids } = pasted(shop, copied(shop, new Set(['main', 'sales'])))
    expect(ids).toEqual(['main-2', 'sales-2'])
    expect(graph.nodes['main-2']!.exits).toEqual({ '1': 'sales-2', '2': '', invalid: 'main-2' })
    expect(graph.nodes['main-2']!.at).toEqual([340, 40])
    sound(graph)
    const twice = pasted(graph, copied(graph, new Set(ids)))
    expect(twice.ids).toEqual(['main-3', 'sales-3'])
  })

  it('find ids and places that are free', () => {
    expect(freeId({ say: 1, 'say-2': 1 }, 'say-2')).toBe('say-3')
    expect(freePlace(shop, [600, 0])[1]).toBeGreaterThan(200)
    expect(freePlace(shop, [5000, 7])).toEqual([5000, 7])
  })

  it('choose the exit to go on from', () => {
    expect(openExit(exitsOf(disconnect(shop, 'main', '2').nodes.main!))).toBe('2')
    expect(openExit(exitsOf(shop.nodes.hello!))).toBe('next')
    expect(openExit(exitsOf(shop.nodes.bye!))).toBeNull()
    expect(openExit(exitsOf(shop.nodes.sales!))).toBe('full')
  })

  it('let the exit of a case keep its target under a new name', () => {
    const { graph, id } = addAfter(shop, 'branch', null, [0, 0])
    const joined = connect(connect(graph, id, 'yes', 'sales'), id, 'else', 'bye')
    const renamed = setCases(joined, id, [{ if: 'a > 1', exit: 'rich' }])
    expect(renamed.nodes[id]!.exits).toEqual({ rich: 'sales', else: 'bye' })
    const two = setCases(renamed, id, [
      ...(renamed.nodes[id]!.cases as { if: string; exit: string }[]),
      { if: 'b', exit: 'poor' },
    ])
    expect(two.nodes[id]!.exits).toEqual({ rich: 'sales', else: 'bye' })
    const one = setCases(connect(two, id, 'poor', 'bye'), id, [{ if: 'b', exit: 'poor' }])
    expect(one.nodes[id]!.exits).toEqual({ poor: 'bye', else: 'bye' })
  })

  it('let a share keep its target under a new name', () => {
    const { graph, id } = addAfter(shop, 'percentage', null, [0, 0])
    const joined = connect(graph, id, 'a', 'sales')
    const made = setShares(joined, id, [
      ['new', 10],
      ['b', 90],
    ])
    expect(made.nodes[id]!.exits).toEqual({ new: 'sales' })
    expect(setShares(made, id, [['b', 100]]).nodes[id]!.exits).toEqual({})
  })
})

describe('undo', () => {
  it('goes back and forth, and a new edit ends the way forth', () => {
    const one = setField(shop, 'hello', 'title', 'A')
    const past = remembered(noPast, shop, '', 0)
    const back = undone(past, one)!
    expect(back.graph).toBe(shop)
    expect(redone(back.past, shop)!.graph).toBe(one)
    expect(remembered(back.past, shop, '', 9).after).toEqual([])
    expect(undone(noPast, shop)).toBeNull()
    expect(redone(noPast, shop)).toBeNull()
  })

  it('takes typing in one field as one step, until there was a pause', () => {
    let past = remembered(noPast, shop, 'hello title', 1000)
    past = remembered(past, setField(shop, 'hello', 'title', 'A'), 'hello title', 1300)
    expect(past.before).toHaveLength(1)
    past = remembered(past, setField(shop, 'hello', 'title', 'AB'), 'hello title', 9000)
    expect(past.before).toHaveLength(2)
    past = remembered(past, setField(shop, 'hello', 'title', 'ABC'), 'main title', 9100)
    expect(past.before).toHaveLength(3)
  })

  it('is bounded', () => {
    let past = noPast
    for (let n = 0; n < 1000; n++) past = remembered(past, shop, '', n)
    expect(past.before.length).toBeLessThanOrEqual(200)
  })
})
