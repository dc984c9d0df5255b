/**
 * Acts and their keys. Matched by `event.code`, so that a Cyrillic layout changes nothing.
 *
 *     export const myActs = defineActs({ answer: { key: 'F2', title: [...], everywhere: true } })
 *     useAct(myActs.answer, () => answer(), canAnswer)
 *
 * One-letter keys work outside fields only. Never Ctrl+Alt or Alt with letters or digits: Polish and Russian need them.
 */
import { useEffect, useRef } from 'react'
import { create } from 'zustand'
import type { Sentence } from '../i18n'

export interface Act {
  id: string
  /** As in "F2", "Shift+F2", "Ctrl+KeyK", "Slash". */
  key: string
  title: Sentence
  /** Works while a field has the focus too. Keys without Ctrl that type something never do. */
  everywhere?: boolean
}

const acts = new Map<string, Act>()

export function defineActs<const T extends Record<string, Omit<Act, 'id'>>>(all: T): { [K in keyof T]: Act } {
  const made = {} as { [K in keyof T]: Act }
  for (const [id, act] of Object.entries(all)) {
    const whole = { ...act, id }
    acts.set(id, whole)
    made[id as keyof T] = whole
  }
  return made
}

export const allActs = (): Act[] => [...acts.values()]

const STORED = 'centrala.keys'

function stored(): { own: Record<string, string>; letters: boolean } {
  try {
    return { own: {}, letters: true, ...JSON.parse(localStorage.getItem(STORED) ?? '{}') }
  } catch {
    return { own: {}, letters: true }
  }
}

/** The user's own keys, and whether one-letter keys are on. */
export const useKeys = create<{ own: Record<string, string>; letters: boolean }>(() =>
  typeof localStorage === 'undefined' ? { own: {}, letters: true } : stored(),
)

export function setKeys(change: Partial<{ own: Record<string, string>; letters: boolean }>): void {
  useKeys.setState(change)
  try {
    localStorage.setItem(STORED, JSON.stringify(useKeys.getState()))
  } catch {
    // It holds for this page.
  }
}

export const keyOf = (act: Act): string => useKeys.getState().own[act.id] ?? act.key

/** How a key is printed: "⇧F2", "Ctrl+K". */
export function printed(key: string): string {
  return key
    .replace('Shift+', '⇧')
    .replace(/Key([A-Z])$/, '$1')
    .replace(/Digit(\d)$/, '$1')
    .replace('⇧Slash', '?')
    .replace('Slash', '/')
    .replace('BracketLeft', '[')
    .replace('BracketRight', ']')
    .replace('Escape', 'Esc')
}

export function combination(event: {
  code: string
  ctrlKey: boolean
  metaKey: boolean
  shiftKey: boolean
  altKey: boolean
}): string {
  return `${event.ctrlKey || event.metaKey ? 'Ctrl+' : ''}${event.altKey ? 'Alt+' : ''}${event.shiftKey ? 'Shift+' : ''}${event.code}`
}

const inField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range'].includes(target.type)))

interface Handler {
  act: Act
  run: { current: (event: KeyboardEvent) => void }
}

const handlers: Handler[] = []

function pressed(event: KeyboardEvent): void {
  if (event.isComposing) return
  const wanted = combination(event)
  // The last one wins: what opened on top hears first.
  for (let index = handlers.length - 1; index >= 0; index--) {
    const { act, run } = handlers[index]!
    if (keyOf(act) !== wanted) continue
    const types = !/^(Ctrl\+|Shift\+)*F\d+$/.test(wanted) && !wanted.startsWith('Ctrl+')
    if (types && (!useKeys.getState().letters || inField(event.target))) continue
    if (!types && !act.everywhere && inField(event.target)) continue
    event.preventDefault()
    event.stopPropagation()
    if (!event.repeat) run.current(event)
    return
  }
}

if (typeof window !== 'undefined') window.addEventListener('keydown', pressed, { capture: true })

/** Do this when the act's key is pressed, while `on`. */
export function useAct(act: Act, run: (event: KeyboardEvent) => void, on = true): void {
  const latest = useRef(run)
  latest.current = run
  useEffect(() => {
    if (!on) return
    const handler: Handler = { act, run: latest }
    handlers.push(handler)
    return () => {
      handlers.splice(handlers.indexOf(handler), 1)
    }
  }, [act, on])
}
