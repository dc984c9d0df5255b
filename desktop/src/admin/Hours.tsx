/** Opening hours and days off. */
import { SegmentedControl, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useLanguage, useWords } from '../i18n'
import { Button } from '../ui'
import css from './admin.module.css'
import { Chips } from './Chips'
import { type ControlProps, isRecord } from './ControlProps'
import { fieldSay } from './fields'
import { DAYS, hoursOf, hoursWrong, rawHours, type Week, weekOf } from './week'
import { words } from './words'

export function Hours({ labelId, value, set, leave, readOnly }: ControlProps) {
  const t = useWords(words)
  const language = useLanguage()
  const [open, setOpen] = useState<Week | null>(null)
  const week = open ?? (isRecord(value) ? weekOf(value) : null)
  const dayName = (index: number) =>
    new Intl.DateTimeFormat(language, { weekday: 'long', timeZone: 'UTC' }).format(Date.UTC(2024, 0, 1 + index))
  function give(next: Week) {
    setOpen(next)
    set(next.some((one) => hoursWrong(one)) ? rawHours(next) : hoursOf(next), true)
  }
  return (
    <div className={css.stack}>
      <SegmentedControl
        aria-labelledby={labelId}
        disabled={readOnly}
        value={week ? 'hours' : 'always'}
        data={[
          { value: 'always', label: t('always') },
          { value: 'hours', label: t('byHours') },
        ]}
        onChange={(how) => {
          const next =
            how === 'hours' ? ['9:00-17:00', '9:00-17:00', '9:00-17:00', '9:00-17:00', '9:00-17:00', '', ''] : null
          setOpen(next)
          set(next && hoursOf(next))
        }}
      />
      {week && (
        <div className={css.week}>
          {week.map((text, index) => (
            <div key={DAYS[index]} className={css.day}>
              <span aria-hidden="true">{dayName(index)}</span>
              <TextInput
                aria-label={dayName(index)}
                value={text}
                placeholder={t('closed')}
                readOnly={readOnly}
                error={hoursWrong(text) && fieldSay(language, 'wrong.hours')}
                onChange={(event) => give(week.map((one, at) => (at === index ? event.currentTarget.value : one)))}
                onBlur={leave}
              />
            </div>
          ))}
          {!readOnly && (
            <Button
              variant="subtle"
              size="compact-sm"
              onClick={() => give(week.map((one, at) => (at > 0 && at < 5 ? week[0]! : one)))}
            >
              {t('likeMonday')}
            </Button>
          )}
        </div>
      )}
    </div>
  )
}

export function Dates({ labelId, value, set, readOnly }: ControlProps) {
  const t = useWords(words)
  const language = useLanguage()
  const [day, setDay] = useState('')
  const all = (Array.isArray(value) ? (value as string[]) : []).map(String)
  const shown = (one: string) =>
    Number.isNaN(Date.parse(one))
      ? one
      : new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
          weekday: 'short',
          day: 'numeric',
          month: 'short',
          year: 'numeric',
          timeZone: 'UTC',
        }).format(Date.parse(one))
  function add() {
    if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || all.includes(day)) return
    set([...all, day].sort())
    setDay('')
  }
  return (
    <div role="group" aria-labelledby={labelId} className={css.stack}>
      <Chips all={all} shown={shown} readOnly={readOnly} take={(one) => give(all.filter((other) => other !== one))} />
      {!readOnly && (
        <div className={css.line}>
          <TextInput
            type="date"
            aria-label={t('addDay')}
            value={day}
            onChange={(event) => setDay(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter') {
                event.preventDefault()
                add()
              }
            }}
          />
          <Button variant="default" onClick={add}>
            {t('addDay')}
          </Button>
        </div>
      )}
    </div>
  )
  function give(list: string[]) {
    set(list.length ? list : null)
  }
}
