/** What is typed about a contact: in this browser at once, at the centre within a second, gone only when it is stored. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { api } from '../api/client'

export interface Draft {
  disposition: string | null
  note: string
}

const EMPTY: Draft = { disposition: null, note: '' }
const PREFIX = 'centrala.draft.'
const PUT_AFTER = 700
const KEPT_DAYS = 7

export function readLocal(contact: string): Draft | null {
  try {
    const kept = JSON.parse(localStorage.getItem(PREFIX + contact) ?? 'null') as (Draft & { at: number }) | null
    return kept && { disposition: kept.disposition ?? null, note: kept.note ?? '' }
  } catch {
    return null
  }
}

export function writeLocal(contact: string, draft: Draft | null): void {
  try {
    if (draft && (draft.note || draft.disposition)) {
      localStorage.setItem(PREFIX + contact, JSON.stringify({ ...draft, at: Date.now() }))
    } else localStorage.removeItem(PREFIX + contact)
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(PREFIX)) continue
      const at = (JSON.parse(localStorage.getItem(key) ?? '{}') as { at?: number }).at ?? 0
      if (Date.now() - at > KEPT_DAYS * 86_400_000) localStorage.removeItem(key)
    }
  } catch {
    // A browser that keeps nothing: the centre does.
  }
}

export type Kept = 'nothing' | 'here' | 'centre'

export function useDraft(contact: string) {
  const [draft, setDraft] = useState<Draft>(() => readLocal(contact) ?? EMPTY)
  const [kept, setKept] = useState<{ where: Kept; at: number }>({ where: 'nothing', at: 0 })
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null)
  const touched = useRef(false)

  useEffect(() => {
    touched.current = false
    const local = readLocal(contact)
    setDraft(local ?? EMPTY)
    setKept({ where: local ? 'here' : 'nothing', at: 0 })
    if (local) return
    const stop = new AbortController()
    api
      .get<{ disposition: string | null; note: string | null; at: number | null }>(
        '/me/agent/draft',
        { contact },
        { signal: stop.signal },
      )
      .then(
        (found) => {
          if (!touched.current && found.at) {
            setDraft({ disposition: found.disposition, note: found.note ?? '' })
            setKept({ where: 'centre', at: found.at })
          }
        },
        () => {},
      )
    return () => stop.abort()
  }, [contact])

  const change = useCallback(
    (next: Partial<Draft>) => {
      touched.current = true
      setDraft((before) => {
        const whole = { ...before, ...next }
        writeLocal(contact, whole)
        setKept({ where: 'here', at: Date.now() / 1000 })
        if (timer.current) clearTimeout(timer.current)
        timer.current = setTimeout(() => {
          api.put('/me/agent/draft', { contact, disposition: whole.disposition, note: whole.note || null }).then(
            () => setKept({ where: 'centre', at: Date.now() / 1000 }),
            () => {},
          )
        }, PUT_AFTER)
        return whole
      })
    },
    [contact],
  )

  const done = useCallback(() => {
    if (timer.current) clearTimeout(timer.current)
    writeLocal(contact, null)
    setKept({ where: 'nothing', at: 0 })
  }, [contact])

  return { draft, change, done, kept }
}
