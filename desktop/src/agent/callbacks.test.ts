import { expect, test } from 'vitest'
import { type Callback, fallen } from './callbacks'

const one = (promise: string, due: number) => ({ promise, due }) as Callback

test('a callback is said once when it falls due, and again when it was put off', () => {
  const said = new Map<string, number>()
  expect(fallen([one('a', 100), one('b', 200)], said, 99)).toEqual([])
  expect(fallen([one('a', 100), one('b', 200)], said, 100).map((it) => it.promise)).toEqual(['a'])
  said.set('a', 100)
  expect(fallen([one('a', 100)], said, 150)).toEqual([])
  expect(fallen([one('a', 160)], said, 150)).toEqual([])
  expect(fallen([one('a', 160)], said, 160).map((it) => it.promise)).toEqual(['a'])
})
