/** My schedule: what comes next, the week, what I have asked for, and my calendar's address. */
import { useState } from 'react'
import { useCentre } from '../api/session'
import { useLanguage, useWords } from '../i18n'
import { dayAndTime, span } from '../i18n/format'
import { now, useSecond } from '../live/time'
import { Button, Icon, Page, ProblemNote, ui, Waiting } from '../ui'
import { HandOver } from './ScheduleHand'
import { MyCalendar, Requests } from './ScheduleRequests'
import {
  type Duty,
  dayAfter,
  dayName,
  hm,
  minutesOf,
  mondayOf,
  paid,
  partAt,
  partsOf,
  type Roster,
  seconds,
  useRoster,
} from './schedule'
import css from './schedule.module.css'
import { words } from './scheduleWords'

/** Today there, whatever the reader's own clock says. */
const todayIn = (zone: string | undefined): string =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: zone }).format(new Date(now() * 1000))

export default function Schedule() {
  const t = useWords(words)
  const { zone } = useCentre()
  const today = todayIn(zone)
  const [chosen, setChosen] = useState<string | null>(null)
  const from = chosen ?? mondayOf(today)
  const roster = useRoster(from)
  return (
    <Page
      title={t('title')}
      aside={
        <fieldset className={css.weeks}>
          <legend className="hidden-label">{t('week')}</legend>
          <Button size="xs" variant="default" aria-label={t('weekBack')} onClick={() => setChosen(dayAfter(from, -7))}>
            <Icon name="left" size={16} />
          </Button>
          <Button size="xs" variant="default" onClick={() => setChosen(null)}>
            {t('thisWeek')}
          </Button>
          <Button size="xs" variant="default" aria-label={t('weekOn')} onClick={() => setChosen(dayAfter(from, 7))}>
            <Icon name="right" size={16} />
          </Button>
        </fieldset>
      }
    >
      {roster.isPending ? (
        <Waiting />
      ) : roster.isError ? (
        <ProblemNote problem={roster.error} retry={() => void roster.refetch()} />
      ) : (
        <div className={css.parts}>
          {chosen === null && <Next roster={roster.data} />}
          <Week roster={roster.data} from={from} today={today} />
          <Requests roster={roster.data} today={today} />
          <MyCalendar roster={roster.data} />
        </div>
      )}
    </Page>
  )
}

function Next({ roster }: { roster: Roster }) {
  const t = useWords(words)
  const language = useLanguage()
  useSecond()
  const at = now()
  const running = partAt(roster.duties, at)
  const following = roster.duties.find((one) => seconds(one.start) > at)
  const here = running?.now
  const then = running?.after
  return (
    <section className={`${ui.card} ${css.next}`} aria-label={t('next')}>
      {here && (
        <p className={css.nowLine}>
          {here.kind === 'work'
            ? t('nowWork', { time: hm(here.end) })
            : here.kind === 'break'
              ? t('nowBreak', { time: hm(here.end) })
              : t('nowActivity', { what: here.what, time: hm(here.end) })}
          {', '}
          {then
            ? then.kind === 'work'
              ? t('thenWork')
              : then.kind === 'break'
                ? t('thenBreak')
                : t('thenActivity', { what: then.what })
            : t('thenEnd')}
        </p>
      )}
      <p className={here ? 'dim' : css.nowLine}>
        {following
          ? t('nextShift', {
              day: dayName(language, following.date),
              begin: hm(following.start),
              end: hm(following.end),
            })
          : t('nextNone')}
      </p>
    </section>
  )
}

function Week({ roster, from, today }: { roster: Roster; from: string; today: string }) {
  const t = useWords(words)
  const language = useLanguage()
  const { zone } = useCentre()
  const [handed, setHanded] = useState<Duty | null>(null)
  const days = Array.from({ length: 7 }, (_, place) => dayAfter(from, place))
  const shown = roster.duties.filter((one) => days.includes(one.date))
  // One scale for the whole week, in whole hours, so that early and late are seen.
  const first = Math.floor(Math.min(8 * 60, ...shown.map((one) => minutesOf(one.start, one.date))) / 60) * 60
  const last = Math.ceil(Math.max(18 * 60, ...shown.map((one) => minutesOf(one.end, one.date))) / 60) * 60
  const place = (iso: string, date: string) => `${(100 * (minutesOf(iso, date) - first)) / (last - first)}%`
  const every = last - first > 14 * 60 ? 180 : 120
  const hours = Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, i) => first + i * every)
  return (
    <section className={ui.card} aria-label={t('week')}>
      <div className={css.head}>
        <h2>
          {dayName(language, from)} – {dayName(language, dayAfter(from, 6))}
        </h2>
        <span className="dim">
          {[
            shown.length ? t('hours', { hours: span(language, paid(shown)) }) : '',
            roster.plan_published_at
              ? t('publishedAt', { when: dayAndTime(language, seconds(roster.plan_published_at), zone) })
              : '',
          ]
            .filter(Boolean)
            .join(' · ')}
        </span>
      </div>
      <div className={css.scale} aria-hidden="true">
        <span />
        <span />
        <div>
          {hours.map((one) => (
            <span key={one} style={{ left: `${(100 * (one - first)) / (last - first)}%` }}>
              {(one / 60) % 24}
            </span>
          ))}
        </div>
      </div>
      <ol className={css.week}>
        {days.map((date) => {
          const mine = shown.filter((one) => one.date === date)
          const why = roster.absent.includes(date)
            ? t('dayOff')
            : roster.published.includes(date)
              ? t('free')
              : t('notYet')
          return (
            <li key={date} data-today={date === today || undefined} data-day={date}>
              <span className={css.dayName}>{dayName(language, date)}</span>
              {!mine.length && <span className={`dim ${css.none}`}>{why}</span>}
              {mine.map((duty) => (
                <div key={duty.id} className={css.duty}>
                  <span className={css.times}>
                    <strong className="num">
                      {hm(duty.start)}–{hm(duty.end)}
                    </strong>
                    <small className="dim">{duty.shift}</small>
                  </span>
                  <div className={css.strip} aria-hidden="true">
                    {partsOf(duty).map((one) => (
                      <span
                        key={one.start}
                        data-kind={one.kind}
                        style={{
                          left: place(one.start, date),
                          width: `calc(${place(one.end, date)} - ${place(one.start, date)})`,
                        }}
                      />
                    ))}
                  </div>
                  <details className={css.details}>
                    <summary>
                      {t('details')}
                      <span className="hidden-label"> {dayName(language, date, true)}</span>
                    </summary>
                    <Parts duty={duty} />
                  </details>
                  {date > today && (
                    <Button size="compact-xs" variant="default" onClick={() => setHanded(duty)}>
                      {t('hand')}
                      <span className="hidden-label"> {dayName(language, date, true)}</span>
                    </Button>
                  )}
                </div>
              ))}
            </li>
          )
        })}
      </ol>
      <p className={css.legend} aria-hidden="true">
        <span data-kind="work" /> {t('legendWork')}
        <span data-kind="break" /> {t('legendBreak')}
        <span data-kind="activity" /> {t('legendActivity')}
      </p>
      {handed && <HandOver duty={handed} close={() => setHanded(null)} />}
    </section>
  )
}

function Parts({ duty }: { duty: Duty }) {
  const t = useWords(words)
  const centre = useCentre()
  return (
    <ul className={css.list}>
      {partsOf(duty).map((one) => (
        <li key={one.start}>
          <span className="num">
            {hm(one.start)}–{hm(one.end)}
          </span>{' '}
          {one.kind === 'work'
            ? centre.queueName(one.what)
            : one.kind === 'break'
              ? `${t('legendBreak')}${one.what ? ` (${t('unpaid')})` : ''}`
              : one.what}
        </li>
      ))}
    </ul>
  )
}
