/** Rebalancing: who is lent where and why, which queues take part within which limits, and a pause of it all. */
import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from 'wouter'
import { api } from '../api/client'
import type { Schema } from '../api/types'
import { useLanguage, useWords } from '../i18n'
import { percent } from '../i18n/format'
import { Empty, Page, ProblemNote, ui, useProblemText, Waiting } from '../ui'
import { words } from './balancingWords'
import board from './board.module.css'
import { Loans } from './Loans'
import css from './owed.module.css'
import { useNames, useWatch } from './parts'
import { address } from './Tile'

type Shown = Schema<'BalancingShown'>

const KEY = ['balancing']
const PATH = '/floor/balancing'

export default function Balancing() {
  useWatch()
  const t = useWords(words)
  const shown = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => api.get<Shown>(PATH, undefined, { signal }),
    refetchInterval: 5_000,
  })
  const data = shown.data
  return (
    <Page title={t('title')} aside={data?.configured && data.whole ? <Pause paused={data.paused} /> : null}>
      {shown.isPending && <Waiting />}
      {shown.isError && <ProblemNote problem={shown.error} retry={() => void shown.refetch()} />}
      {data && !data.configured && <Empty title={t('off')} why={t('offWhy')} />}
      {data?.configured && (
        <div className={css.parts}>
          <State data={data} />
          <Lent data={data} />
          <Limits data={data} />
        </div>
      )}
    </Page>
  )
}

function Pause({ paused }: { paused: boolean }) {
  const t = useWords(words)
  const problem = useProblemText()
  const queries = useQueryClient()
  const change = useMutation({
    mutationFn: () => api.put<Shown>(PATH, { on: paused }),
    onSuccess: (found) => queries.setQueryData(KEY, found),
  })
  return (
    <>
      {change.isError && (
        <span role="alert" className={css.bad}>
          {problem(change.error)}
        </span>
      )}
      <Button
        variant="default"
        disabled={change.isPending}
        title={paused ? undefined : t('pauseWhy')}
        onClick={() => change.mutate()}
      >
        {t(paused ? 'goOn' : 'pause')}
      </Button>
    </>
  )
}

function State({ data }: { data: Shown }) {
  const t = useWords(words)
  const language = useLanguage()
  return (
    <p role="status">
      <strong>{t(data.paused ? 'paused' : data.running ? 'running' : 'idle')}</strong>{' '}
      <span className="dim">
        {t('rules', { moves: data.moves_per_hour ?? 0, margin: percent(language, data.margin ?? 0) })}
      </span>
    </p>
  )
}

function Lent({ data }: { data: Shown }) {
  const t = useWords(words)
  return (
    <section className={ui.card} aria-label={t('loans')}>
      <h2>{t('loans')}</h2>
      {!data.loans.length && <p className="dim">{t('noLoans')}</p>}
      {data.loans.map((one) => (
        <Loans key={`${one.agent} ${one.queue}`} agent={one.agent} name={one.name} loans={[one]} named />
      ))}
    </section>
  )
}

function Limits({ data }: { data: Shown }) {
  const t = useWords(words)
  const names = useNames()
  return (
    <section className={ui.card} aria-label={t('limits')}>
      <h2>{t('limits')}</h2>
      <p className="dim">{t('limitsWhy')}</p>
      <div className={css.scroll}>
        <table className={ui.table}>
          <thead>
            <tr>
              <th scope="col">{t('queue')}</th>
              <th scope="col">{t('lentHere')}</th>
              <th scope="col">{t('given')}</th>
              <th scope="col">{t('gives')}</th>
              <th scope="col">{t('takes')}</th>
              <th scope="col">{t('reserve')}</th>
              <th scope="col">{t('most')}</th>
            </tr>
          </thead>
          <tbody>
            {data.queues.map((one) => (
              <tr key={one.id}>
                <th scope="row">
                  <Link className={board.link} href={address(one.id)}>
                    {names.queue(one.id)}
                  </Link>
                </th>
                <td className="num">{one.lent}</td>
                <td className="num">{one.given}</td>
                <td>{t(one.give ? 'yes' : 'no')}</td>
                <td>{t(one.take ? 'yes' : 'no')}</td>
                <td className="num">{one.reserve}</td>
                <td className="num">{one.most ?? t('any')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
