/**
 * What the line under the bar says when something is wrong: what happened and when, what the other person hears, what we
 * or you do, one button, a code. The worst stands there; the same code takes the place of itself.
 */
import { create } from 'zustand'
import type { Sentence, Values } from '../i18n'

export interface Trouble {
  code: string
  sentence: Sentence
  values?: Values
  /** 3 a conversation suffers, 2 work stands still, 1 good to know, 0 a reminder: nothing is wrong. */
  weight?: 0 | 1 | 2 | 3
  button?: { word: Sentence; press: () => void }
  /** Goes by itself after so many seconds. */
  seconds?: number
}

export const useTroubles = create<{ all: readonly (Trouble & { at: number })[] }>(() => ({ all: [] }))

const timers = new Map<string, ReturnType<typeof setTimeout>>()

export function raise(trouble: Trouble): void {
  const others = useTroubles.getState().all.filter((one) => one.code !== trouble.code)
  useTroubles.setState({
    all: [...others, { ...trouble, at: Date.now() }].sort((a, b) => (b.weight ?? 1) - (a.weight ?? 1) || b.at - a.at),
  })
  clearTimeout(timers.get(trouble.code))
  if (trouble.seconds)
    timers.set(
      trouble.code,
      setTimeout(() => settle(trouble.code), trouble.seconds * 1000),
    )
}

export function settle(code: string): void {
  const { all } = useTroubles.getState()
  if (all.some((one) => one.code === code)) useTroubles.setState({ all: all.filter((one) => one.code !== code) })
}
