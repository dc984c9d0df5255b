/** The queues of one agent: switched from here at once, until taken back. */
import { Button, Switch } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { Link } from 'wouter'
import { api } from '../api/client'
import type { Schema } from '../api/types'
import { useWords } from '../i18n'
import { shared } from '../i18n/shared'
import type { AgentLive } from '../live/types'
import { ProblemNote, useProblemText, Waiting } from '../ui'
import css from './floor.module.css'
import { useNames } from './parts'
import { address } from './Tile'
import { words } from './words'

type Served = Schema<'QueueServed'>
type Wanted = Record<string, boolean | null>

export function Serving({ agent }: { agent: AgentLive }) {
  const t = useWords(words)
  const s = useWords(shared)
  const names = useNames()
  const problem = useProblemText()
  const queries = useQueryClient()
  const path = `/floor/agents/${encodeURIComponent(agent.id)}/queues`
  const key = ['serving', agent.id]
  const list = useQuery({ queryKey: key, queryFn: () => api.get<{ items: Served[] }>(path) })
  const [back, setBack] = useState<Wanted | null>(null)
  const lent = `${agent.queues} ${agent.plus} ${agent.minus}`
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked anew when the centre says that something changed
  useEffect(() => {
    void queries.invalidateQueries({ queryKey: key })
  }, [lent])
  const change = useMutation({
    mutationFn: ({ wanted }: { wanted: Wanted; undo: Wanted | null }) => api.put(path, { queues: wanted }),
    onSuccess: (_, { undo }) => {
      setBack(undo)
      return queries.invalidateQueries({ queryKey: key })
    },
  })
  if (list.isPending) return <Waiting />
  if (list.isError) return <ProblemNote problem={list.error} retry={() => void list.refetch()} />
  const items = list.data.items
  const beyond = agent.queues.filter((one) => !items.some((known) => known.id === one))
  const before = (ids: string[]): Wanted =>
    Object.fromEntries(items.filter((one) => ids.includes(one.id)).map((one) => [one.id, one.lent]))
  const set = (wanted: Wanted) => change.mutate({ wanted, undo: before(Object.keys(wanted)) })
  const held = items.filter((one) => one.lent !== null).map((one) => one.id)
  return (
    <>
      {!items.length && !beyond.length && <p className="dim">{t('noneQueues')}</p>}
      <ul className={css.serving}>
        {items.map((one) => (
          <li key={one.id}>
            <Switch
              aria-label={one.name}
              checked={one.serves}
              disabled={change.isPending}
              onChange={(event) => {
                const on = event.currentTarget.checked
                set({ [one.id]: on === one.configured ? null : on })
              }}
            />
            <Link href={address(one.id)}>{one.name}</Link>
            {one.lent !== null && <span className={css.lent}>{t(one.lent ? 'lentTo' : 'takenOut')}</span>}
          </li>
        ))}
      </ul>
      {beyond.length > 0 && (
        <p className={css.chips}>
          {beyond.map((one) => (
            <Link key={one} href={address(one)} className={css.chip}>
              {names.queue(one)}
            </Link>
          ))}
        </p>
      )}
      <div className={css.acts}>
        {held.length > 0 && (
          <Button
            size="xs"
            variant="default"
            disabled={change.isPending}
            onClick={() => set(Object.fromEntries(held.map((one) => [one, null])))}
          >
            {t('asConfigured')}
          </Button>
        )}
        {back && (
          <Button
            size="xs"
            variant="default"
            disabled={change.isPending}
            onClick={() => change.mutate({ wanted: back, undo: null })}
          >
            {s('undo')}
          </Button>
        )}
      </div>
      {change.isError && (
        <p role="alert" className={css.bad}>
          {problem(change.error)}
        </p>
      )}
    </>
  )
}
