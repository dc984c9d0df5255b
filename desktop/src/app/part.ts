/** A part of the pages that is loaded when it is first needed; a line that is lost for a moment doesn't lose the part. */
import { type ComponentType, type LazyExoticComponent, lazy } from 'react'

export async function persist<P>(load: () => Promise<P>, tries = 3): Promise<P> {
  for (let left = tries; ; left--) {
    try {
      return await load()
    } catch (problem) {
      if (left <= 0) throw problem
      await new Promise((go) => setTimeout(go, 700 * (tries - left + 1)))
    }
  }
}

// biome-ignore lint/suspicious/noExplicitAny: whatever its properties are, they stay
export function part<P extends ComponentType<any>>(load: () => Promise<{ default: P }>): LazyExoticComponent<P> {
  return lazy(() => persist(load))
}
