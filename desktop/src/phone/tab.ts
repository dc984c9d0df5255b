// One phone per browser: two tabs would both ring, and the second would take the first one's registration.

const LOCK = 'centrala-phone'

/** Web Locks are kept by the browser itself: a tab that crashes lets go, a second one waits for its turn. */
export class OneTab {
  private letGo: (() => void) | null = null
  private waiting: AbortController | null = null

  /** Calls `mine` once, as soon as this tab has the phone; `busy` first if another tab has it for a while. */
  take(mine: () => void, busy: () => void): void {
    if (!navigator.locks) {
      mine() // no lock, no waiting: better two phones than none
      return
    }
    this.release()
    const waiting = new AbortController()
    this.waiting = waiting
    // A page that is being loaded again lets go a moment after the new one asks.
    const patience = setTimeout(busy, 800)
    navigator.locks
      .request(LOCK, { signal: waiting.signal }, () => {
        clearTimeout(patience)
        if (waiting.signal.aborted) return undefined
        mine()
        return new Promise<void>((resolve) => {
          this.letGo = resolve
        })
      })
      .catch(() => clearTimeout(patience))
  }

  release(): void {
    this.waiting?.abort()
    this.waiting = null
    this.letGo?.()
    this.letGo = null
  }
}
