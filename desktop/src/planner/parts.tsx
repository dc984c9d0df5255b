/** What every page of planning has around it. */
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { type Sentence, useSay, useWords } from '../i18n'
import { Page } from '../ui'
import css from './planner.module.css'
import { rules, troubles } from './problemWords'
import { useDays, useNames } from './store'
import type { Broken, State, Trouble } from './types'
import { type StateWord, words } from './words'

const AREAS = [
  ['/plans', 'plans'],
  ['/planning/today', 'today'],
  ['/planning/people', 'people'],
] as const

export function Planning({
  here,
  title,
  aside,
  children,
}: {
  here: 'plans' | 'today' | 'people'
  title: string
  aside?: ReactNode
  children: ReactNode
}) {
  const t = useWords(words)
  return (
    <Page title={title} aside={aside}>
      <nav className={css.areas} aria-label={t('areas')}>
        {AREAS.map(([path, name]) => (
          <Link key={path} href={path} aria-current={here === name ? 'page' : undefined}>
            {t(name)}
          </Link>
        ))}
      </nav>
      {children}
    </Page>
  )
}

/** The shape tells the state, the colour only repeats it. */
export function StateMark({ state }: { state: State }) {
  const t = useWords(words)
  const mark = { making: '◔', draft: '○', failed: '▲', published: '●', archived: '–' }[state]
  return (
    <span className={css.state} data-state={state}>
      <span aria-hidden="true">{mark}</span> {t(`state.${state}` as StateWord)}
    </span>
  )
}

/** What a code means in the page's language; what has none is told as the centre told it. */
export function useTrouble(): (one: Trouble) => string {
  const say = useSay()
  const names = useNames()
  const name = (id: string) => (names.queue(id) !== id ? names.queue(id) : names.agent(id))
  return (one) => {
    const known = (troubles as Record<string, Sentence>)[one.code]
    return known ? say(known, { about: one.about.map(name).join(', ') }).trim() : one.text
  }
}

/** Whose rule, on which day, which; the centre's own words, with its figures, behind it. */
export function BrokenRule({ one }: { one: Broken }) {
  const say = useSay()
  const days = useDays()
  const names = useNames()
  const known = (rules as Record<string, Sentence>)[one.code]
  const where = [one.agent && names.agent(one.agent), one.day && days.short(one.day)].filter(Boolean).join(', ')
  const detail = one.agent && one.text.startsWith(one.agent) ? one.text.replace(/^.*?: /, '') : one.text
  return (
    <>
      {where && `${where}: `}
      {known ? say(known) : detail}
      {known && known[0] !== detail && (
        <small className="dim" lang="en">
          {' '}
          ({detail})
        </small>
      )}
    </>
  )
}
