/** A password: made, typed, copied; never shown once it is saved. */
import { TextInput } from '@mantine/core'
import { useState } from 'react'
import { useWords } from '../i18n'
import { Button } from '../ui'
import css from './admin.module.css'
import type { ControlProps } from './ControlProps'
import { Copy } from './parts'
import { words } from './words'

export function newSecret(): string {
  // Letters that nobody takes for another, as it may be typed on a telephone.
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789'
  return Array.from(crypto.getRandomValues(new Uint8Array(20)), (one) => letters[one % letters.length]).join('')
}

export function Secret({
  id,
  describedBy,
  value,
  set,
  leave,
  readOnly,
  bad,
}: Pick<ControlProps, 'id' | 'value' | 'set' | 'leave' | 'readOnly' | 'bad'> & { describedBy?: string }) {
  const t = useWords(words)
  const [opened, setOpened] = useState(false)
  const hidden = value === '***' || (typeof value === 'string' && /^(env|file):/.test(value))
  if (readOnly || (hidden && !opened)) {
    return (
      <div className={css.line}>
        <span>
          {value === '***' ? t('secretSet') : value ? t('secretReference', { value: String(value) }) : t('notSet')}
        </span>
        {!readOnly && (
          <Button id={id} variant="default" size="xs" onClick={() => setOpened(true)}>
            {t('changeIt')}
          </Button>
        )}
      </div>
    )
  }
  const text = hidden ? '' : String(value ?? '')
  return (
    <div className={css.stack}>
      <div className={css.line}>
        <TextInput
          id={id}
          className={css.grow}
          classNames={{ input: css.mono }}
          value={text}
          error={bad}
          autoComplete="off"
          spellCheck={false}
          aria-describedby={describedBy}
          onChange={(event) => set(event.currentTarget.value || null, true)}
          onBlur={leave}
        />
        <Button variant="default" onClick={() => set(newSecret())}>
          {t('generate')}
        </Button>
        {text && <Copy text={text} />}
      </div>
      {text && <p className={css.hint}>{t('secretOnce')}</p>}
    </div>
  )
}
