/** One shift opened: what is in it, and by keyboard all that can be done with it. */
import { ActionIcon, Modal, Select, TextInput } from '@mantine/core'
import { useState } from 'react'
import { type Language, useWords } from '../i18n'
import { number } from '../i18n/format'
import { shared } from '../i18n/shared'
import { Button, Icon } from '../ui'
import { clockOf, hoursOf, minuteOf } from './model'
import css from './planner.module.css'
import { words } from './planWords'
import { useDays, useNames } from './store'
import type { Change, Duty, Plan } from './types'
import { words as common } from './words'

export interface Opened {
  agent: string
  day: string
  /** null: a day off, to which a shift is given. */
  duty: Duty | null
}

interface Props {
  plan: Plan
  opened: Opened
  /** null: it is only read. */
  apply: ((change: Change) => void) | null
  close: () => void
  language: Language
}

export function DutyDialog({ plan, opened: { agent, day, duty }, apply, close, language }: Props) {
  const t = useWords(words)
  const c = useWords(common)
  const s = useWords(shared)
  const days = useDays()
  const names = useNames()
  const [shift, setShift] = useState(duty?.shift ?? plan.kinds[0]?.name ?? '')
  const kind = plan.kinds.find((one) => one.name === shift)
  const [start, setStart] = useState<number | null>(duty?.start ?? null)
  const [who, setWho] = useState(agent)
  const [other, setOther] = useState('')
  const starts = [...new Set([...(kind?.starts ?? []), ...(duty ? [duty.start] : [])])].sort((a, b) => a - b)
  const begins = start !== null && starts.includes(start) ? start : (starts[0] ?? null)
  const name = plan.agents.find((one) => one.agent === agent)?.name ?? agent
  const others = plan.duties.filter((one) => one.day === day && one.agent !== agent)
  const done = (change: Change) => {
    apply?.(change)
    close()
  }

  function change() {
    if (begins === null) return
    if (!duty) return done({ what: 'add', agent, day, shift, start: begins })
    if (other) return done({ what: 'swap', duty: duty.id, with: other })
    if (begins !== duty.start || who !== agent)
      return done({ what: 'move', duty: duty.id, day, start: begins, ...(who !== agent && { agent: who }) })
    close()
  }

  return (
    <Modal
      opened
      onClose={close}
      title={t('newShift', { agent: name, day: days.long(day) })}
      size={duty && apply ? 720 : undefined}
      closeButtonProps={{ 'aria-label': s('close') }}
    >
      <div className={duty && apply ? css.sides : css.stack}>
        {duty && (
          <div>
            <table className={css.parts}>
              <tbody>
                {[
                  ...duty.stretches.map((one) => ({ ...one, what: names.queue(one.queue) })),
                  ...duty.breaks.map((one) => ({
                    ...one,
                    what: one.paid ? s('break') : `${s('break')} (${t('unpaid')})`,
                  })),
                  ...duty.activities.map((one) => ({ ...one, own: true })),
                ]
                  .sort((a, b) => a.start - b.start)
                  .map((one, index) => (
                    <tr key={index}>
                      <td className="num">
                        {clockOf(one.start)}–{clockOf(one.end)}
                      </td>
                      <td>{one.what}</td>
                      <td>
                        {apply && 'own' in one && (
                          <ActionIcon
                            variant="subtle"
                            color="gray"
                            aria-label={t('activityEnd', { what: one.what, from: clockOf(one.start) })}
                            onClick={() =>
                              done({ what: 'activity', duty: duty.id, start: one.start, end: one.end, name: '' })
                            }
                          >
                            <Icon name="trash" size={16} />
                          </ActionIcon>
                        )}
                      </td>
                    </tr>
                  ))}
              </tbody>
            </table>
            <p className="dim">{t('hours', { n: number(language, hoursOf(duty), 2) })}</p>
          </div>
        )}
        {apply && (
          <div className={css.stack}>
            <form
              className={css.stack}
              onSubmit={(event) => {
                event.preventDefault()
                change()
              }}
            >
              {!duty && (
                <Select
                  label={t('shift')}
                  data={plan.kinds.map((one) => ({ value: one.name, label: one.name }))}
                  value={shift}
                  onChange={(value) => value && setShift(value)}
                  allowDeselect={false}
                  data-autofocus
                />
              )}
              <Select
                label={t('start')}
                data-autofocus={duty ? true : undefined}
                data={starts.map((one) => ({ value: String(one), label: clockOf(one) }))}
                value={begins === null ? null : String(begins)}
                onChange={(value) => value && setStart(Number(value))}
                allowDeselect={false}
                disabled={Boolean(other)}
              />
              {duty && (
                <Select
                  label={t('agent')}
                  data={plan.agents.map((one) => ({ value: one.agent, label: one.name }))}
                  value={who}
                  onChange={(value) => value && setWho(value)}
                  allowDeselect={false}
                  searchable
                  disabled={Boolean(other)}
                />
              )}
              {duty && others.length > 0 && (
                <Select
                  label={t('swapWith')}
                  data={[
                    { value: '', label: t('swapNone') },
                    ...others.map((one) => ({
                      value: one.id,
                      label: `${names.agent(one.agent)}, ${clockOf(one.start)}–${clockOf(one.end)}`,
                    })),
                  ]}
                  value={other}
                  onChange={(value) => setOther(value ?? '')}
                  allowDeselect={false}
                  searchable
                />
              )}
              <div className={css.formEnd}>
                <Button type="submit" disabled={begins === null}>
                  {c('apply')}
                </Button>
                {duty && (
                  <Button variant="default" onClick={() => done({ what: 'remove', duty: duty.id })}>
                    {t('removeShift')}
                  </Button>
                )}
                {duty && (
                  <Button
                    variant="default"
                    title={t('illWhy')}
                    onClick={() => done({ what: 'absent', agent, days: [day], repair: true })}
                  >
                    {t('ill')}
                  </Button>
                )}
                <Button variant="default" onClick={close}>
                  {s('cancel')}
                </Button>
              </div>
            </form>
            {duty && <Away duty={duty} done={done} />}
          </div>
        )}
      </div>
    </Modal>
  )
}

/** A part of the shift set aside: training, coaching, a meeting. */
function Away({ duty, done }: { duty: Duty; done: (change: Change) => void }) {
  const t = useWords(words)
  const c = useWords(common)
  const [what, setWhat] = useState(t('training'))
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  // Of a shift past midnight small hours are the next day's.
  const at = (text: string) => {
    const minute = minuteOf(text)
    return minute !== null && minute < duty.start ? minute + 1440 : minute
  }
  const start = at(from)
  const end = at(to)
  const fits = start !== null && end !== null && start < end && end <= duty.end && what.trim() !== ''
  return (
    <form
      className={css.wrap}
      aria-label={t('activity')}
      onSubmit={(event) => {
        event.preventDefault()
        if (fits) done({ what: 'activity', duty: duty.id, start, end, name: what.trim() })
      }}
    >
      <TextInput
        className={css.grow}
        label={t('activity')}
        aria-label={`${t('activity')}: ${t('activityWhat')}`}
        value={what}
        maxLength={200}
        onChange={(event) => setWhat(event.currentTarget.value)}
      />
      <TextInput
        className={css.clock}
        label={c('from')}
        placeholder={clockOf(duty.start)}
        value={from}
        error={from !== '' && start === null}
        onChange={(event) => setFrom(event.currentTarget.value)}
      />
      <TextInput
        className={css.clock}
        label={c('to')}
        value={to}
        error={to !== '' && end === null}
        onChange={(event) => setTo(event.currentTarget.value)}
      />
      <Button type="submit" variant="default" disabled={!fits}>
        {t('activityAdd')}
      </Button>
    </form>
  )
}
