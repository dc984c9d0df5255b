/** The centre's clock as this page knows it, and one tick a second that all clocks share. */
import { useEffect, useSyncExternalStore } from 'react'

let offset = 0
let samples: number[] = []

/** The centre said it is `at` (unix seconds) in a message that has just come. */
export function heard(at: number): void {
  // A message is never early, so the largest difference is the truest; old ones are forgotten as clocks drift.
  samples.push(at - Date.now() / 1000)
  if (samples.length > 60) samples = samples.slice(-60)
  offset = Math.max(...samples)
}

export function forget(): void {
  samples = []
}

/** Unix seconds on the centre's clock. */
export const now = (): number => Date.now() / 1000 + offset

type Tell = () => void
const listeners = new Set<Tell>()
let timer: ReturnType<typeof setTimeout> | null = null
let second = 0

function beat(): void {
  second = Math.floor(now())
  for (const one of listeners) one()
  // To the next full second, so that clocks turn together and never skip one.
  timer = listeners.size ? setTimeout(beat, 1000 - ((now() * 1000) % 1000) + 5) : null
}

/** Be called once a second. */
export function everySecond(tell: Tell): () => void {
  listeners.add(tell)
  if (timer === null) timer = setTimeout(beat, 1000 - ((now() * 1000) % 1000) + 5)
  return () => {
    listeners.delete(tell)
  }
}

/** The centre's time in full seconds; renders again each second. For one clock use <Clock>, which doesn't render. */
export function useSecond(): number {
  return useSyncExternalStore(everySecond, () => second || Math.floor(now()))
}

export function useEverySecond(tell: Tell): void {
  useEffect(() => everySecond(tell), [tell])
}
