/** What plans are made with: each agent's contract, the kinds of shifts, rules and what counts. */

import { useState } from 'react'
import { part } from '../app/part'
import { useLanguage, useWords } from '../i18n'
import { number } from '../i18n/format'
import { shared } from '../i18n/shared'
import { Button, ProblemNote, ui, Waiting } from '../ui'
import { clockOf } from './model'
import { Planning } from './parts'
import { words } from './peopleWords'
import css from './planner.module.css'
import { RulesForm } from './RulesForm'
import { useDays, usePeople, usePlanner, useRules } from './store'
import type { Person } from './types'
import { words as common } from './words'

const PersonDialog = part(() => import('./PersonDialog').then((one) => ({ default: one.PersonDialog })))

export default function PeoplePage() {
  const c = useWords(common)
  const planner = usePlanner()
  const house = useRules()
  return (
    <Planning here="people" title={c('people')}>
      {planner ? (
        <Contracts kinds={house.data?.kinds.map((one) => one.name) ?? []} />
      ) : (
        <p className={css.stand}>{c('readOnly')}</p>
      )}
      {house.isPending && <Waiting />}
      {house.isError && <ProblemNote problem={house.error} retry={() => void house.refetch()} />}
      {house.data && <RulesForm key={house.dataUpdatedAt} house={house.data} readOnly={!planner} />}
    </Planning>
  )
}

function Contracts({ kinds }: { kinds: string[] }) {
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const days = useDays()
  const planner = usePlanner()
  const people = usePeople()
  const [open, setOpen] = useState<Person | null>(null)
  const items = people.data?.items ?? []
  const absent = (one: Person) =>
    one.absent
      .map(({ from, to }) => (from === to ? days.short(from) : `${days.short(from)} – ${days.short(to)}`))
      .join(', ')
  return (
    <section className={`${ui.card} ${css.block}`} aria-label={t('people')}>
      <h2>{t('people')}</h2>
      <p className="dim">{t('peopleWhy')}</p>
      {people.isPending && <Waiting />}
      {people.isError && <ProblemNote problem={people.error} retry={() => void people.refetch()} />}
      {people.data && !items.length && <p>{t('none')}</p>}
      {items.length > 0 && (
        <div className={css.scroll}>
          <table className={ui.table}>
            <thead>
              <tr>
                <th scope="col">{t('agent')}</th>
                <th scope="col" className={ui.right}>
                  {t('hours')}
                </th>
                <th scope="col">{t('available')}</th>
                <th scope="col">{t('kinds')}</th>
                <th scope="col">{t('away')}</th>
                <th scope="col">{t('likes')}</th>
                {planner && (
                  <th scope="col">
                    <span className="hidden-label">{s('edit')}</span>
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {items.map((one) => (
                <tr key={one.agent}>
                  <th scope="row">{one.name}</th>
                  <td className={`num ${ui.right}`}>{number(language, one.hours, 1)}</td>
                  <td>
                    {one.available.length
                      ? t('someDays', { n: one.available.filter((window) => window !== null).length })
                      : t('always')}
                  </td>
                  <td>{one.shifts?.join(', ') ?? t('allKinds')}</td>
                  <td>{absent(one) || '–'}</td>
                  <td className="num">
                    {one.likes ? `${clockOf(one.likes[0]!)}–${clockOf(one.likes[1]!)}` : t('anyTime')}
                  </td>
                  {planner && (
                    <td>
                      <Button
                        size="compact-sm"
                        variant="default"
                        aria-label={t('editOf', { agent: one.name })}
                        onClick={() => setOpen(one)}
                      >
                        {s('edit')}
                      </Button>
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {open && <PersonDialog key={open.agent} person={open} kinds={kinds} close={() => setOpen(null)} />}
    </section>
  )
}
