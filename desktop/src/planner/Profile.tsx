/** A queue's typed week: lines of days, a time from and to, contacts an hour. */
import { ActionIcon, Select, TextInput } from '@mantine/core'
import { useLanguage, useWords } from '../i18n'
import { number } from '../i18n/format'
import { Button, Icon } from '../ui'
import { clockOf, type Line, minuteOf, numberOf, weekly, wrongLines } from './model'
import { words } from './newWords'
import css from './planner.module.css'
import { useDays } from './store'
import { words as common } from './words'

const SETS: Record<string, readonly number[]> = {
  all: [0, 1, 2, 3, 4, 5, 6],
  work: [0, 1, 2, 3, 4],
  end: [5, 6],
}

interface Props {
  name: string
  lines: Line[]
  handling: string
  handlingWrong: boolean
  set: (change: { lines?: Line[]; handling?: string }) => void
}

export function Profile({ name, lines, handling, handlingWrong, set }: Props) {
  const t = useWords(words)
  const c = useWords(common)
  const language = useLanguage()
  const days = useDays()
  const wrong = wrongLines(lines)
  const choices = [
    { value: 'work', label: t('days.work') },
    { value: 'end', label: t('days.end') },
    { value: 'all', label: t('days.all') },
    ...SETS.all!.map((one) => ({ value: String(one), label: days.weekday(one) })),
  ]
  const chosenOf = (one: readonly number[]): string =>
    Object.keys(SETS).find((key) => SETS[key]!.join() === one.join()) ?? String(one[0])
  const change = (index: number, part: Partial<Line>) =>
    set({ lines: lines.map((one, at) => (at === index ? { ...one, ...part } : one)) })
  const many = weekly(lines)
  const top = Math.max(1, ...lines.map((one) => numberOf(one.perHour) ?? 0))
  return (
    <div className={css.profile} role="group" aria-label={t('profileOf', { queue: name })}>
      <h2>{name}</h2>
      <div className={css.profileBody}>
        <div className={css.lines}>
          {lines.map((one, index) => {
            const bad = wrong.includes(index)
            const label = (what: string) => `${what} (${t('line', { queue: name, n: index + 1 })})`
            return (
              <div key={index} className={css.rate}>
                <Select
                  aria-label={label(t('days'))}
                  data={choices}
                  value={chosenOf(one.days)}
                  onChange={(value) => value && change(index, { days: SETS[value] ?? [Number(value)] })}
                  allowDeselect={false}
                />
                <TextInput
                  aria-label={label(c('from'))}
                  value={one.from}
                  error={bad}
                  onChange={(event) => change(index, { from: event.currentTarget.value })}
                />
                <TextInput
                  aria-label={label(c('to'))}
                  value={one.to}
                  error={bad}
                  onChange={(event) => change(index, { to: event.currentTarget.value })}
                />
                <TextInput
                  aria-label={label(c('perHour'))}
                  value={one.perHour}
                  inputMode="decimal"
                  error={bad}
                  rightSection={<small className="dim">/h</small>}
                  onChange={(event) => change(index, { perHour: event.currentTarget.value })}
                />
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={label(c('remove'))}
                  disabled={lines.length === 1}
                  onClick={() => set({ lines: lines.filter((_, at) => at !== index) })}
                >
                  <Icon name="trash" size={16} />
                </ActionIcon>
              </div>
            )
          })}
          {wrong.length > 0 && (
            <p role="alert" className={css.bad}>
              {t('wrongLine')}
            </p>
          )}
          <Button
            variant="default"
            size="xs"
            onClick={() => {
              const last = lines.at(-1)!
              const from = minuteOf(last.to) ?? 480
              const free = from < 1380
              set({
                lines: [
                  ...lines,
                  free
                    ? { days: last.days, from: last.to, to: clockOf(from + 60), perHour: last.perHour }
                    : { days: [5], from: '9:00', to: '13:00', perHour: last.perHour },
                ],
              })
            }}
          >
            {t('addLine')}
          </Button>
          <TextInput
            className={css.short}
            label={t('handling')}
            inputMode="numeric"
            value={handling}
            error={handlingWrong && t('wrongHandling')}
            onChange={(event) => set({ handling: event.currentTarget.value })}
          />
        </div>
        <div className={css.preview} aria-hidden="true">
          {SETS.all!.map((day) => (
            <div key={day}>
              <small className="dim">{days.brief(day)}</small>
              <span>
                {lines.map((one, index) => {
                  const from = minuteOf(one.from)
                  const to = minuteOf(one.to)
                  const rate = numberOf(one.perHour)
                  if (!one.days.includes(day) || from === null || to === null || rate === null || to <= from)
                    return null
                  return (
                    <i
                      key={index}
                      style={{
                        left: `${from / 14.4}%`,
                        width: `${(to - from) / 14.4}%`,
                        height: `${(100 * rate) / top}%`,
                      }}
                    />
                  )
                })}
              </span>
            </div>
          ))}
        </div>
      </div>
      <p className="dim">
        {t('weekly', {
          n: number(language, many),
          hours: number(language, (many * (numberOf(handling) ?? 0)) / 3600, 1),
        })}
      </p>
    </div>
  )
}
