/** Small parts that all pages are made of. Mantine gives the controls; these give what is ours. */
import { Button, Loader, UnstyledButton } from '@mantine/core'
import { type ReactNode, useEffect, useState } from 'react'
import { ApiProblem } from '../api/client'
import { useSay, useWords } from '../i18n'
import { problemSentence } from '../i18n/problems'
import { shared } from '../i18n/shared'
import { everySecond, now } from '../live/time'
import css from './ui.module.css'

export { Clock } from './Clock'
export { Icon, type IconName } from './icons'
export { StateLabel, StateShape, type Tone, toneOf, useStateName } from './State'
export { css as ui }

/** A key as it is printed on keyboards: "F2", "⇧F2", "Ctrl+K". */
export function Kbd({ children }: { children: ReactNode }) {
  return <kbd className={css.kbd}>{children}</kbd>
}

/** A page with its title and what stands beside it. */
export function Page({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse scrolls it by arrows
    <div className={css.page} tabIndex={0}>
      <div className={css.pageHead}>
        <h1>{title}</h1>
        {aside}
      </div>
      {children}
    </div>
  )
}

export function Card({ children, className = '', label }: { children: ReactNode; className?: string; label?: string }) {
  return (
    <section className={`${css.card} ${className}`} aria-label={label}>
      {children}
    </section>
  )
}

/** What will be here, why not yet, one button. */
export function Empty({ title, why, children }: { title: string; why?: string; children?: ReactNode }) {
  return (
    <div className={css.empty}>
      <h2>{title}</h2>
      {why && <p>{why}</p>}
      {children && <div className={css.act}>{children}</div>}
    </div>
  )
}

/** A sentence for what went wrong with a request, its code, and one way on. */
export function ProblemNote({ problem, retry }: { problem: unknown; retry?: () => void }) {
  const t = useWords(shared)
  const text = useProblemText()
  const code = problem instanceof ApiProblem ? problem.code : 'PAGE'
  return (
    <div className={css.problem} role="alert">
      <p>{text(problem)}</p>
      <code>{code}</code>
      {retry && (
        <Button size="xs" variant="default" onClick={retry}>
          {t('retry')}
        </Button>
      )}
    </div>
  )
}

/** The sentence of a thrown problem, in the page's language. */
export function useProblemText(): (problem: unknown) => string {
  const say = useSay()
  return (problem) => {
    const known =
      problem instanceof ApiProblem
        ? problem
        : new ApiProblem('PAGE', 0, problem instanceof Error ? problem.message : String(problem))
    const { sentence, values } = problemSentence(known)
    return say(sentence, values)
  }
}

/** Shows nothing for 300 ms, so that quick answers don't flicker; then says what it waits for. */
export function Waiting({ what }: { what?: string }) {
  const t = useWords(shared)
  const [shown, setShown] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), 300)
    return () => clearTimeout(timer)
  }, [])
  if (!shown) return null
  return (
    <div className={css.empty} role="status">
      <Loader size="sm" />
      <p>{what ?? t('loading')}…</p>
    </div>
  )
}

/** One figure with its name; `<dl>` around several. */
export function Figure({ name, value, note }: { name: string; value: ReactNode; note?: ReactNode }) {
  return (
    <div className={css.figure}>
      <dt>{name}</dt>
      <dd>
        <span className="num">{value}</span>
        {note && <small>{note}</small>}
      </dd>
    </div>
  )
}

/** A bar from `since` to `until` on the centre's clock; stands full when it is over. */
export function TimeBar({ since, until, tone = 'gray' }: { since: number; until: number; tone?: string }) {
  const share = () => Math.min(1, Math.max(0, (now() - since) / Math.max(1, until - since)))
  const [part, setPart] = useState(share)
  useEffect(() => {
    const set = () => setPart(Math.min(1, Math.max(0, (now() - since) / Math.max(1, until - since))))
    set()
    return everySecond(set)
  }, [since, until])
  return (
    <span className={css.bar} style={{ color: `var(--${tone}-text)` }} aria-hidden="true">
      <span style={{ transform: `scaleX(${part})` }} />
    </span>
  )
}

export { Button, UnstyledButton }
