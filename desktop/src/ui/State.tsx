/** An agent's state as shape, word and colour; shapes alone tell the states apart. */

import { useWords } from '../i18n'
import { shared } from '../i18n/shared'
import css from './ui.module.css'

export type Tone = 'tide' | 'sky' | 'amber' | 'iris' | 'red' | 'gray'
type Shape = 'ring' | 'dot' | 'quarter' | 'pause' | 'half' | 'bar' | 'cross' | 'dotted' | 'moon'

const STATES: Record<string, { tone: Tone; shape: Shape }> = {
  ready: { tone: 'tide', shape: 'ring' },
  on_contact: { tone: 'sky', shape: 'dot' },
  held: { tone: 'sky', shape: 'pause' },
  offered: { tone: 'amber', shape: 'quarter' },
  wrap_up: { tone: 'iris', shape: 'half' },
  not_ready: { tone: 'gray', shape: 'bar' },
  resting: { tone: 'gray', shape: 'moon' },
  logged_out: { tone: 'gray', shape: 'dotted' },
  unreachable: { tone: 'red', shape: 'cross' },
}

export const toneOf = (state: string): Tone => STATES[state]?.tone ?? 'gray'

/** Text of a state in the page's language. */
export function useStateName(): (state: string) => string {
  const t = useWords(shared)
  return (state) => (state in STATES ? t(state as keyof typeof shared) : t('unknown'))
}

export function shapeMarkup(state: string): string {
  switch (STATES[state]?.shape ?? 'dotted') {
    case 'ring':
      return '<circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" stroke-width="3"/>'
    case 'dot':
      return '<circle cx="8" cy="8" r="7" fill="currentColor"/>'
    case 'quarter':
      return '<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="2"/><path d="M8 8V2a6 6 0 0 1 6 6z" fill="currentColor"/>'
    case 'half':
      return '<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="2"/><path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor"/>'
    case 'pause':
      return '<path d="M3.500 2h3v12h-3zM9.500 2h3v12h-3z" fill="currentColor"/>'
    case 'bar':
      return '<path d="M1.500 5.500h13v5h-13z" fill="currentColor"/>'
    case 'moon':
      return '<path d="M11 2a6.500 6.500 0 1 0 3 9.500A5.500 5.500 0 0 1 11 2z" fill="currentColor"/>'
    case 'cross':
      return '<path d="M3 3l10 10M13 3 3 13" stroke="currentColor" stroke-width="3" fill="none"/>'
    default:
      return '<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="2.200 2.500"/>'
  }
}

export function StateShape({ state, size = 14, pulse = false }: { state: string; size?: number; pulse?: boolean }) {
  return (
    <svg
      className={pulse ? css.pulse : undefined}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      aria-hidden="true"
      style={{ color: `var(--${toneOf(state)}-text)`, flex: 'none', display: 'block' }}
      // The markup is our own, from the table above.
      // biome-ignore lint/security/noDangerouslySetInnerHtml: the same drawing also becomes the favicon
      dangerouslySetInnerHTML={{ __html: shapeMarkup(state) }}
    />
  )
}

export function StateLabel({ state, word }: { state: string; word?: string }) {
  const name = useStateName()
  return (
    <span className={css.state} style={{ color: `var(--${toneOf(state)}-text)` }}>
      <StateShape state={state} />
      <span>{word ?? name(state)}</span>
    </span>
  )
}
