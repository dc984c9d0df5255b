/** Where rebalancing has lent an agent, why, and the end of it. */
import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { api } from '../api/client'
import { useLanguage, useWords } from '../i18n'
import { percent, timeOf } from '../i18n/format'
import type { LoanLive } from '../live/types'
import { useProblemText } from '../ui'
import { words } from './balancingWords'
import css from './floor.module.css'
import { useNames } from './parts'

interface Props {
  agent: string
  name: string
  loans: readonly LoanLive[]
  /** The agent's name belongs to each line. */
  named?: boolean
}

export function Loans({ agent, name, loans, named = false }: Props) {
  const t = useWords(words)
  const language = useLanguage()
  const names = useNames()
  const problem = useProblemText()
  const queries = useQueryClient()
  const share = (one: number | null) => (one === null ? '–' : percent(language, one))
  const end = useMutation({
    mutationFn: (queue: string) =>
      api.delete(`/floor/agents/${encodeURIComponent(agent)}/loans/${encodeURIComponent(queue)}`),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['balancing'] }),
  })
  return (
    <ul className={css.serving}>
      {loans.map((one) => (
        <li key={one.queue}>
          <div className={css.loan}>
            {named && <strong>{name}</strong>}
            <span>
              {t('lent', {
                queue: names.queue(one.queue),
                at: timeOf(language, one.since, names.zone),
                without: share(one.without),
                with: share(one.with),
                agents: one.agents,
              })}
            </span>
            {one.home && (
              <span className="dim">
                {t('home', {
                  queue: names.queue(one.home),
                  without: share(one.home_without),
                  with: share(one.home_with),
                  target: share(one.home_target),
                })}
              </span>
            )}
          </div>
          <Button
            size="xs"
            variant="default"
            disabled={end.isPending}
            aria-label={t('endOf', { name, queue: names.queue(one.queue) })}
            title={t('endWhy')}
            onClick={() => end.mutate(one.queue)}
          >
            {t('end')}
          </Button>
        </li>
      ))}
      {end.isError && (
        <li role="alert" className={css.bad}>
          {problem(end.error)}
        </li>
      )}
    </ul>
  )
}
