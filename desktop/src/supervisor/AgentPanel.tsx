/** One agent beside the floor: lamps, why no calls, state, queues, message, who hears whom. */
import { Button, Menu } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { Link } from 'wouter'
import { api } from '../api/client'
import { may, useCentre } from '../api/session'
import { useUser } from '../app/me'
import { useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { useEntity } from '../live/store'
import type { Lamps, Why } from '../live/types'
import { Clock, Empty, Icon, StateLabel, useProblemText, useStateName } from '../ui'
import css from './floor.module.css'
import { Loans } from './Loans'
import { MessageButton, useNames, useTheirWhy } from './parts'
import { Serving } from './Serving'
import { Supervise } from './Supervise'
import { address } from './Tile'
import { words } from './words'

const LAMPS = [
  ['you', 'person'],
  ['phone', 'phoneLamp'],
  ['line', 'lineLamp'],
  ['load', 'loadLamp'],
] as const

/** `alone`: nothing else is on the page, as on a telephone. */
export function AgentPanel({ id, close, alone }: { id: string; close: () => void; alone: boolean }) {
  const t = useWords(words)
  const s = useWords(shared)
  const names = useNames()
  const me = useUser()
  const whyText = useTheirWhy()
  const stateName = useStateName()
  const Heading = alone ? 'h1' : 'h2'
  const Part = alone ? 'h2' : 'h3'
  const agent = useEntity('agent', id)
  // The board's `why` leaves out what changes with each call of anybody; this one is exact.
  const explained = useQuery({
    queryKey: ['explain', id],
    queryFn: () => api.get<Why & { lamps: Lamps }>(`/floor/explain/${encodeURIComponent(id)}`),
    refetchInterval: 5000,
    enabled: agent !== undefined,
  })
  const queries = useQueryClient()
  const state = agent?.state
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked anew when the state turns
  useEffect(() => {
    void queries.invalidateQueries({ queryKey: ['explain', id] })
  }, [id, state, queries])
  if (!agent) return <Empty title={t('gone')} />
  const why = explained.data ?? agent.why
  const lamps = agent.lamps ?? explained.data?.lamps
  const inCall = agent.state === 'on_contact' || agent.state === 'held'
  return (
    <div className={css.panelBody}>
      <div className={css.panelHead}>
        <Heading>{agent.name || id}</Heading>
        <Button variant="subtle" size="compact-md" color="gray" onClick={close} aria-label={s('close')}>
          <Icon name="close" />
        </Button>
      </div>
      <div className={css.now}>
        <StateLabel state={agent.state} />
        <Clock since={agent.since} />
        {agent.reason && agent.state === 'not_ready' && <span className="dim">{names.reason(agent.reason)}</span>}
        {agent.next && (
          <span className="dim">
            {t('thenState', {
              state: agent.next === 'signed_out' ? stateName('logged_out') : names.reason(agent.next),
            })}
          </span>
        )}
        {agent.team && <span className="dim">{names.team(agent.team)}</span>}
      </div>
      {lamps && (
        <ul className={css.lamps}>
          {LAMPS.map(([key, word]) => (
            <li key={key} data-bad={lamps[key] ? undefined : ''}>
              <span aria-hidden="true">
                <Icon name={lamps[key] ? 'check' : 'close'} size={14} /> {t(word)}
              </span>
              <span className="hidden-label">{t(lamps[key] ? 'lampOk' : 'lampBad', { name: t(word) })}</span>
            </li>
          ))}
        </ul>
      )}
      {why && (
        <p className={css.why} data-code={why.code}>
          {whyText(why)}
        </p>
      )}
      <Part className={css.part}>{t('whoHears')}</Part>
      {agent.contact && inCall ? (
        <Supervise key={agent.contact} contact={agent.contact} />
      ) : (
        <p className="dim">{t('noCall')}</p>
      )}
      <Part className={css.part}>{t('state')}</Part>
      <States id={id} name={agent.name || id} busy={inCall} intent={agent.intent} state={agent.state} />
      <Part className={css.part}>{t('itsQueues')}</Part>
      {may(me, 'steer') && !!agent.loans?.length && <Loans agent={id} name={agent.name || id} loans={agent.loans} />}
      {may(me, 'steer') ? (
        <Serving key={id} agent={agent} />
      ) : agent.queues.length ? (
        <p className={css.chips}>
          {agent.queues.map((one) => (
            <Link key={one} href={address(one)} className={css.chip}>
              {names.queue(one)}
            </Link>
          ))}
        </p>
      ) : (
        <p className="dim">{t('noneQueues')}</p>
      )}
      <MessageButton to={`agent:${id}`} name={agent.name || id} />
    </div>
  )
}

function States({
  id,
  name,
  busy,
  intent,
  state,
}: {
  id: string
  name: string
  busy: boolean
  intent: string
  state: string
}) {
  const t = useWords(words)
  const s = useWords(shared)
  const me = useUser()
  const { reasons } = useCentre()
  const problem = useProblemText()
  const [sure, setSure] = useState(false)
  const act = useMutation({
    mutationFn: ({ what, body }: { what: string; body?: unknown }) =>
      api.post(`/floor/agents/${encodeURIComponent(id)}/${what}`, body),
    onSettled: () => setSure(false),
  })
  const allowed = may(me, 'steer')
  const reason = allowed ? undefined : s('notAllowed')
  if (sure) {
    return (
      <div className={css.sure} role="group" aria-label={t('logOut')}>
        <p>{t('logOutSure', { name })}</p>
        <Button color="red" loading={act.isPending} onClick={() => act.mutate({ what: 'sign-out' })}>
          {t('logOut')}
        </Button>
        <Button variant="default" onClick={() => setSure(false)}>
          {s('cancel')}
        </Button>
      </div>
    )
  }
  return (
    <>
      <div className={css.acts}>
        <Button
          variant="default"
          disabled={!allowed || (intent === 'ready' && state !== 'resting' && state !== 'wrap_up')}
          title={reason}
          onClick={() => act.mutate({ what: 'ready' })}
        >
          {t('makeReady')}
        </Button>
        <Menu position="bottom-start" withinPortal>
          <Menu.Target>
            <Button variant="default" disabled={!allowed} title={reason}>
              {t('makePause')}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {reasons.map((one) => (
              <Menu.Item key={one.id} onClick={() => act.mutate({ what: 'pause', body: { reason: one.id } })}>
                {one.name}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
        <Button
          variant="default"
          disabled={!allowed || intent === 'logged_out'}
          title={reason}
          onClick={() => setSure(true)}
        >
          {t('logOut')}
        </Button>
      </div>
      {busy && <p className={css.reason}>{t('afterCall')}</p>}
      {act.isError && (
        <p role="alert" className={css.bad}>
          {problem(act.error)}
        </p>
      )}
    </>
  )
}
