/** What was changed on the card: who, when, before and after; each can be undone. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ApiProblem, api } from '../api/client'
import { useCentre } from '../api/session'
import { useLanguage, useWords } from '../i18n'
import { dayAndTime } from '../i18n/format'
import { shared } from '../i18n/shared'
import { Button, ProblemNote, Waiting } from '../ui'
import css from './customers.module.css'
import { fieldName, valueText } from './EditCard'
import type { Change, Customer } from './types'
import { words } from './words'

export function History({ customer }: { customer: Customer }) {
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const { zone } = useCentre()
  const queries = useQueryClient()
  const [problem, setProblem] = useState<unknown>(null)
  const query = useQuery({
    queryKey: ['history', customer.id],
    queryFn: () => api.get<{ items: Change[] }>(`/customers/${customer.id}/history`),
  })
  if (query.isPending) return <Waiting />
  if (query.isError) return <ProblemNote problem={query.error} />
  async function undo(change: Change) {
    setProblem(null)
    try {
      const made = await api.post<Customer>(`/customers/${customer.id}/undo`, { change: change.id })
      queries.setQueryData(['customer', customer.id], made)
      void query.refetch()
    } catch (caught) {
      setProblem(caught instanceof ApiProblem && caught.code === 'NO-UNDO' ? new Error(t('noUndo')) : caught)
    }
  }
  return (
    <>
      {problem != null && <ProblemNote problem={problem} />}
      <ol className={css.rows}>
        {query.data.items.map((one) => (
          <li key={one.id} className={css.row}>
            <span className={`${css.when} num`}>{dayAndTime(language, one.at, zone)}</span>
            <span className={css.what}>
              {fieldName(t, one.field)}: <span className="dim">{valueText(one.before) || t('empty')}</span> →{' '}
              <strong>{valueText(one.after) || t('empty')}</strong> <span className="dim">{one.by}</span>
            </span>
            <Button size="compact-xs" variant="default" onClick={() => void undo(one)}>
              {s('undo')}
            </Button>
          </li>
        ))}
      </ol>
    </>
  )
}
