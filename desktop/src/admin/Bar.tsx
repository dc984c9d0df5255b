/** What isn't saved yet, and for 30 s what was: at the foot of every page of the settings. */
import { useEffect, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { useAct } from '../app/keys'
import { useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Button, Icon, Kbd, useProblemText } from '../ui'
import css from './admin.module.css'
import type { Edits } from './draft'
import { useSettings } from './parts'
import { reviewActs } from './Review'
import { check, count, discard, UNDO_FOR, useActs, useDraft } from './store'
import { words } from './words'

export function Bar() {
  const { edits, checked, race, saved, checking } = useDraft()
  const { shown } = useSettings()
  const acts = useActs()
  const t = useWords(words)
  const s = useWords(shared)
  const text = useProblemText()
  const [path, go] = useLocation()
  const [thrown, setThrown] = useState<{ edits: Edits; base: number } | null>(null)
  const [problem, setProblem] = useState<unknown>(null)
  const [, tick] = useState(0)
  const n = count(edits)
  const problems = checked?.problems.length ?? 0
  const inReview = path === '/settings/review'
  useAct(reviewActs.settingsReview, () => go('/settings/review'), n > 0 && !inReview)
  const until = saved?.until ?? 0
  useEffect(() => {
    if (!until) return
    const timer = setInterval(() => {
      if (Date.now() > until) useDraft.setState({ saved: null })
      else tick((one) => one + 1)
    }, 500)
    return () => clearInterval(timer)
  }, [until])
  useEffect(() => {
    if (!thrown) return
    const timer = setTimeout(() => setThrown(null), UNDO_FOR * 1000)
    return () => clearTimeout(timer)
  }, [thrown])
  useEffect(() => {
    if (n > 0) {
      setThrown(null)
      setProblem(null)
    }
  }, [n])

  if (n > 0) {
    return (
      <div className={css.changesBar} data-bad={problems > 0 || undefined} role="region" aria-label={t('notSaved')}>
        <strong>{t('nChanges', { n })}</strong>
        <span className="dim">{checking ? `${t('checking')}…` : t('notSaved')}</span>
        {race?.length ? (
          <Link href="/settings/review" className={css.barProblem}>
            <Icon name="alarms" size={16} /> {t('raceTitle')}
          </Link>
        ) : (
          problems > 0 && (
            <Link href="/settings/review" className={css.barProblem}>
              <Icon name="alarms" size={16} /> {t('nProblems', { n: problems })}
            </Link>
          )
        )}
        <span className={css.grow} />
        {!inReview && (
          <>
            <Kbd>Ctrl+S</Kbd>
            <Button component={Link} href="/settings/review">
              {t('review')}
            </Button>
          </>
        )}
        <Button
          variant="default"
          onClick={() => {
            const base = useDraft.getState().base ?? shown.version
            setThrown({ edits: discard(), base })
          }}
        >
          {t('discard')}
        </Button>
      </div>
    )
  }
  if (saved) {
    return (
      <div className={css.changesBar} data-good role="status">
        <Icon name="check" size={16} />
        <strong>{t(saved.undone ? 'undone' : 'savedAs', { n: saved.version })}</strong>
        {problem ? <span className={css.barProblem}>{text(problem)}</span> : null}
        <span className={css.grow} />
        <span className="dim num" aria-hidden="true">
          {Math.max(0, Math.ceil((until - Date.now()) / 1000))} s
        </span>
        <Button variant="default" onClick={() => acts.back(saved.version).catch(setProblem)}>
          {s('undo')}
        </Button>
      </div>
    )
  }
  if (thrown) {
    return (
      <div className={css.changesBar} role="status">
        <strong>{t('discarded')}</strong>
        <span className={css.grow} />
        <Button
          variant="default"
          onClick={() => {
            useDraft.setState(thrown)
            setThrown(null)
            void check()
          }}
        >
          {s('undo')}
        </Button>
      </div>
    )
  }
  return null
}
