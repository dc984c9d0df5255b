/** What a new plan is for, and where its demand comes from. */
import { MultiSelect, SegmentedControl, Select, Textarea, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useLocation } from 'wouter'
import { api } from '../api/client'
import { useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Button, ProblemNote } from '../ui'
import { type Line, minuteOf, mondays, numberOf, wrongLines } from './model'
import { words } from './newWords'
import { Profile } from './Profile'
import { Planning } from './parts'
import css from './planner.module.css'
import { specialOf } from './reading'
import { useAsk, useDays, useNames } from './store'
import { DAYS, type Head, type NewPlan, type Rate, type Weekday } from './types'

interface Typed {
  lines: Line[]
  handling: string
}

const FIRST: Typed = {
  lines: [{ days: [0, 1, 2, 3, 4], from: '8:00', to: '18:00', perHour: '20' }],
  handling: '240',
}

const within = (text: string, least: number, most: number): number | null => {
  const value = numberOf(text)
  return value !== null && value >= least && value <= most ? value : null
}

function profileOf(lines: readonly Line[]): Partial<Record<Weekday, Rate[]>> {
  const made: Partial<Record<Weekday, Rate[]>> = {}
  for (const one of lines)
    for (const day of one.days) {
      const name = DAYS[day]!
      made[name] = [
        ...(made[name] ?? []),
        [minuteOf(one.from)!, minuteOf(one.to)!, numberOf(one.perHour)!] as Rate,
      ].sort((a, b) => a[0] - b[0])
    }
  return made
}

export default function NewPlanPage() {
  const t = useWords(words)
  const s = useWords(shared)
  const days = useDays()
  const names = useNames()
  const [, go] = useLocation()
  const [coming] = useState(() => mondays(Date.now(), 13))
  const [first, setFirst] = useState(coming[1]!)
  const [name, setName] = useState<string | null>(null)
  const [weeks, setWeeks] = useState('1')
  const [chosen, setChosen] = useState<string[] | null>(null)
  const [goal, setGoal] = useState('own')
  const [share, setShare] = useState('80')
  const [seconds, setSeconds] = useState('20')
  const [level, setLevel] = useState('80')
  const [step, setStep] = useState('1800')
  const [search, setSearch] = useState('20')
  const [source, setSource] = useState('records')
  const [typed, setTyped] = useState<Record<string, Typed>>({})
  const [special, setSpecial] = useState('')
  const [tried, setTried] = useState(false)
  const queues = chosen ?? names.queues.map((one) => one.id)
  const title = name ?? t('usual', { day: days.date(first) })
  const of = (queue: string): Typed => typed[queue] ?? FIRST
  const unlike = specialOf(special)
  const wrong = {
    special: unlike === null || (source === 'typed' && Object.values(unlike).some((one) => typeof one === 'string')),
    name: !title.trim(),
    queues: !queues.length,
    share: goal === 'same' && within(share, 1, 99) === null,
    seconds: goal === 'same' && within(seconds, 0, 3600) === null,
    typed:
      source === 'typed' &&
      queues.some((one) => wrongLines(of(one).lines).length > 0 || within(of(one).handling, 1, 7200) === null),
  }
  const make = useAsk(
    (plan: NewPlan) => api.post<Head>('/plans', plan, { within: 30 }),
    (answer) => go(`/plans/${encodeURIComponent((answer as Head).id)}`),
  )

  function submit(event: FormEvent) {
    event.preventDefault()
    setTried(true)
    if (Object.values(wrong).some(Boolean)) return
    make.mutate({
      name: title.trim(),
      first,
      weeks: Number(weeks),
      queues,
      ...(goal === 'same' && { target: { service_level: Number(numberOf(share)) / 100, within: numberOf(seconds)! } }),
      level: Number(level) / 100,
      step: Number(step),
      seconds: Number(search),
      demand:
        source === 'records'
          ? { from: 'records', special: unlike! }
          : {
              from: 'typed',
              special: unlike!,
              per_hour: Object.fromEntries(queues.map((one) => [one, profileOf(of(one).lines)])),
              handling: Object.fromEntries(queues.map((one) => [one, numberOf(of(one).handling)!])),
            },
    })
  }

  const choice = <const T extends string>(all: readonly T[], label: (one: T) => string) =>
    all.map((value) => ({ value, label: label(value) }))
  return (
    <Planning here="plans" title={t('title')}>
      <form className={css.form} onSubmit={submit} noValidate>
        <div className={css.fields}>
          <TextInput
            label={t('name')}
            value={title}
            maxLength={120}
            error={tried && wrong.name && t('needName')}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Select
            label={t('first')}
            data={coming.map((value, index) => ({
              value,
              label: index ? days.long(value) : `${days.long(value)} (${t('thisWeek')})`,
            }))}
            value={first}
            onChange={(value) => value && setFirst(value)}
            allowDeselect={false}
          />
          <Select
            label={t('weeks')}
            data={choice(['1', '2', '3', '4', '6', '8'], (one) => t('weeksN', { n: Number(one) }))}
            value={weeks}
            onChange={(value) => value && setWeeks(value)}
            allowDeselect={false}
          />
          <MultiSelect
            className={css.wideField}
            label={t('queues')}
            data={names.queues.map((one) => ({ value: one.id, label: one.name || one.id }))}
            value={queues}
            onChange={setChosen}
            error={tried && wrong.queues && t('needQueue')}
            searchable
          />
        </div>
        <fieldset className={css.group}>
          <legend>{t('target')}</legend>
          <div className={css.fields}>
            <SegmentedControl
              aria-label={t('target')}
              className={css.segments}
              value={goal}
              onChange={setGoal}
              data={[
                { value: 'own', label: t('targetOwn') },
                { value: 'same', label: t('targetSame') },
              ]}
            />
            {goal === 'same' && (
              <>
                <TextInput
                  label={t('share')}
                  inputMode="numeric"
                  value={share}
                  error={wrong.share && t('wrongShare')}
                  onChange={(event) => setShare(event.currentTarget.value)}
                />
                <TextInput
                  label={t('within')}
                  inputMode="numeric"
                  value={seconds}
                  error={wrong.seconds && t('wrongSeconds')}
                  onChange={(event) => setSeconds(event.currentTarget.value)}
                />
              </>
            )}
          </div>
          <div className={css.fields}>
            <Select
              label={t('level')}
              description={t('levelWhy')}
              className={css.wideField}
              data={choice(['50', '70', '80', '90', '95'], (one) => t(`level.${one}`))}
              value={level}
              onChange={(value) => value && setLevel(value)}
              allowDeselect={false}
            />
          </div>
          <div className={css.fields}>
            <Select
              label={t('step')}
              data={choice(['900', '1800', '3600'], (one) => t('minutes', { n: Number(one) / 60 }))}
              value={step}
              onChange={(value) => value && setStep(value)}
              allowDeselect={false}
            />
            <Select
              label={t('seconds')}
              data={choice(['5', '20', '60', '300'], (one) => t(`seconds.${one}`))}
              value={search}
              onChange={(value) => value && setSearch(value)}
              allowDeselect={false}
            />
          </div>
        </fieldset>
        <fieldset className={css.group}>
          <legend>{t('demand')}</legend>
          <SegmentedControl
            aria-label={t('demand')}
            className={css.segments}
            value={source}
            onChange={setSource}
            data={[
              { value: 'records', label: t('records') },
              { value: 'typed', label: t('typed') },
            ]}
          />
          <p className="dim">{t(source === 'records' ? 'recordsWhy' : 'typedWhy')}</p>
          {source === 'typed' &&
            queues.map((queue) => (
              <Profile
                key={queue}
                name={names.queue(queue)}
                lines={of(queue).lines}
                handling={of(queue).handling}
                handlingWrong={within(of(queue).handling, 1, 7200) === null}
                set={(change) => setTyped({ ...typed, [queue]: { ...of(queue), ...change } })}
              />
            ))}
          <Textarea
            label={t('special')}
            description={t(source === 'records' ? 'specialHow' : 'specialTyped')}
            placeholder="2026-12-24 60 %"
            value={special}
            autosize
            minRows={2}
            error={wrong.special && t('wrongSpecial')}
            onChange={(event) => setSpecial(event.currentTarget.value)}
          />
        </fieldset>
        {make.isError && <ProblemNote problem={make.error} />}
        <div className={css.formEnd}>
          <Button type="submit" loading={make.isPending} disabled={tried && Object.values(wrong).some(Boolean)}>
            {t('make')}
          </Button>
          <Button variant="default" onClick={() => go('/plans')}>
            {s('cancel')}
          </Button>
          <span className="dim">{t('makeWhy')}</span>
        </div>
      </form>
    </Planning>
  )
}
