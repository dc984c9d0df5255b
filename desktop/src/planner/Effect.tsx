/** What unsaved edits would do, by the centre; and whether they are to be. */
import { useLanguage, useWords } from '../i18n'
import { number } from '../i18n/format'
import { shared } from '../i18n/shared'
import { Button, useProblemText } from '../ui'
import type { Edits } from './Board'
import { BrokenRule } from './parts'
import css from './planner.module.css'
import { words } from './planWords'

export function Effect({ edits }: { edits: Edits }) {
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const problem = useProblemText()
  const { answer, changes, failed, refused, saving, stale, back } = edits
  const broken = refused ?? answer?.anew ?? []
  const shown = (value: number | null | undefined) => (value == null ? '–' : number(language, value, 2))
  if (!changes.length && !failed && !stale && !back) return <div role="status" className={css.effectNone} />
  return (
    <div className={css.effect} role="status" data-broken={broken.length > 0 || undefined}>
      <div className={css.effectText}>
        {stale && <p className={css.bad}>{t('changed')}</p>}
        {failed !== null && (
          <p className={css.bad}>
            {t('notTried')} {problem(failed)}
          </p>
        )}
        {changes.length > 0 && (
          <p>
            <strong>{t('unsaved', { n: changes.length })}</strong>{' '}
            {answer ? (
              <>
                <span>
                  {t('effectShort', {
                    before: shown(answer.before.short_hours),
                    after: shown(answer.after.short_hours),
                  })}
                </span>
                {' · '}
                <span>
                  {t('effectCost', {
                    before: shown(answer.before.costs.total),
                    after: shown(answer.after.costs.total),
                  })}
                </span>
              </>
            ) : (
              !failed && <span className="dim">{t('trying')}</span>
            )}
          </p>
        )}
        {changes.length > 0 && answer && !broken.length && <p className="dim">{t('effectFine')}</p>}
        {broken.length > 0 && (
          <>
            <p>{t('effectBroken')}</p>
            <ul className={css.list}>
              {broken.slice(0, 5).map((one, index) => (
                <li key={index}>
                  <BrokenRule one={one} />
                </li>
              ))}
            </ul>
          </>
        )}
        {!changes.length && back && <p>{t('saved')}</p>}
      </div>
      <div className={css.formEnd}>
        {changes.length > 0 ? (
          <>
            <Button variant="default" onClick={edits.undo} disabled={saving}>
              {s('undo')}
            </Button>
            <Button variant="default" onClick={edits.discard} disabled={saving}>
              {t('discard')}
            </Button>
            <Button
              loading={saving}
              disabled={!answer}
              color={broken.length ? 'red' : undefined}
              onClick={() => void edits.save(broken.length > 0)}
            >
              {broken.length ? t('saveAnyway') : s('save')}
            </Button>
          </>
        ) : (
          <>
            {back !== null && back.length > 0 && (
              <Button variant="default" onClick={edits.takeBack}>
                {t('takeBack')}
              </Button>
            )}
            {(back || failed !== null || stale) && (
              <Button variant="default" onClick={edits.close}>
                {s('close')}
              </Button>
            )}
          </>
        )}
      </div>
    </div>
  )
}
