import { expect, test } from 'vitest'
import { joined } from './history'

const lines = {
  at: 400,
  begins: 180,
  queues: { sales: { waiting: [1, null, 3, 4], longest_wait: [9, null, 8, 7], service_level_30: [1, null, 0.5, 0.4] } },
}

test('the centre’s line goes before what the page has seen', () => {
  const seen = {
    times: [390, 405, 420],
    tracks: new Map([['sales', { waiting: [9, 5, 6], wait: [9, 1, 2], level: [0, 0.3, 0.2] }]]),
  }
  const { times, tracks } = joined(lines, seen)
  expect(times).toEqual([240, 300, 360, 400, 405, 420])
  expect(tracks.get('sales')).toEqual({
    waiting: [1, null, 3, 4, 5, 6],
    wait: [9, null, 8, 7, 1, 2],
    level: [1, null, 0.5, 0.4, 0.3, 0.2],
  })
})

test('a queue that only one of both knows has a gap where the other speaks', () => {
  const seen = { times: [405], tracks: new Map([['new', { waiting: [2], wait: [1], level: [null] }]]) }
  const { tracks } = joined(lines, seen)
  expect(tracks.get('new')?.waiting).toEqual([null, null, null, null, 2])
  expect(tracks.get('sales')?.waiting).toEqual([1, null, 3, 4, null])
})

test('a page that has seen nothing yet shows the centre’s line alone', () => {
  expect(joined(lines, { times: [], tracks: new Map() }).times).toEqual([240, 300, 360, 400])
  expect(joined({ at: 5, begins: 0, queues: {} }, { times: [], tracks: new Map() }).times).toEqual([])
})
