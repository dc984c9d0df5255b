/** A week of the roster: who works when, and how many hours against the contract. */
import { useLanguage, useWords } from '../i18n'
import { number } from '../i18n/format'
import { ui } from '../ui'
import { clockOf, hoursOf, isoOf } from './model'
import css from './planner.module.css'
import { words } from './planWords'
import { useDays } from './store'
import type { Duty, Plan } from './types'

export function RosterWeek({ plan, week, open }: { plan: Plan; week: number; open: (day: number) => void }) {
  const t = useWords(words)
  const language = useLanguage()
  const days = useDays()
  const dates = Array.from({ length: 7 }, (_, index) => isoOf(plan.first, week * 7 + index))
  const byAgent = new Map<string, Map<string, Duty[]>>()
  for (const duty of plan.duties) {
    if (!dates.includes(duty.day)) continue
    const of = byAgent.get(duty.agent) ?? new Map<string, Duty[]>()
    byAgent.set(duty.agent, of.set(duty.day, [...(of.get(duty.day) ?? []), duty]))
  }
  return (
    <table className={`${ui.table} ${css.weekTable}`} aria-label={t('roster')}>
      <thead>
        <tr>
          <th scope="col">{t('agent')}</th>
          {dates.map((one, index) => (
            <th key={one} scope="col">
              <button type="button" className={css.link} onClick={() => open(week * 7 + index)}>
                {days.short(one)}
              </button>
            </th>
          ))}
          <th scope="col" className={ui.right}>
            {t('hoursHead')}
          </th>
        </tr>
      </thead>
      <tbody>
        {plan.agents.map((agent) => {
          const of = byAgent.get(agent.agent)
          const hours = [...(of?.values() ?? [])].flat().reduce((sum, one) => sum + hoursOf(one), 0)
          return (
            <tr key={agent.agent}>
              <th scope="row">{agent.name}</th>
              {dates.map((one) => {
                const duties = of?.get(one) ?? []
                const away = agent.absent.find((gone) => gone.from <= one && one <= gone.to)
                return (
                  <td key={one} className={css.weekCell} data-off={!duties.length || undefined}>
                    {duties.map((duty) => (
                      <span key={duty.id} className="num">
                        {clockOf(duty.start)}–{clockOf(duty.end)}
                        <small className="dim">{duty.shift}</small>
                      </span>
                    ))}
                    {!duties.length && (
                      <small className="dim">
                        {away ? t('absent') : agent.wishes.includes(one) ? t('wished') : '–'}
                      </small>
                    )}
                  </td>
                )
              })}
              <td className={`num ${ui.right}`}>
                {t('hoursOf', { n: number(language, hours, 1), all: number(language, agent.hours, 1) })}
              </td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
