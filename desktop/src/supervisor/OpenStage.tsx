/** To whom a queue is open beyond its own agents: since when, for how many of those who wait, what is asked of them. */
import { useCallback } from 'react'
import { Link } from 'wouter'
import { useWords } from '../i18n'
import { live } from '../live/store'
import { now, useSecond } from '../live/time'
import type { OpenLive, QueueLive } from '../live/types'
import { StateShape } from '../ui'
import board from './board.module.css'
import { sameList, useGathered } from './figures'
import { openWords as words } from './openWords'
import { useNames } from './parts'
import css from './queue.module.css'

/** "English ≥ 2; agents of Claims". */
function useToWhom(): (open: OpenLive) => string {
  const t = useWords(words)
  const names = useNames()
  return (open) =>
    [
      ...Object.entries(open.needs).map(([skill, level]) =>
        level > 0 ? t('skill', { skill, level }) : t('noSkill', { skill }),
      ),
      ...open.queues.map((one) => t('agentsOf', { queue: names.queue(one) })),
    ].join('; ')
}

/** On a tile: one line. */
export function OpenMark({ open }: { open: OpenLive }) {
  const t = useWords(words)
  const toWhom = useToWhom()
  return (
    <p className={board.open} title={t('openWhy')} data-stage={open.stage}>
      {t('also', { who: toWhom(open) })}
    </p>
  )
}

/** On the page of a queue: the stage, and who is lent to it. */
export function OpenNow({ queue }: { queue: QueueLive }) {
  return (
    <>
      {queue.open && <Stage open={queue.open} />}
      {!!queue.lent && <LentHere id={queue.id} />}
    </>
  )
}

function Stage({ open }: { open: OpenLive }) {
  const t = useWords(words)
  const toWhom = useToWhom()
  useSecond()
  const minutes = open.since === null ? null : Math.max(0, Math.floor((now() - open.since) / 60))
  return (
    <div className={css.open} data-stage={open.stage}>
      <p>
        <strong>{t('also', { who: toWhom(open) })}</strong> {t('stage', { n: open.stage, of: open.of })}
      </p>
      <p>
        {minutes !== null && `${t('since', { n: minutes })} `}
        {t(`why_${open.why}`, { n: open.contacts })} {t('more', { n: open.agents })}
      </p>
    </div>
  )
}

function LentHere({ id }: { id: string }) {
  const t = useWords(words)
  const gather = useCallback(
    () => live.idsOf('agent').filter((one) => live.get('agent', one)?.loans?.some((loan) => loan.queue === id)),
    [id],
  )
  const agents = useGathered(['agent'], gather, sameList)
  if (!agents.length) return null
  return (
    <div className={css.open}>
      <p>
        <strong>{t('lent')}</strong>
      </p>
      <ul className={css.lentHere}>
        {agents.map((one) => (
          <li key={one}>
            <StateShape state={live.get('agent', one)?.state ?? ''} />{' '}
            <Link href={`/floor/${encodeURIComponent(one)}`}>{live.get('agent', one)?.name ?? one}</Link>
          </li>
        ))}
      </ul>
    </div>
  )
}
