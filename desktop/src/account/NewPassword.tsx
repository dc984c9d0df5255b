/** The old password and a new one. */
import { Checkbox, PasswordInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { api } from '../api/client'
import { useWords } from '../i18n'
import { Button, useProblemText } from '../ui'
import css from './account.module.css'
import { words } from './words'

const LEAST = 10

interface Props {
  temporary?: boolean
  /** Whoever asks may have tokens. */
  tokens?: boolean
  done: () => void
}

export function NewPassword({ temporary = false, tokens = false, done }: Props) {
  const t = useWords(words)
  const text = useProblemText()
  const [old, setOld] = useState('')
  const [fresh, setFresh] = useState('')
  const [endTokens, setEndTokens] = useState(false)
  const [left, setLeft] = useState(false)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>(null)
  const short = fresh.length < LEAST
  async function send(event: FormEvent) {
    event.preventDefault()
    setLeft(true)
    if ((!old && !temporary) || short) return
    setBusy(true)
    setProblem(null)
    try {
      await api.put('/me/password', temporary ? { new: fresh } : { old, new: fresh, end_tokens: endTokens })
      setOld('')
      setFresh('')
      setLeft(false)
      done()
    } catch (caught) {
      setProblem(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <form onSubmit={send} noValidate>
      {!temporary && (
        <PasswordInput
          label={t('old')}
          value={old}
          autoComplete="current-password"
          error={left && !old ? t('needed') : null}
          onChange={(event) => setOld(event.currentTarget.value)}
        />
      )}
      <PasswordInput
        label={t('fresh')}
        value={fresh}
        autoFocus={temporary}
        autoComplete="new-password"
        error={left && short ? t('short') : null}
        onChange={(event) => setFresh(event.currentTarget.value)}
        onBlur={() => setLeft(fresh.length > 0)}
      />
      {!temporary && tokens && (
        <Checkbox
          label={t('endTokens')}
          checked={endTokens}
          onChange={(event) => setEndTokens(event.currentTarget.checked)}
        />
      )}
      <p role="alert" className={css.wrong}>
        {problem ? text(problem) : ''}
      </p>
      <div>
        <Button type="submit" loading={busy}>
          {t('change')}
        </Button>
      </div>
    </form>
  )
}
