import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { everySecond, forget, heard, now } from './time'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_400 })
  forget()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the centre’s clock', () => {
  it('is this machine’s with the measured offset; slow messages don’t set it back', () => {
    heard(1_700_000_100.4) // the centre is 100 s ahead
    expect(now()).toBeCloseTo(1_700_000_100.4, 3)
    vi.advanceTimersByTime(5000)
    heard(1_700_000_103.4) // two seconds on the way
    expect(now()).toBeCloseTo(1_700_000_105.4, 3)
  })
  it('is measured anew after a reconnection, as clocks are set', () => {
    heard(1_700_000_100.4)
    forget()
    heard(1_699_999_990.4)
    expect(now()).toBeCloseTo(1_699_999_990.4, 3)
  })
})

describe('the tick', () => {
  it('is one a second for all, and ends with the last listener', () => {
    heard(1_700_000_000.4)
    const told = { a: 0, b: 0 }
    const offA = everySecond(() => told.a++)
    const offB = everySecond(() => told.b++)
    vi.advanceTimersByTime(10_000)
    expect(told).toEqual({ a: 10, b: 10 })
    offA()
    vi.advanceTimersByTime(3000)
    expect(told).toEqual({ a: 10, b: 13 })
    offB()
    vi.advanceTimersByTime(2000)
    expect(vi.getTimerCount()).toBe(0)
  })
})
