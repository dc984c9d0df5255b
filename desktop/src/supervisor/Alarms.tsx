/** What calls for attention now, why, and what to do about it; what did before. */
import { Button } from '@mantine/core'
import { useCallback, useEffect } from 'react'
import { Link } from 'wouter'
import { useLanguage, useWords } from '../i18n'
import { clock, timeOf } from '../i18n/format'
import { live, useEntity } from '../live/store'
import { useSecond } from '../live/time'
import { Clock, Empty, Icon, Page, ui } from '../ui'
import { chime, mute, mutedUntil, unlock, useAlarms } from './alarms'
import css from './board.module.css'
import { causesOf, LEVELS, levelOf, sameList, useGathered } from './figures'
import { LevelMark, ProposalLine, useCauseText, useNames, useWatch } from './parts'
import { address } from './Tile'
import { words } from './words'

export default function Alarms() {
  useWatch()
  const t = useWords(words)
  const language = useLanguage()
  const names = useNames()
  const causeText = useCauseText()
  const { log, from, silent, muted } = useAlarms()
  useSecond()
  const gather = useCallback(
    () =>
      live
        .all('queue')
        .filter((one) => levelOf(one) !== 'normal')
        .sort(
          (a, b) =>
            LEVELS.indexOf(levelOf(b)) - LEVELS.indexOf(levelOf(a)) ||
            (causesOf(a)[0]?.since ?? 0) - (causesOf(b)[0]?.since ?? 0) ||
            a.key.localeCompare(b.key),
        )
        .map((one) => one.key),
    [],
  )
  const ids = useGathered(['queue'], gather, sameList)
  const allMuted = mutedUntil(muted, '*')
  useEffect(() => {
    // A press anywhere lets the chime sound later.
    const press = () => {
      if (useAlarms.getState().silent) void unlock()
    }
    window.addEventListener('pointerdown', press)
    return () => window.removeEventListener('pointerdown', press)
  }, [])
  const past = log.filter((one) => one.until !== null)
  return (
    <Page
      title={t('alarms')}
      aside={
        <div className={css.acts}>
          {silent ? (
            <>
              <span className="dim">{t('soundOff')}</span>
              <Button variant="default" onClick={() => void unlock()}>
                {t('soundOn')}
              </Button>
            </>
          ) : (
            <Button variant="default" leftSection={<Icon name="bell" size={16} />} onClick={() => void chime()}>
              {t('soundTest')}
            </Button>
          )}
          <MuteButton queue="*" until={allMuted} />
        </div>
      }
    >
      {ids.length ? (
        <div className={css.alarms}>
          {ids.map((id) => (
            <Alarm key={id} id={id} />
          ))}
        </div>
      ) : (
        <Empty title={t('noAlarms')} why={t('noAlarmsWhy')}>
          <Button component={Link} href="/wallboard" variant="default">
            {t('wallboard')}
          </Button>
        </Empty>
      )}
      {from !== null && (
        <section className={css.log} aria-label={t('earlierAlarms')}>
          <h2>{t('earlierAlarms')}</h2>
          <p className="dim">{t('seenSince', { time: timeOf(language, from, names.zone) })}</p>
          {past.length > 0 && (
            <div className={css.logTable}>
              <table className={ui.table}>
                <thead>
                  <tr>
                    <th>{t('queue')}</th>
                    <th>{t('from')}</th>
                    <th>{t('lasted')}</th>
                    <th>{t('cause')}</th>
                  </tr>
                </thead>
                <tbody>
                  {past.map((one) => (
                    <tr key={`${one.queue}${one.since}${one.level}`}>
                      <td>
                        <span className={css.acts}>
                          <LevelMark level={one.level} size={12} />
                          <Link href={address(one.queue)}>{one.name}</Link>
                        </span>
                      </td>
                      <td className="num">{timeOf(language, one.since, names.zone)}</td>
                      <td className="num">{clock(one.until! - one.since)}</td>
                      <td>{one.causes.map(causeText).join('; ')}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </section>
      )}
    </Page>
  )
}

export function MuteButton({ queue, until }: { queue: string; until: number | null }) {
  const t = useWords(words)
  if (until !== null) {
    return (
      <Button variant="default" onClick={() => mute(queue, 0)}>
        {t('unmute')} (<Clock until={until} />)
      </Button>
    )
  }
  return (
    <Button variant="default" onClick={() => mute(queue)}>
      {queue === '*' ? t('muteAll') : t('mute')}
    </Button>
  )
}

function Alarm({ id }: { id: string }) {
  const t = useWords(words)
  const language = useLanguage()
  const names = useNames()
  const causeText = useCauseText()
  const queue = useEntity('queue', id)
  const muted = useAlarms((one) => one.muted)
  if (!queue) return null
  const level = levelOf(queue)
  return (
    <article className={css.alarm} data-level={level} data-queue={id} aria-label={queue.name ?? id}>
      <div className={css.alarmHead}>
        <LevelMark level={level} />
        <h2>
          <Link href={address(id)}>{queue.name ?? id}</Link>
        </h2>
        <span className="num">
          {queue.waiting} {t('waiting')}
        </span>
        <Clock since={queue.waiting ? queue.waiting_since : null} />
      </div>
      <div className={css.alarmBody}>
        <ul>
          {causesOf(queue).map((cause) => (
            <li key={cause.code}>
              {causeText(cause)}
              {cause.since !== null && `, ${t('since', { time: timeOf(language, cause.since, names.zone) })}`}
            </li>
          ))}
        </ul>
        <ProposalLine queue={id} />
        <div className={css.acts}>
          <Button component={Link} href={address(id)} variant="default">
            {t('open')}
          </Button>
          {level === 'alarm' && <MuteButton queue={id} until={mutedUntil(muted, id)} />}
        </div>
      </div>
    </article>
  )
}
