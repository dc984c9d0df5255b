/** The board of a plan: its courses and its roster over one time axis; edits are tried at the centre, then saved. */
import { Select } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'
import { ApiProblem } from '../api/client'
import { defineActs, useAct } from '../app/keys'
import { useLanguage, useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Button, ui } from '../ui'
import { CourseChart } from './Chart'
import { DutyDialog, type Opened } from './DutyDialog'
import { Effect } from './Effect'
import {
  anew,
  clockOf,
  courseOf,
  DAY,
  isoOf,
  joined,
  locally,
  perDay,
  reversed,
  run,
  span,
  stepOf,
  withTried,
} from './model'
import { BrokenRule } from './parts'
import css from './planner.module.css'
import { words } from './planWords'
import { Legend, RosterDay } from './RosterDay'
import { RosterWeek } from './RosterWeek'
import { PLANS, tryChanges, useDays, useNames, usePlanner } from './store'
import type { Broken, Change, Plan, Tried } from './types'
import { words as common } from './words'

const acts = defineActs({
  planUndo: {
    key: 'Ctrl+KeyZ',
    title: ['Undo a change of the roster', 'Cofnij zmianę grafiku', 'Отменить изменение графика'],
  },
})

/** So long after a key the centre is asked what the move does: further keys come as one. */
const SETTLED = 350

/** Edits that aren't saved, by plan: whoever looks at another page finds them again. */
const kept = new Map<string, { version: number; changes: Change[]; past: Change[][] }>()

/** Edits that aren't saved, what the centre says of them, and the ways back. */
function useEdits(plan: Plan, onDirty: (dirty: boolean) => void) {
  const queries = useQueryClient()
  const [changes, setChanges] = useState<Change[]>([])
  const [past, setPast] = useState<Change[][]>([])
  const [tried, setTried] = useState<{ of: Change[]; answer: Tried } | null>(null)
  const [failed, setFailed] = useState<unknown>(null)
  const [refused, setRefused] = useState<Broken[] | null>(null)
  const [saving, setSaving] = useState(false)
  const [back, setBack] = useState<Change[] | null>(null)
  const [stale, setStale] = useState(false)
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null)
  /** Whether the last edit was a key's: a row of them is one to undo. */
  const keyed = useRef(false)
  const latest = useRef(changes)
  latest.current = changes
  useEffect(() => onDirty(changes.length > 0), [changes, onDirty])
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, as the plan is opened
  useEffect(() => {
    const left = kept.get(plan.id)
    if (left?.version === plan.version && left.changes.length) set(left.changes, left.past, left.changes, 0)
  }, [])
  useEffect(() => {
    if (changes.length) kept.set(plan.id, { version: plan.version, changes, past })
  }, [plan.id, plan.version, changes, past])
  useEffect(
    () => () => {
      if (timer.current) clearTimeout(timer.current)
    },
    [],
  )
  useEffect(() => {
    if (!changes.length) return
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    window.addEventListener('beforeunload', ask)
    return () => window.removeEventListener('beforeunload', ask)
  }, [changes])

  async function overtaken() {
    setStale(true)
    forget()
    await queries.invalidateQueries({ queryKey: PLANS })
  }

  function forget() {
    if (timer.current) clearTimeout(timer.current)
    kept.delete(plan.id)
    setChanges([])
    setPast([])
    setTried(null)
    setRefused(null)
  }

  function set(next: Change[], keep: Change[][], before: Change[], wait: number) {
    setChanges(next)
    setPast(keep)
    setFailed(null)
    setRefused(null)
    setStale(false)
    if (timer.current) clearTimeout(timer.current)
    if (!next.length) {
      kept.delete(plan.id)
      return setTried(null)
    }
    timer.current = setTimeout(async () => {
      try {
        const answer = await tryChanges(plan, next, { try: true })
        if (latest.current === next) setTried({ of: next, answer })
      } catch (problem) {
        if (latest.current !== next) return
        if (problem instanceof ApiProblem && problem.code === 'PLAN-CHANGED') return overtaken()
        setFailed(problem)
        // A lost line takes nothing back; what the centre refuses can't stay.
        if (problem instanceof ApiProblem && problem.status !== 0) {
          setChanges(before)
          setPast(keep.slice(0, -1))
        }
      }
    }, wait)
  }

  const settled = tried !== null && tried.of === changes
  const shown = useMemo(
    () =>
      settled ? withTried(plan, tried.answer) : changes.length ? { ...plan, duties: locally(plan, changes) } : plan,
    [plan, tried, changes, settled],
  )

  async function save(anyway: boolean) {
    setSaving(true)
    setFailed(null)
    try {
      const answer = await tryChanges(plan, changes, { try: false, ...(anyway && { anyway: true }) })
      // An absence isn't a shift: it is taken back where people's days are kept.
      const taken = changes.some((one) => one.what === 'absent') ? [] : reversed(plan, answer)
      await queries.invalidateQueries({ queryKey: PLANS })
      forget()
      setBack(taken)
    } catch (problem) {
      if (problem instanceof ApiProblem && problem.code === 'PLAN-CHANGED') await overtaken()
      else if (problem instanceof ApiProblem && problem.code === 'PLAN-BREAKS-RULE')
        setRefused(Array.isArray(problem.body.broken) ? (problem.body.broken as Broken[]) : [])
      else setFailed(problem)
    } finally {
      setSaving(false)
    }
  }

  return {
    ...{ changes, shown, failed, refused, saving, stale, back },
    answer: settled ? tried.answer : null,
    /** Where this fails, the roster is as it was. */
    apply(change: Change, wait = 0) {
      const next = joined(changes, change, plan, shown.duties)
      const same = wait > 0 && keyed.current && last(changes, change)
      keyed.current = wait > 0
      setBack(null)
      set(next, same ? past : [...past, changes], changes, wait)
    },
    takeBack() {
      if (!back?.length) return
      setBack(null)
      set(back, [[]], [], 0)
    },
    undo() {
      const before = past.at(-1)
      keyed.current = false
      if (before) set(before, past.slice(0, -1), before, 0)
    },
    discard() {
      forget()
      setFailed(null)
    },
    close() {
      setBack(null)
      setFailed(null)
      setStale(false)
    },
    save,
  }
}

/** Whether a change moves what the last one did. */
function last(changes: readonly Change[], change: Change): boolean {
  const one = changes.at(-1)
  return one?.what === 'move' && change.what === 'move' && one.duty === change.duty
}

export type Edits = ReturnType<typeof useEdits>

export function Board({ plan, onDirty }: { plan: Plan; onDirty: (dirty: boolean) => void }) {
  const t = useWords(words)
  const c = useWords(common)
  const s = useWords(shared)
  const language = useLanguage()
  const days = useDays()
  const names = useNames()
  const planner = usePlanner()
  const edits = useEdits(plan, onDirty)
  const { shown } = edits
  const [week, setWeek] = useState(0)
  const [day, setDay] = useState<number | null>(null)
  const [queue, setQueue] = useState('')
  const [opened, setOpened] = useState<Opened | null>(null)
  const mayEdit = planner && plan.state !== 'archived'
  useAct(acts.planUndo, () => edits.undo(), mayEdit && edits.changes.length > 0)

  const step = stepOf(plan)
  const size = perDay(plan)
  const hours = useMemo(() => span(plan), [plan])
  const queues = useMemo(() => (queue ? [queue] : plan.queues), [queue, plan.queues])
  // Nights are left out of the week where nobody works past midnight.
  const [from, to] = day === null && hours.to > DAY ? [0, DAY] : [hours.from, hours.to]
  const length = (to - from) / step
  const shownDays = useMemo(() => (day === null ? run(week * 7, week * 7 + 7) : [day]), [day, week])
  const intervals = useMemo(
    () => shownDays.flatMap((one) => run(one * size + from / step, one * size + from / step + length)),
    [shownDays, size, from, step, length],
  )
  const course = useMemo(() => courseOf(shown, queues, intervals), [shown, queues, intervals])
  const date = (index: number) => isoOf(plan.first, index)
  const every = hours.to - hours.from > 900 ? 120 : 60
  const marks =
    day === null
      ? shownDays.map((one, index) => ({ at: index * length, label: days.short(date(one)) }))
      : run(0, Math.ceil((to - from) / every)).map((index) => ({
          at: (index * every) / step,
          label: clockOf(from + index * every),
        }))
  const when = (index: number) => {
    const at = clockOf((intervals[index]! % size) * step)
    return day === null ? `${days.short(date(Math.floor(intervals[index]! / size)))} ${at}` : at
  }
  const targets = Object.values(plan.targets ?? {}).map((one) => one.service_level)
  const target = queue
    ? (plan.targets?.[queue]?.service_level ?? null)
    : targets.length && targets.every((one) => one === targets[0])
      ? targets[0]!
      : null
  const title = `${t('course')}: ${day === null ? t('weekOf', { n: week + 1 }) : days.long(date(day))}`

  return (
    <section className={`${ui.card} ${css.board}`} aria-label={t('roster')}>
      <div className={css.tools}>
        {plan.weeks > 1 && (
          <Select
            aria-label={t('week')}
            className={css.short}
            data={Array.from({ length: plan.weeks }, (_, index) => ({
              value: String(index),
              label: `${t('weekOf', { n: index + 1 })}, ${days.short(date(index * 7))}`,
            }))}
            value={String(week)}
            onChange={(value) => {
              const next = Number(value ?? 0)
              setWeek(next)
              if (day !== null) setDay(next * 7 + (day % 7))
            }}
            allowDeselect={false}
          />
        )}
        <div className={css.days} role="group" aria-label={t('view')}>
          <button type="button" aria-pressed={day === null} onClick={() => setDay(null)}>
            {t('week')}
          </button>
          {Array.from({ length: 7 }, (_, index) => (
            <button
              key={index}
              type="button"
              aria-pressed={day === week * 7 + index}
              onClick={() => setDay(week * 7 + index)}
            >
              {days.short(date(week * 7 + index))}
            </button>
          ))}
        </div>
        {plan.queues.length > 1 && (
          <Select
            aria-label={s('queue')}
            className={css.queuePick}
            data={[
              { value: '', label: c('allQueues') },
              ...plan.queues.map((one) => ({ value: one, label: names.queue(one) })),
            ]}
            value={queue}
            onChange={(value) => setQueue(value ?? '')}
            allowDeselect={false}
          />
        )}
      </div>
      <div className={css.scroller}>
        <div className={css.wideEnough} data-view={day === null ? 'week' : 'day'}>
          <CourseChart course={course} title={title} marks={marks} when={when} target={target} />
          {day === null ? (
            <RosterWeek plan={shown} week={week} open={setDay} />
          ) : (
            <RosterDay
              key={day}
              plan={shown}
              day={date(day)}
              weekday={day % 7}
              hours={hours}
              every={every}
              edits={mayEdit ? edits : null}
              settle={SETTLED}
              open={setOpened}
            />
          )}
          {day !== null && <Legend plan={plan} />}
        </div>
      </div>
      {mayEdit && day !== null && <p className={`dim ${css.hint}`}>{t('rosterKeys')}</p>}
      <Effect edits={edits} />
      <Rules broken={shown.broken} before={plan.broken} />
      {opened && (
        <DutyDialog
          key={opened.duty?.id ?? opened.agent}
          plan={shown}
          opened={opened}
          apply={mayEdit ? edits.apply : null}
          close={() => setOpened(null)}
          language={language}
        />
      )}
    </section>
  )
}

/** All rules that the roster breaks, those of the edits first. */
function Rules({ broken, before }: { broken: Broken[]; before: Broken[] }) {
  const t = useWords(words)
  const [all, setAll] = useState(false)
  const fresh = new Set(anew(before, broken))
  const sorted = [...broken].sort((a, b) => Number(fresh.has(b)) - Number(fresh.has(a)))
  if (!broken.length) return <p className={css.rules}>{t('noneBroken')}</p>
  return (
    <div className={css.rules}>
      <h2>
        {t('broken')} <span className="num">{broken.length}</span>
      </h2>
      <ul className={css.list}>
        {sorted.slice(0, all ? undefined : 5).map((one, index) => (
          <li key={index} data-new={fresh.has(one) || undefined}>
            <BrokenRule one={one} />
          </li>
        ))}
      </ul>
      {broken.length > 5 && !all && (
        <Button variant="default" size="xs" onClick={() => setAll(true)}>
          {t('showAll', { n: broken.length })}
        </Button>
      )}
    </div>
  )
}
