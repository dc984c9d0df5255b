/** Keys while waiting; and mappings whose keys are durations, numbers and percentages: callbacks, calls after who hung up. */
import { ActionIcon, Select, Switch, TextInput } from '@mantine/core'
import { useId } from 'react'
import { useLanguage, useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Icon } from '../ui'
import css from './admin.module.css'
import { type ControlProps, isRecord } from './ControlProps'
import { Destination } from './Destination'
import { fieldSay, wrong } from './fields'

const DIGITS = [...'123456789*0#']

/** Which way out each key of the telephone takes. */
export function Keys({ value, set, leave, readOnly, bad, settings, labelId, thing }: ControlProps) {
  const s = useWords(shared)
  const language = useLanguage()
  const given = isRecord(value) ? value : {}
  const used = DIGITS.filter((one) => one in given)
  const free = DIGITS.filter((one) => !(one in given))
  const put = (digit: string, to: unknown, typing?: boolean) => {
    const next = { ...given, [digit]: to }
    if (to === null) delete next[digit]
    set(Object.keys(next).length ? next : null, typing)
  }
  return (
    <div role="group" aria-labelledby={labelId} className={css.stack}>
      {used.map((digit) => (
        <div key={digit} className={css.line}>
          <kbd>{digit}</kbd>
          <Destination
            value={given[digit]}
            set={(to, typing) => put(digit, to, typing)}
            leave={leave}
            readOnly={readOnly}
            bad={bad}
            settings={settings}
            labelId={labelId}
            thing={thing}
          />
          <ActionIcon
            variant="default"
            aria-label={`${s('delete')} ${digit}`}
            disabled={readOnly}
            onClick={() => put(digit, null)}
          >
            <Icon name="close" size={14} />
          </ActionIcon>
        </div>
      ))}
      {free.length > 0 && !readOnly && (
        <Select
          className={css.kind}
          aria-label={s('add')}
          placeholder={fieldSay(language, 'key.add')}
          data={free.map((one) => ({ value: one, label: one }))}
          value={null}
          onChange={(digit) => digit && put(digit, { flow: 'callback' })}
        />
      )}
    </div>
  )
}

interface Part {
  key: string
  kind: 'duration' | 'integer' | 'percent' | 'parts' | 'yes'
  usual: string
  low?: number
  high?: number
  parts?: Part[]
}

export const PARTS: Record<string, Part[]> = {
  callbacks: [
    { key: 'attempts', kind: 'integer', usual: '3', low: 1, high: 20 },
    { key: 'retry', kind: 'duration', usual: '5m', low: 10, high: 86400 },
    { key: 'expires', kind: 'duration', usual: '4h', low: 60, high: 30 * 86400 },
    { key: 'ring', kind: 'duration', usual: '30s', low: 5, high: 120 },
    {
      key: 'slots',
      kind: 'parts',
      usual: '',
      parts: [
        { key: 'share', kind: 'percent', usual: '50' },
        { key: 'days', kind: 'integer', usual: '5', low: 1, high: 31 },
      ],
    },
  ],
  balance: [
    { key: 'give', kind: 'yes', usual: '' },
    { key: 'take', kind: 'yes', usual: '' },
    { key: 'reserve', kind: 'integer', usual: '0', low: 0, high: 100_000 },
    { key: 'most', kind: 'integer', usual: '', low: 0, high: 100_000 },
  ],
  balancing: [
    { key: 'on', kind: 'yes', usual: '' },
    { key: 'every', kind: 'duration', usual: '20s', low: 5, high: 600 },
    { key: 'moves_per_hour', kind: 'integer', usual: '6', low: 0, high: 60 },
    { key: 'margin', kind: 'percent', usual: '2' },
  ],
  last_agent: [
    { key: 'within', kind: 'duration', usual: '168h', low: 60 },
    { key: 'wait', kind: 'duration', usual: '30s', high: 3600 },
    { key: 'preferred', kind: 'yes', usual: '' },
  ],
  follow_up: [
    { key: 'after', kind: 'duration', usual: '10m', high: 7 * 86400 },
    { key: 'attempts', kind: 'integer', usual: '1', low: 1, high: 20 },
    { key: 'priority', kind: 'integer', usual: '0', low: -1000, high: 1000 },
    { key: 'grace', kind: 'duration', usual: '1m', high: 86400 },
  ],
}

/** A mapping, key by key; one that may be left out has a switch. */
export function Mapping({ field, value, set, leave, readOnly, labelId }: ControlProps) {
  return (
    <Some
      name={field.key}
      parts={PARTS[field.key] ?? []}
      optional={field.key !== 'callbacks'}
      value={value}
      set={set}
      leave={leave}
      readOnly={readOnly}
      labelId={labelId}
    />
  )
}

type SomeProps = Pick<ControlProps, 'value' | 'set' | 'leave' | 'readOnly' | 'labelId'> & {
  name: string
  parts: Part[]
  optional: boolean
}

function Some({ name, parts, optional, value, set, leave, readOnly, labelId }: SomeProps) {
  const s = useWords(shared)
  const language = useLanguage()
  const base = useId()
  const on = isRecord(value)
  const given = on ? value : {}
  const give = (key: string, one: unknown, typing?: boolean) => {
    const next = { ...given, [key]: one }
    if (one === null || one === '') delete next[key]
    set(Object.keys(next).length || optional ? next : null, typing)
  }
  return (
    <div role="group" aria-labelledby={labelId} className={css.stack}>
      {optional && (
        <Switch
          checked={on}
          disabled={readOnly}
          label={s(on ? 'yes' : 'no')}
          onChange={(event) => set(event.currentTarget.checked ? {} : null)}
        />
      )}
      {(on || !optional) &&
        parts.map((part) => (
          <div key={part.key} className={css.sub}>
            {part.kind === 'parts' ? (
              <>
                <span id={`${base}-${part.key}`}>{fieldSay(language, `${name}.${part.key}`)}</span>
                <Some
                  name={part.key}
                  parts={part.parts ?? []}
                  optional
                  value={given[part.key]}
                  set={(next, typing) => give(part.key, next, typing)}
                  leave={leave}
                  readOnly={readOnly}
                  labelId={`${base}-${part.key}`}
                />
              </>
            ) : part.kind === 'yes' ? (
              <Switch
                // On unless it is said to be off.
                checked={!['false', 'no', 'off'].includes(String(given[part.key] ?? 'true'))}
                disabled={readOnly}
                label={fieldSay(language, `${name}.${part.key}`)}
                onChange={(event) => give(part.key, event.currentTarget.checked ? null : false)}
              />
            ) : (
              <>
                <label htmlFor={`${base}-${part.key}`}>{fieldSay(language, `${name}.${part.key}`)}</label>
                <TextInput
                  id={`${base}-${part.key}`}
                  className={css.narrow}
                  value={String(given[part.key] ?? '')}
                  placeholder={part.usual}
                  readOnly={readOnly}
                  error={
                    part.kind !== 'percent' &&
                    wrong({ key: part.key, kind: part.kind, low: part.low, high: part.high }, given[part.key]) !== null
                  }
                  spellCheck={false}
                  onChange={(event) => give(part.key, event.currentTarget.value, true)}
                  onBlur={leave}
                />
              </>
            )}
          </div>
        ))}
    </div>
  )
}
