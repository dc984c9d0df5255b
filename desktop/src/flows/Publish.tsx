/** What callers will notice, and the button that makes it so. The drawing is coloured meanwhile. */
import { Textarea } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ApiProblem, api } from '../api/client'
import { useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Button, ProblemNote } from '../ui'
import { flowOf, fresh, pathOf } from './api'
import { Changes } from './Changes'
import { difference, nothingDiffers } from './difference'
import { noPast } from './edit'
import css from './flows.module.css'
import { ProblemList } from './ProblemList'
import { settled, useEditor } from './store'
import type { Problem } from './types'
import { words } from './words'

export function Publish() {
  const t = useWords(words)
  const s = useWords(shared)
  const queries = useQueryClient()
  const { id, graph, published, version, problems, readOnly, draft, base, saving } = useEditor()
  const [note, setNote] = useState('')
  const [busy, setBusy] = useState(false)
  const [sure, setSure] = useState(false)
  const [done, setDone] = useState<number | null>(null)
  const [failed, setFailed] = useState<unknown>(null)
  if (!graph) return null
  const errors = problems.filter((one) => one.severity === 'error')
  const nothing = published !== null && nothingDiffers(difference(published, graph))

  async function publish() {
    setBusy(true)
    setFailed(null)
    try {
      // What is drawn is what is published: the draft must be there first.
      if (!draft && saving === 'saved') await keepDraft()
      if (!(await settled())) return
      const { base, graph: sent } = useEditor.getState()
      const made = await api.post<{ version: number; problems: Problem[] }>(`${pathOf(id)}/publish`, {
        base,
        note: note.trim(),
      })
      useEditor.setState({ published: sent, version: made.version, draft: false, base: 0 })
      setDone(made.version)
      setNote('')
      await fresh(queries)
    } catch (problem) {
      if (problem instanceof ApiProblem && problem.code === 'FLOW-WRONG' && Array.isArray(problem.body.problems))
        useEditor.setState({ problems: problem.body.problems as Problem[] })
      setFailed(problem)
    } finally {
      setBusy(false)
    }
  }

  async function keepDraft() {
    const { base, graph: now } = useEditor.getState()
    const kept = await api.put<{ revision: number }>(`${pathOf(id)}/draft`, { base, graph: now })
    useEditor.setState({ base: kept.revision, draft: true })
  }

  async function discard() {
    setBusy(true)
    setFailed(null)
    try {
      await settled()
      await api.delete(`${pathOf(id)}/draft?base=${useEditor.getState().base}`)
      const shown = await flowOf(id)
      useEditor.setState({
        graph: shown.graph ?? graph,
        draft: false,
        base: 0,
        past: noPast,
        problems: [],
        chosen: new Set(),
      })
      setSure(false)
      await fresh(queries)
    } catch (problem) {
      setFailed(problem)
    } finally {
      setBusy(false)
    }
  }

  return (
    <div className={css.stack}>
      <h2 className={css.sideTitle}>{t('publish')}</h2>
      {done !== null && nothing && (
        <p role="status" className={css.good}>
          {t('isPublished', { n: done })}
        </p>
      )}
      {failed !== null && <ProblemNote problem={failed} />}
      {nothing ? (
        <p className={css.hint}>{t('publishNone')}</p>
      ) : (
        <>
          <p className={css.hint}>{published ? t('publishWhy') : t('publishFirst')}</p>
          {errors.length > 0 && (
            <>
              <p className={css.wrong}>{t('publishErrors')}</p>
              <ProblemList problems={errors} />
            </>
          )}
          {!readOnly && (
            <>
              <Textarea
                label={t('note')}
                description={t('noteWhy')}
                value={note}
                maxLength={200}
                autosize
                minRows={2}
                onChange={(event) => setNote(event.currentTarget.value)}
              />
              <div className={css.line}>
                <Button loading={busy} disabled={errors.length > 0 || saving === 'race'} onClick={() => void publish()}>
                  {t('publishNow')}
                </Button>
              </div>
            </>
          )}
          {published && (
            <>
              <h3 className={css.sideSub}>
                {t('differences')}{' '}
                <span className={css.dim}>
                  ({t('versionN', { n: version ?? 0 })} → {t('theDraft')})
                </span>
              </h3>
              <Changes before={published} after={graph} />
            </>
          )}
        </>
      )}
      {!readOnly && published && draft && base > 0 && (
        <div className={css.stack}>
          {sure ? (
            <div className={css.ask} role="alert">
              <p>{t('discardSure')}</p>
              <div className={css.line}>
                <Button size="xs" color="red" loading={busy} onClick={() => void discard()}>
                  {t('discard')}
                </Button>
                <Button size="xs" variant="default" onClick={() => setSure(false)}>
                  {s('cancel')}
                </Button>
              </div>
            </div>
          ) : (
            <div className={css.line}>
              <Button size="xs" variant="subtle" color="gray" onClick={() => setSure(true)}>
                {t('discard')}
              </Button>
            </div>
          )}
        </div>
      )}
    </div>
  )
}
