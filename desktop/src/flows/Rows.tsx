/** Rows of names and texts, as variables with their values. */
import { TextInput } from '@mantine/core'
import { useEffect, useId, useState } from 'react'
import { useWords } from '../i18n'
import { Button, Icon } from '../ui'
import { same } from './difference'
import css from './flows.module.css'
import { IconButton } from './parts'
import { words } from './words'

export const entries = (value: unknown): [string, string][] =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value).map(([name, one]) => [name, String(one)])
    : []

/** Rows of a name and a text. A row whose name is empty or taken waits here until it can be. */
export function Rows({
  value,
  set,
  readOnly,
  label,
  hint,
  left,
  right,
}: {
  value: Record<string, unknown> | undefined
  set: (value: Record<string, string>, typing: boolean) => void
  readOnly: boolean
  label: string
  hint?: string
  left: string
  right: string
}) {
  const t = useWords(words)
  const [rows, setRows] = useState(() => entries(value))
  const made = Object.fromEntries(rows.filter(([name]) => name))
  const outside = Object.fromEntries(entries(value))
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what comes from outside replaces what is typed
  useEffect(() => {
    if (!same(made, outside)) setRows(entries(value))
  }, [JSON.stringify(outside)])
  const put = (next: [string, string][], typing: boolean) => {
    setRows(next)
    const now = Object.fromEntries(next.filter(([name]) => name))
    if (!same(now, outside)) set(now, typing)
  }
  const heading = useId()
  return (
    <fieldset className={css.rows} aria-labelledby={heading}>
      <span id={heading} className={css.label}>
        {label}
      </span>
      {hint && <p className={css.hint}>{hint}</p>}
      {rows.map(([name, text], index) => (
        <div key={index} className={css.row}>
          <TextInput
            aria-label={`${left} ${index + 1}`}
            placeholder={left}
            classNames={{ input: css.mono }}
            value={name}
            readOnly={readOnly}
            spellCheck={false}
            onChange={(event) => {
              const next = event.currentTarget.value
              put(
                rows.map((one, at) => (at === index ? [next, one[1]] : one)),
                true,
              )
            }}
          />
          <TextInput
            aria-label={`${right} ${index + 1}`}
            placeholder={right}
            classNames={{ input: css.mono }}
            value={text}
            readOnly={readOnly}
            spellCheck={false}
            onChange={(event) => {
              const next = event.currentTarget.value
              put(
                rows.map((one, at) => (at === index ? [one[0], next] : one)),
                true,
              )
            }}
          />
          {!readOnly && (
            <IconButton
              icon="close"
              label={t('removeRow', { n: index + 1 })}
              onClick={() =>
                put(
                  rows.filter((_, at) => at !== index),
                  false,
                )
              }
            />
          )}
        </div>
      ))}
      {!readOnly && (
        <Button
          size="xs"
          variant="default"
          leftSection={<Icon name="plus" size={14} />}
          aria-label={`${t('addRow')}: ${label}`}
          onClick={() => setRows([...rows, ['', '']])}
        >
          {t('addRow')}
        </Button>
      )}
    </fieldset>
  )
}
