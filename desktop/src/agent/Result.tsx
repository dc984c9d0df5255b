/** D: the result of the call and a note. Nothing typed is ever lost; Finish is never disabled, it says what is missing. */
import { Button, Textarea } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { ApiProblem, api } from '../api/client'
import { useCentre } from '../api/session'
import { useAct, useKeys } from '../app/keys'
import { raise } from '../app/strip'
import { useLanguage, useWords } from '../i18n'
import { timeOf } from '../i18n/format'
import { problemSentence } from '../i18n/problems'
import { shared } from '../i18n/shared'
import { now } from '../live/time'
import type { ContactLive } from '../live/types'
import { Kbd } from '../ui'
import { acts } from './acts'
import css from './agent.module.css'
import { command, useDesk } from './desk'
import { useDraft } from './drafts'
import { words } from './words'

export function Result({ contact }: { contact: ContactLive }) {
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const centre = useCentre()
  const { agent, talk } = useDesk()
  const { draft, change, done, kept } = useDraft(contact.id)
  const [busy, setBusy] = useState(false)
  const [missing, setMissing] = useState(false)
  const [saved, setSaved] = useState<{ disposition: string | null; note: string } | null>(null)
  const queries = useQueryClient()
  const results = centre.dispositions(contact.queue)
  const first = useRef<HTMLButtonElement>(null)
  const noteField = useRef<HTMLTextAreaElement>(null)
  const wrapping = talk.phase === 'wrap_up'
  const chosen = draft.disposition ?? contact.disposition ?? null
  const clean = saved !== null && saved.disposition === chosen && saved.note === draft.note

  // After-call work begins here, unless somebody is typing elsewhere.
  useEffect(() => {
    if (!wrapping) return
    const at = document.activeElement
    if (at && at !== document.body && at.matches('input, textarea, select, [contenteditable]')) return
    ;(first.current ?? noteField.current)?.focus()
  }, [wrapping])

  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || !useKeys.getState().letters) return
      if (event.defaultPrevented) return
      // Menus and dialogs have digits of their own.
      const elsewhere = 'input, textarea, select, [contenteditable], [role=menu], [role=dialog], [role=group]'
      if (event.target instanceof HTMLElement && event.target.closest(elsewhere)) return
      const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)
      const one = digit ? results[Number(digit[1]) - 1] : undefined
      if (!one || event.repeat) return
      event.preventDefault()
      change({ disposition: one.id })
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  })

  const needs = results.length > 0 && !chosen

  async function store(): Promise<boolean> {
    if (clean || (!chosen && !draft.note.trim())) return true
    try {
      await api.post('/me/agent/result', { contact: contact.id, disposition: chosen, note: draft.note.trim() || null })
      setSaved({ disposition: chosen, note: draft.note })
      done()
      void queries.invalidateQueries({ queryKey: ['timeline'] })
      return true
    } catch (caught) {
      const problem = caught instanceof ApiProblem ? caught : new ApiProblem('PAGE', 0, String(caught))
      const { sentence, values } = problemSentence(problem)
      raise({ code: problem.code, sentence, values, weight: 2, seconds: 10 })
      return false
    }
  }

  async function finish() {
    if (busy) return
    if (needs) {
      setMissing(true)
      first.current?.focus()
      return
    }
    setBusy(true)
    try {
      if ((await store()) && wrapping) await command('finish')
    } finally {
      setBusy(false)
    }
  }
  useAct(acts.finish, () => void finish())

  // At its limit the centre ends complete after-call work: what was typed goes there before.
  const until = wrapping ? agent?.until : null
  const latest = useRef({ store, ready: false })
  latest.current = { store, ready: !needs && !clean && (chosen !== null || draft.note.trim() !== '') }
  useEffect(() => {
    if (!until) return
    const left = (until - now() - 1.5) * 1000
    if (left < 0) return
    const timer = setTimeout(() => latest.current.ready && void latest.current.store(), left)
    return () => clearTimeout(timer)
  }, [until])

  return (
    <section className={css.result} aria-label={t('result')}>
      <h2 className={css.paneHead}>
        {t('result')}
        {results.length > 0 && <span className={css.required}>* {s('required')}</span>}
      </h2>
      {results.length ? (
        <div
          className={css.results}
          role="radiogroup"
          aria-label={t('result')}
          aria-required="true"
          data-missing={missing && needs ? '' : undefined}
        >
          {results.map((one, index) => (
            <button
              key={one.id}
              ref={index === 0 ? first : undefined}
              type="button"
              role="radio"
              aria-checked={chosen === one.id}
              className={css.choice}
              onClick={() => change({ disposition: one.id })}
            >
              <span className={css.digit}>{index < 9 ? index + 1 : ''}</span>
              <span>{one.name}</span>
            </button>
          ))}
        </div>
      ) : (
        <p className="dim">{t('noResults')}</p>
      )}
      <p className={css.missing} role="alert">
        {missing && needs ? t('chooseFirst') : ''}
      </p>
      <Textarea
        ref={noteField}
        label={t('note')}
        minRows={4}
        autosize
        maxRows={12}
        maxLength={10000}
        value={draft.note}
        onChange={(event) => change({ note: event.currentTarget.value })}
      />
      <div className={css.finish}>
        <Button onClick={() => void finish()} loading={busy} rightSection={<Kbd>Ctrl+Enter</Kbd>}>
          {wrapping ? t('finish') : t('saveResult')}
        </Button>
        <span className="dim" role="status">
          {clean
            ? t('saved')
            : kept.where === 'centre'
              ? t('draftKept', { time: timeOf(language, kept.at) })
              : kept.where === 'here'
                ? t('draftHere')
                : ''}
        </span>
      </div>
    </section>
  )
}
