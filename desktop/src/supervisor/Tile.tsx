/** One queue on the board: as a tile, as a row of the table, as a line on a telephone. Its level is ink. */
import { type CSSProperties, memo } from 'react'
import { Link } from 'wouter'
import { useLanguage, useWords } from '../i18n'
import { percent, span } from '../i18n/format'
import { useEntity } from '../live/store'
import type { QueueLive } from '../live/types'
import { Clock, StateShape } from '../ui'
import css from './board.module.css'
import { estimate, levelOf } from './figures'
import { OpenMark } from './OpenStage'
import { Plot } from './Plot'
import { LevelMark, ProposalLine } from './parts'
import { words } from './words'

export const address = (id: string): string => `/queues/${encodeURIComponent(id)}`

const PARTS = [
  { key: 'free', state: 'ready', word: 'free' },
  { key: 'talk', state: 'on_contact', word: 'talking' },
  { key: 'wrap_up', state: 'wrap_up', word: 'wrapping' },
  { key: 'away', state: 'not_ready', word: 'away' },
] as const

/** Who serves the queue: a bar of four parts, each with its shape and count. */
export function People({ queue, counts = true }: { queue: QueueLive; counts?: boolean }) {
  const t = useWords(words)
  const bar = queue.bar ?? { free: queue.free, talk: queue.talking, wrap_up: 0, away: 0 }
  const all = bar.free + bar.talk + bar.wrap_up + bar.away
  const said = t('people', { free: bar.free, talk: bar.talk, wrap: bar.wrap_up, away: bar.away })
  return (
    <div className={css.people} role="img" aria-label={said} title={said}>
      <span className={css.peopleBar}>
        {PARTS.map(({ key }) =>
          bar[key] ? <span key={key} data-part={key} style={{ '--share': bar[key] / all } as CSSProperties} /> : null,
        )}
      </span>
      {counts && (
        <span className={css.peopleCounts} aria-hidden="true">
          {PARTS.map(({ key, state }) => (
            <span key={key} className="num" data-zero={bar[key] ? undefined : ''}>
              <StateShape state={state} size={11} />
              {bar[key]}
            </span>
          ))}
        </span>
      )}
    </div>
  )
}

export function usePercent(): (share: number | null | undefined) => string {
  const language = useLanguage()
  return (share) => (share == null ? '–' : percent(language, share))
}

export function useNext(): (queue: QueueLive) => string {
  const t = useWords(words)
  const language = useLanguage()
  return (queue) => {
    const found = estimate(queue)
    if (!found) return '–'
    if (!found.mean) return t('atOnce')
    return `${span(language, found.mean)} ± ${span(language, found.error)}`
  }
}

export const Tile = memo(function Tile({ id }: { id: string }) {
  const t = useWords(words)
  const share = usePercent()
  const next = useNext()
  const queue = useEntity('queue', id)
  if (!queue) return null
  const level = levelOf(queue)
  return (
    <article className={css.tile} data-level={level} data-queue={id} aria-label={queue.name ?? id}>
      <h2>
        <LevelMark level={level} />
        <Link href={address(id)}>{queue.name ?? id}</Link>
      </h2>
      <dl className={css.big}>
        <div>
          <dt>{t('waiting')}</dt>
          <dd className="num" data-figure="waiting">
            {queue.waiting}
          </dd>
        </div>
        <div>
          <dt>{t('longest')}</dt>
          <dd>
            <Clock since={queue.waiting ? queue.waiting_since : null} />
          </dd>
        </div>
        <div>
          <dt>{t('service')}</dt>
          <dd className="num">{share(queue.now.service_level)}</dd>
        </div>
      </dl>
      <dl className={css.small}>
        <div>
          <dt>{t('serviceToday')}</dt>
          <dd className="num">{share(queue.today.service_level)}</dd>
        </div>
        <div>
          <dt>{t('lost')}</dt>
          <dd className="num">{queue.today.abandoned}</dd>
        </div>
        <div title={t('nextLong')}>
          <dt>{t('next')}</dt>
          <dd className="num">{next(queue)}</dd>
        </div>
      </dl>
      <People queue={queue} />
      {queue.open && <OpenMark open={queue.open} />}
      {!!queue.lent && <p className="dim">{t('lentHere', { n: queue.lent })}</p>}
      <Plot queue={id} height={20} />
    </article>
  )
})

export const Row = memo(function Row({ id, top }: { id: string; top: number }) {
  const share = usePercent()
  const next = useNext()
  const queue = useEntity('queue', id)
  if (!queue) return null
  const level = levelOf(queue)
  return (
    <tr className={css.row} data-level={level} data-queue={id} style={{ transform: `translateY(${top}px)` }}>
      <td>
        <LevelMark level={level} size={12} />
        <Link href={address(id)}>{queue.name ?? id}</Link>
      </td>
      <td className="num" data-figure="waiting">
        {queue.waiting}
      </td>
      <td>
        <Clock since={queue.waiting ? queue.waiting_since : null} />
      </td>
      <td className="num">{share(queue.now.service_level)}</td>
      <td className="num">{share(queue.today.service_level)}</td>
      <td className="num">{queue.today.abandoned}</td>
      <td className="num">{next(queue)}</td>
      <td>
        <People queue={queue} />
      </td>
    </tr>
  )
})

/** As on a supervisor's telephone: one line, and beneath an alarm what to do about it. */
export const Strip = memo(function Strip({ id }: { id: string }) {
  const t = useWords(words)
  const share = usePercent()
  const queue = useEntity('queue', id)
  if (!queue) return null
  const level = levelOf(queue)
  return (
    <li className={css.strip} data-level={level} data-queue={id}>
      <Link href={address(id)} className={css.stripLine}>
        <span className={css.stripMark}>
          <LevelMark level={level} />
        </span>
        <strong>{queue.name ?? id}</strong>
        <span className="num">
          <b data-figure="waiting">{queue.waiting}</b> <small>{t('waiting')}</small>
        </span>
        <Clock since={queue.waiting ? queue.waiting_since : null} />
        <span className="num">
          <small>SL</small> {share(queue.now.service_level)}
        </span>
      </Link>
      {level === 'alarm' && <ProposalLine queue={id} compact />}
    </li>
  )
})
