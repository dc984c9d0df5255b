/** Layout, difference, the way of a trial, figures, what stands on cards. */
import { describe, expect, it } from 'vitest'
import { both, difference, nothingDiffers, same, wayKey } from './difference'
import { apart, layout } from './layout'
import {
  drawable,
  exitsOf,
  type FlowNode,
  type Graph,
  gistOf,
  languagesOf,
  promptLine,
  returnsOf,
  samplesOf,
  TYPES,
  variablesOf,
} from './model'
import { flowed, outline, walked, widthOf } from './path'
import type { Trial } from './types'

const node = (type: string, exits: Record<string, string> = {}, more: object = {}): FlowNode => ({
  type,
  exits,
  ...more,
})

const shop: Graph = {
  format: 1,
  start: 'hello',
  language: 'pl',
  nodes: {
    hello: node('say', { next: 'main' }, { prompt: ['Dzień dobry'] }),
    main: node('menu', { '1': 'sales', '2': 'status', timeout: 'main', invalid: 'bye' }, { prompt: ['Wybierz'] }),
    status: node('collect', { next: 'bye', timeout: 'main', invalid: 'bye' }, { variable: 'order', prompt: [] }),
    sales: node('queue', {}, { queue: 'sales' }),
    bye: node('hang_up'),
  },
}

function chain(n: number): Graph {
  const nodes: Record<string, FlowNode> = {}
  // A deterministic tangle: each node leads on, to one further off, and back.
  for (let i = 0; i < n; i++)
    nodes[`n${i}`] = node('menu', {
      '1': `n${Math.min(n - 1, i + 1)}`,
      '2': `n${(i * 7 + 3) % n}`,
      timeout: `n${Math.max(0, i - 5)}`,
      invalid: `n${n - 1}`,
    })
  return { format: 1, start: 'n0', nodes }
}

describe('layout', () => {
  it('goes from left to right and puts nothing over anything', () => {
    const places = layout(shop)
    const x = (id: string) => places.get(id)![0]
    expect(x('hello')).toBeLessThan(x('main'))
    expect(x('main')).toBeLessThan(x('status'))
    expect(x('status')).toBeLessThan(x('bye'))
    expect(x('sales')).toBe(x('status'))
  })

  it('draws 500 tangled nodes apart from each other, in good time', () => {
    const graph = chain(500)
    const tall = (id: string) => 100 + (Number(id.slice(1)) % 5) * 40
    const start = performance.now()
    const places = layout(graph, tall)
    expect(performance.now() - start).toBeLessThan(2000)
    expect(places.size).toBe(500)
    const columns = new Map<number, { top: number; bottom: number }[]>()
    for (const [id, [x, y]] of places) {
      expect(Number.isFinite(x) && Number.isFinite(y)).toBe(true)
      columns.set(x, [...(columns.get(x) ?? []), { top: y, bottom: y + tall(id) }])
    }
    for (const column of columns.values()) {
      column.sort((a, b) => a.top - b.top)
      for (let i = 1; i < column.length; i++) expect(column[i]!.top).toBeGreaterThanOrEqual(column[i - 1]!.bottom)
    }
  })

  it('draws what the start does not reach, exits that lead nowhere, loops and nothing at all', () => {
    const graph: Graph = {
      format: 1,
      start: 'gone',
      nodes: {
        a: node('say', { next: 'a' }),
        b: node('say', { next: 'c' }),
        c: node('say', { next: 'b' }),
        d: node('say', { next: 'x' }),
      },
    }
    expect(layout(graph).size).toBe(4)
    expect(layout({ format: 1, start: '', nodes: {} }).size).toBe(0)
  })

  it('keeps a lane free for a way that passes a node', () => {
    const graph: Graph = {
      format: 1,
      start: 'a',
      nodes: {
        a: node('menu', { '1': 'b', timeout: 'c', invalid: 'c' }),
        b: node('say', { next: 'c' }),
        c: node('hang_up'),
      },
    }
    const places = layout(graph, () => 100)
    const [, top] = places.get('b')!
    // The height at which ways come into `c`, from ports of `a`: none of it within the card of `b`.
    const line = places.get('c')![1] + 18
    expect(line < top || line > top + 100).toBe(true)
  })

  it('is the same for the same graph', () => {
    expect([...layout(chain(60))]).toEqual([...layout(chain(60))])
  })

  it('puts each as near as can be to where it wants to be', () => {
    expect(apart([0, 1000], [100, 100])).toEqual([0, 1000])
    const [a, b] = apart([50, 50], [100, 100]) as [number, number]
    expect(b - a).toBeGreaterThanOrEqual(100)
    expect((a + b) / 2).toBeCloseTo(50)
  })
})

describe('difference', () => {
  const after: Graph = {
    ...shop,
    language: 'en',
    nodes: {
      ...shop.nodes,
      hello: { ...shop.nodes.hello!, at: [9, 9], prompt: ['Dobry wieczór'] },
      main: node('menu', { '1': 'bye', '3': 'mail', timeout: 'main', invalid: 'bye' }, { prompt: ['Wybierz'] }),
      mail: node('email', { next: 'bye' }, { to: 'a@example.com' }),
    },
  }
  delete (after.nodes as Record<string, unknown>).status

  it('tells nodes that came, went and changed, with their fields and exits', () => {
    const found = difference(shop, after)
    expect(Object.fromEntries(found.nodes.map((one) => [one.node, one.kind]))).toEqual({
      hello: 'changed',
      main: 'changed',
      mail: 'added',
      status: 'removed',
    })
    expect(found.nodes.find((one) => one.node === 'hello')!.fields).toEqual([
      { field: 'prompt', before: ['Dzień dobry'], after: ['Dobry wieczór'] },
    ])
    expect(
      found.nodes
        .find((one) => one.node === 'main')!
        .fields.map((one) => one.field)
        .sort(),
    ).toEqual(['exits.1', 'exits.2', 'exits.3'])
    expect(found.flow).toEqual([{ field: 'language', before: 'pl', after: 'en' }])
  })

  it('says nothing of places, and of the order of keys', () => {
    const moved: Graph = { ...shop, nodes: { ...shop.nodes, bye: { at: [1, 2], exits: {}, type: 'hang_up' } } }
    expect(nothingDiffers(difference(shop, moved))).toBe(true)
    expect(same({ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1 })).toBe(true)
    expect(same([1], { 0: 1 })).toBe(false)
    expect(same({ a: undefined }, {})).toBe(true)
  })

  it('lays both over each other', () => {
    const { graph, marks, ways, gone } = both(shop, after)
    expect(Object.keys(graph.nodes)).toContain('status')
    expect(marks.get('status')).toBe('removed')
    expect(ways.get(wayKey('main', '3', 'mail'))).toBe('added')
    expect(ways.get(wayKey('main', '1', 'sales'))).toBe('removed')
    expect(ways.get(wayKey('main', '1', 'bye'))).toBe('added')
    expect(ways.has(wayKey('hello', 'next', 'main'))).toBe(false)
    expect(gone).toContainEqual({ node: 'main', exit: '2', to: 'status' })
    // A way that went still has a handle to be drawn from.
    expect(exitsOf(graph.nodes.main!).map((one) => one.name)).toContain('2')
  })
})

describe('the way of a trial', () => {
  const step = (kind: 'node' | 'said', at: string, exit = '', flow = 'shop') => ({
    at: 0,
    kind,
    flow,
    node: at,
    exit,
    text: '',
    values: {},
  })
  const trial: Trial = {
    version: null,
    steps: [
      step('node', 'hello'),
      step('said', 'hello'),
      step('node', 'main', 'next'),
      step('node', 'main', 'timeout'),
      step('node', 'inner', '', 'other'),
      step('node', 'sales', '1'),
    ],
    end: { how: 'queue', node: 'sales', outcome: '', to: 'queue:sales', text: '' },
    seconds: 9,
    path: [
      { flow: 'shop', node: 'hello', exit: 'next' },
      { flow: 'shop', node: 'main', exit: 'timeout' },
      { flow: 'other', node: 'hello', exit: 'x' },
      { flow: 'shop', node: 'main', exit: '1' },
    ],
    values: {},
    problems: [],
  }
  it('numbers nodes by when they were first come to, in this flow alone', () => {
    const found = walked(trial, 'shop')
    expect([...found.nodes]).toEqual([
      ['hello', 1],
      ['main', 2],
      ['sales', 3],
    ])
    expect([...found.ways].sort()).toEqual(['hello/next', 'main/1', 'main/timeout'])
    expect(found.last).toBe('sales')
  })
})

describe('figures', () => {
  it('are shares of those who came to a node', () => {
    const found = flowed({
      flow: 'shop',
      versions: [1],
      version: null,
      from: '',
      to: '',
      calls: 10,
      nodes: [
        {
          node: 'main',
          entered: 8,
          left: 2,
          failed: 0,
          exits: [
            { exit: '1', count: 4 },
            { exit: '2', count: 2 },
          ],
        },
        { node: 'sales', entered: 0, left: 0, failed: 0, exits: [] },
      ],
    })
    expect(found.ways.get('main/1')).toEqual({ count: 4, share: 0.5 })
    expect(found.nodes.get('main')!.share).toBe(0.25)
    expect(found.nodes.get('sales')!.share).toBe(0)
    expect(found.most).toBe(8)
    expect(widthOf(0, 8)).toBeLessThan(widthOf(4, 8))
    expect(widthOf(80, 8)).toBe(widthOf(8, 8))
    expect(widthOf(0, 0)).toBe(1.5)
  })
})

describe('the outline', () => {
  it('has every node once, those that nothing leads to as well', () => {
    const graph: Graph = { ...shop, nodes: { ...shop.nodes, lost: node('say', { next: 'bye' }) } }
    const rows = outline(graph)
    expect(rows.map((one) => one.node)).toEqual(['hello', 'main', 'sales', 'status', 'bye', 'lost'])
    expect(rows.find((one) => one.node === 'status')).toEqual({ node: 'status', depth: 1, by: '2' })
    expect(outline(chain(500))).toHaveLength(500)
  })
})

describe('whatever came', () => {
  // A small generator of its own: the same garbage on every run.
  let state = 7
  const random = (n: number) => (state = (state * 48271) % 2147483647) % n
  function garbage(depth: number): unknown {
    const kinds: (() => unknown)[] = [
      () => null,
      () => random(1000) - 500,
      () => 'menu',
      () => '',
      () => true,
      () => Array.from({ length: random(4) }, () => garbage(depth - 1)),
      () =>
        Object.fromEntries(
          Array.from({ length: random(6) }, () => [
            ['type', 'exits', 'prompt', 'at', 'title', 'text', 'cases', 'shares', 'values', 'a', '1', 'sound', 'flow'][
              random(13)
            ]!,
            garbage(depth - 1),
          ]),
        ),
    ]
    return kinds[depth > 0 ? random(kinds.length) : random(5)]!()
  }

  it('can be drawn, compared and told, and a sound graph stays as it is', () => {
    for (let n = 0; n < 2000; n++) {
      const raw = {
        format: 1,
        start: garbage(1),
        nodes: random(9)
          ? Object.fromEntries(
              Array.from({ length: random(5) }, (_, index) => [
                ['a', '1', 'b', 'c', 'd'][index]!,
                random(5) ? { ...Object(garbage(4)), type: Object.keys(TYPES)[random(20)] } : garbage(3),
              ]),
            )
          : garbage(3),
      }
      const graph = drawable(raw)
      expect(drawable(graph)).toBe(graph)
      for (const [id, one] of Object.entries(graph.nodes)) {
        expect(typeof gistOf(one, 'en')).toBe('string')
        for (const exit of exitsOf(one)) expect(typeof exit.to).toBe('string')
        expect(layout(graph).has(id)).toBe(true)
      }
      expect(outline(graph)).toHaveLength(Object.keys(graph.nodes).length)
      languagesOf(graph)
      variablesOf(graph)
      returnsOf(graph)
      difference(shop, graph)
      both(graph, shop)
      expect(nothingDiffers(difference(graph, graph))).toBe(true)
    }
    expect(drawable(shop)).toBe(shop)
    expect(drawable(null).nodes).toEqual({})
  })
})

describe('what a card says', () => {
  it('takes the text in the language of the flow', () => {
    expect(promptLine([{ text: { pl: 'Proszę', en: 'Please' } }, { pause: 200 }, { digits: '{code}' }], 'en')).toBe(
      'Please … {code}',
    )
    expect(promptLine('Hello', 'pl')).toBe('Hello')
    expect(promptLine([{ sound: { pl: 'witaj' } }], 'en')).toBe('♪ witaj')
    expect(promptLine(7, 'pl')).toBe('')
  })
  it('has a line for what tells one node from another, and stands garbage', () => {
    expect(gistOf(node('http', {}, { url: 'https://x.example/{n}' }), 'en')).toBe('GET https://x.example/{n}')
    expect(gistOf(node('set', {}, { values: { a: '1', b: '"x"' } }), 'en')).toBe('a = 1, b = "x"')
    expect(gistOf(node('transfer', {}, { outside: '+48221234567' }), 'en')).toBe('+48221234567')
    for (const type of ['set', 'branch', 'percentage', 'http', 'menu', 'nonsense'])
      expect(typeof gistOf(node(type, {}, { cases: 7, values: [], shares: 'x', prompt: { a: 1 }, url: 9 }), 'en')).toBe(
        'string',
      )
  })
  it('has something to say for what is filled in', () => {
    expect(
      samplesOf([
        'Order {order.status}, {{no}} {upper(x)}',
        { digits: '{code}' },
        { money: '{sum}', currency: 'PLN' },
        { text: { pl: 'Kod {code} z dnia {dzień}' } },
        { pause: 100 },
      ]),
    ).toEqual({ 'order.status': 'order status', code: '1234', sum: '123.45', dzień: 'dzień' })
  })
  it('knows languages, variables and returns', () => {
    const graph: Graph = {
      ...shop,
      nodes: {
        ...shop.nodes,
        a: node('say', {}, { prompt: [{ text: { ru: 'Да', pl: 'Tak' } }] }),
        b: node('return', {}, { exit: 'done' }),
        c: node('return'),
      },
    }
    expect(languagesOf(graph)).toEqual(['pl', 'ru'])
    expect(variablesOf(graph)).toEqual(['order'])
    expect(returnsOf(graph)).toEqual(['done', 'next'])
    expect(exitsOf(node('flow', {}, { flow: 'x' }), () => ['done']).map((one) => one.name)).toEqual(['done', 'else'])
  })
})
