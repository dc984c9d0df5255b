/** All plans: what they are for, where they stand, how a new one is made. */
import { useState } from 'react'
import { Link, useLocation, useRoute } from 'wouter'
import { part } from '../app/part'
import { useLanguage, useWords } from '../i18n'
import { dayAndTime, number, percent } from '../i18n/format'
import { Button, Empty, Icon, ProblemNote, ui, Waiting } from '../ui'
import { Planning, StateMark, useTrouble } from './parts'
import css from './planner.module.css'
import { useDays, useNames, usePlanner, usePlans } from './store'
import type { Head } from './types'
import { words } from './words'

const NewPlan = part(() => import('./NewPlan'))
const PlanPage = part(() => import('./PlanPage'))

export default function Plans() {
  const [, one] = useRoute('/plans/:id')
  if (one?.id === 'new') return <NewPlan />
  if (one?.id) return <PlanPage key={one.id} id={decodeURIComponent(one.id)} />
  return <All />
}

function All() {
  const t = useWords(words)
  const plans = usePlans()
  const planner = usePlanner()
  const [, go] = useLocation()
  const [archive, setArchive] = useState(false)
  const items = plans.data?.items ?? []
  const shown = items.filter((one) => archive || one.state !== 'archived')
  return (
    <Planning
      here="plans"
      title={t('plans')}
      aside={
        planner && (
          <Button leftSection={<Icon name="plus" size={16} />} onClick={() => go('/plans/new')}>
            {t('newPlan')}
          </Button>
        )
      }
    >
      {plans.isPending && <Waiting />}
      {plans.isError && <ProblemNote problem={plans.error} retry={() => void plans.refetch()} />}
      {plans.data && !items.length && (
        <Empty title={t('none')} why={`${t('noneWhy')}${planner ? '' : ` ${t('noneWait')}`}`}>
          {planner && <Button onClick={() => go('/plans/new')}>{t('newPlan')}</Button>}
        </Empty>
      )}
      {shown.length > 0 && <Table items={shown} />}
      {items.some((one) => one.state === 'archived') && (
        <button type="button" className={css.link} onClick={() => setArchive(!archive)}>
          {t('state.archived')} ({items.filter((one) => one.state === 'archived').length})
        </button>
      )}
    </Planning>
  )
}

function Table({ items }: { items: Head[] }) {
  const t = useWords(words)
  return (
    <div className={`${ui.card} ${css.scroll}`}>
      <table className={`${ui.table} ${css.plansTable}`}>
        <thead>
          <tr>
            <th scope="col">{t('name')}</th>
            <th scope="col">{t('state')}</th>
            <th scope="col">{t('period')}</th>
            <th scope="col" className={ui.right}>
              {t('short')}
            </th>
            <th scope="col" className={ui.right}>
              {t('cost')}
            </th>
            <th scope="col" className={ui.right}>
              {t('gap')}
            </th>
            <th scope="col">{t('made')}</th>
          </tr>
        </thead>
        <tbody>
          {items.map((one) => (
            <Row key={one.id} one={one} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Row({ one }: { one: Head }) {
  const t = useWords(words)
  const language = useLanguage()
  const days = useDays()
  const names = useNames()
  const trouble = useTrouble()
  const stage = one.progress ? t(stageWord(one.progress.stage)) : ''
  const some = (value: number | null | undefined, digits: number) =>
    value === null || value === undefined ? '–' : number(language, value, digits)
  return (
    <tr data-plan={one.id}>
      <th scope="row" className={css.cellName}>
        <Link href={`/plans/${encodeURIComponent(one.id)}`} className={css.link}>
          {one.name}
        </Link>
        <small className="dim">{one.queues.map(names.queue).join(', ')}</small>
      </th>
      <td>
        <StateMark state={one.state} />
        {one.state === 'making' && one.progress && (
          <small className="dim"> {t('progress', { stage, share: percent(language, one.progress.share) })}</small>
        )}
        {one.state === 'failed' && one.problem && <small className={css.cellProblem}>{trouble(one.problem)}</small>}
      </td>
      <td className="num">{t('weeksFrom', { n: one.weeks, day: days.date(one.first) })}</td>
      <td className={`num ${ui.right}`}>{some(one.short_hours, 1)}</td>
      <td className={`num ${ui.right}`}>{some(one.cost, 0)}</td>
      <td className={`num ${ui.right}`}>
        {one.gap === null || one.gap === undefined ? '–' : percent(language, one.gap, 1)}
      </td>
      <td className="dim">{dayAndTime(language, one.made_at, names.zone)}</td>
    </tr>
  )
}

const STAGES = ['forecast', 'staffing', 'roster', 'check'] as const

export const stageWord = (stage: string) => {
  const known = STAGES.find((one) => one === stage)
  return known ? (`stage.${known}` as const) : ('stage.waiting' as const)
}
