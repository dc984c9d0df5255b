/** Kinds of shifts, rules of law and contract, and what counts against a roster. */
import { ActionIcon, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../api/client'
import { useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Button, Icon, ProblemNote } from '../ui'
import { minuteOf, numberOf } from './model'
import { words } from './peopleWords'
import css from './planner.module.css'
import { type KindText, kindOf, kindText, timeText } from './reading'
import { useAsk } from './store'
import type { Rules } from './types'
import { words as common } from './words'

/** In the form in hours where people say hours; the rules have minutes. */
const RULES = [
  { name: 'rest', most: 48, per: 60 },
  { name: 'weekly_rest', most: 72, per: 60 },
  { name: 'most_days', most: 14, per: 1 },
  { name: 'tolerance', most: 40, per: 1 },
  { name: 'weekend_every', most: 12, per: 1 },
] as const

const COSTS = [
  'paid_hour',
  'short_hour',
  'deep',
  'deep_hour',
  'spare_hour',
  'wish',
  'outside_hour',
  'unpopular',
  'late',
] as const

const leastOf = (name: string): number => (name === 'most_days' ? 1 : 0)

export function RulesForm({ house, readOnly }: { house: Rules; readOnly: boolean }) {
  const t = useWords(words)
  const c = useWords(common)
  const s = useWords(shared)
  const queries = useQueryClient()
  const [kinds, setKinds] = useState<KindText[]>(house.kinds.map(kindText))
  const [rules, setRules] = useState<Record<string, string>>(
    Object.fromEntries(RULES.map((one) => [one.name, String(house.rules[one.name] / one.per)])),
  )
  const [costs, setCosts] = useState<Record<string, string>>(
    Object.fromEntries(
      COSTS.map((one) => [one, one === 'late' ? timeText(house.costs[one] ?? 0) : String(house.costs[one] ?? '')]),
    ),
  )
  const [touched, setTouched] = useState(false)
  const names = kinds.map((one) => one.name.trim())
  const wrongKinds = kinds.map((one, index) => kindOf(one) === null || names.indexOf(names[index]!) !== index)
  const wrongRule = (one: (typeof RULES)[number]) => {
    const value = numberOf(rules[one.name]!)
    return (
      value === null ||
      value > one.most ||
      value < leastOf(one.name) ||
      (one.per === 1 && one.name !== 'tolerance' && value % 1 !== 0)
    )
  }
  const wrongCost = (one: string) => (one === 'late' ? minuteOf(costs[one]!) : numberOf(costs[one]!)) === null
  const bad = wrongKinds.some(Boolean) || !kinds.length || RULES.some(wrongRule) || COSTS.some(wrongCost)
  const save = useAsk(
    (given: object) => api.put('/planning/rules', given),
    () => void queries.invalidateQueries({ queryKey: ['planning', 'rules'] }),
  )

  function submit(event: FormEvent) {
    event.preventDefault()
    if (bad) return
    save.mutate({
      version: house.version,
      kinds: kinds.map((one) => kindOf(one)!),
      rules: Object.fromEntries(
        RULES.map((one) => [
          one.name,
          one.name === 'tolerance' ? numberOf(rules[one.name]!)! : Math.round(numberOf(rules[one.name]!)! * one.per),
        ]),
      ),
      costs: Object.fromEntries(
        COSTS.map((one) => [one, one === 'late' ? minuteOf(costs[one]!)! : numberOf(costs[one]!)!]),
      ),
    })
  }
  const change = (index: number, change: Partial<KindText>) => {
    setTouched(true)
    setKinds(kinds.map((one, at) => (at === index ? { ...one, ...change } : one)))
  }
  const label = (what: string, index: number) => `${what} (${t('kindOf', { n: index + 1 })})`
  return (
    <form className={`${css.form} ${css.rulesForm}`} onSubmit={submit} noValidate>
      <fieldset className={css.group}>
        <legend>{t('kinds')}</legend>
        <p className="dim">
          {t('startsHow')}. {t('breaksHow')}
        </p>
        {kinds.map((one, index) => (
          <div key={index} className={css.kind} role="group" aria-label={t('kindOf', { n: index + 1 })}>
            <TextInput
              label={t('kindName')}
              aria-label={label(t('kindName'), index)}
              value={one.name}
              readOnly={readOnly}
              error={wrongKinds[index]}
              onChange={(event) => change(index, { name: event.currentTarget.value })}
            />
            <TextInput
              label={t('length')}
              aria-label={label(t('length'), index)}
              value={one.length}
              readOnly={readOnly}
              error={wrongKinds[index]}
              onChange={(event) => change(index, { length: event.currentTarget.value })}
            />
            <TextInput
              label={t('starts')}
              aria-label={label(t('starts'), index)}
              value={one.starts}
              readOnly={readOnly}
              error={wrongKinds[index]}
              onChange={(event) => change(index, { starts: event.currentTarget.value })}
            />
            <TextInput
              label={t('breaks')}
              aria-label={label(t('breaks'), index)}
              value={one.breaks}
              readOnly={readOnly}
              error={wrongKinds[index]}
              onChange={(event) => change(index, { breaks: event.currentTarget.value })}
            />
            {!readOnly && (
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={label(c('remove'), index)}
                disabled={kinds.length === 1}
                onClick={() => {
                  setTouched(true)
                  setKinds(kinds.filter((_, at) => at !== index))
                }}
              >
                <Icon name="trash" size={16} />
              </ActionIcon>
            )}
          </div>
        ))}
        {wrongKinds.some(Boolean) && (
          <p role="alert" className={css.bad}>
            {t('wrongKind')}
          </p>
        )}
        {!readOnly && (
          <div>
            <Button
              variant="default"
              size="xs"
              onClick={() => {
                setTouched(true)
                setKinds([...kinds, { name: '', length: '8:00', starts: '8:00', breaks: '' }])
              }}
            >
              {t('addKind')}
            </Button>
          </div>
        )}
      </fieldset>
      <fieldset className={css.group}>
        <legend>{t('rules')}</legend>
        <p className="dim">{t('rulesWhy')}</p>
        <div className={css.fields}>
          {RULES.map((one) => (
            <TextInput
              key={one.name}
              label={t(one.name)}
              description={one.name === 'weekend_every' || one.name === 'weekly_rest' ? t('weekendHow') : undefined}
              inputMode="decimal"
              value={rules[one.name]}
              readOnly={readOnly}
              error={wrongRule(one) && t('wrongNumber', { least: leastOf(one.name), most: one.most })}
              onChange={(event) => {
                setTouched(true)
                setRules({ ...rules, [one.name]: event.currentTarget.value })
              }}
            />
          ))}
        </div>
      </fieldset>
      <fieldset className={css.group}>
        <legend>{t('costs')}</legend>
        <p className="dim">{t('costsWhy')}</p>
        <div className={css.fields}>
          {COSTS.map((one) => (
            <TextInput
              key={one}
              label={t(`cost.${one}`)}
              inputMode="decimal"
              value={costs[one]}
              readOnly={readOnly}
              error={wrongCost(one) && t('wrongNumber', { least: 0, most: 1000 })}
              onChange={(event) => {
                setTouched(true)
                setCosts({ ...costs, [one]: event.currentTarget.value })
              }}
            />
          ))}
        </div>
      </fieldset>
      {save.isError && <ProblemNote problem={save.error} />}
      {!readOnly && (
        <div className={css.formEnd}>
          <Button type="submit" loading={save.isPending} disabled={bad || !touched}>
            {s('save')}
          </Button>
        </div>
      )}
    </form>
  )
}
