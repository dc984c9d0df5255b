/** What I ask for, what colleagues ask of me, and the address of my calendar. */
import { CopyButton, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { address, api } from '../api/client'
import { useCentre } from '../api/session'
import { useLanguage, useWords } from '../i18n'
import { dayAndTime } from '../i18n/format'
import { Button, ui, useProblemText } from '../ui'
import { dayAfter, dayName, hm, type Request, type Roster, seconds, useAct } from './schedule'
import css from './schedule.module.css'
import { words } from './scheduleWords'

const WAITS = ['asked', 'open']

export function Requests({ roster, today }: { roster: Roster; today: string }) {
  const t = useWords(words)
  const waiting = roster.requests.filter((one) => WAITS.includes(one.state))
  const older = roster.requests.filter((one) => !WAITS.includes(one.state))
  return (
    <section className={ui.card} aria-label={t('requests')}>
      <div className={css.head}>
        <h2>{t('requests')}</h2>
      </div>
      {!roster.requests.length && <p className={`dim ${css.pad}`}>{t('noRequests')}</p>}
      <ul className={css.requests}>
        {[...waiting, ...older.slice(0, 3)].map((one) => (
          <Line key={one.id} one={one} />
        ))}
      </ul>
      {older.length > 3 && (
        <details className={css.pad}>
          <summary>{t('older')}</summary>
          <ul className={css.requests}>
            {older.slice(3).map((one) => (
              <Line key={one.id} one={one} />
            ))}
          </ul>
        </details>
      )}
      <AskOff today={today} />
    </section>
  )
}

function Line({ one }: { one: Request }) {
  const t = useWords(words)
  const language = useLanguage()
  const problem = useProblemText()
  const back = useAct(() => api.delete(`/me/requests/${one.id}`))
  const answer = useAct((agree: boolean) => api.post(`/me/requests/${one.id}/answer`, { agree }))
  const duty = (it: Request['mine']) => (it ? `${dayName(language, it.date)} ${hm(it.start)}–${hm(it.end)}` : '')
  const theirs = !one.own
  const values = { mine: duty(one.mine), theirs: duty(one.theirs), who: (theirs ? one.name : one.other_name) ?? '' }
  const text =
    one.what === 'time_off'
      ? t('offFor', { days: one.days.map((day) => dayName(language, day)).join('; ') })
      : one.what === 'swap'
        ? t(theirs ? 'swapAsked' : 'swapWith', values)
        : t(theirs ? 'giveAsked' : 'giveTo', values)
  const said = [one.note, one.decision].filter(Boolean).join(' · ')
  const failed = back.error ?? answer.error
  return (
    <li data-state={one.state}>
      <span className={css.what}>
        {text}
        {said && <small className="dim">{said}</small>}
        {failed && (
          <small role="alert" className={css.bad}>
            {problem(failed)}
          </small>
        )}
      </span>
      <span className={css.state}>{t(`state_${one.state}`)}</span>
      <span className={css.acts}>
        {one.mine_to_answer ? (
          <>
            <Button size="xs" disabled={answer.isPending} onClick={() => answer.mutate(true)}>
              {t('agree')}
            </Button>
            <Button size="xs" variant="default" disabled={answer.isPending} onClick={() => answer.mutate(false)}>
              {t('decline')}
            </Button>
          </>
        ) : (
          WAITS.includes(one.state) &&
          one.own && (
            <Button size="xs" variant="default" disabled={back.isPending} onClick={() => back.mutate(undefined)}>
              {t('takeBack')}
            </Button>
          )
        )}
      </span>
    </li>
  )
}

function AskOff({ today }: { today: string }) {
  const t = useWords(words)
  const problem = useProblemText()
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  const [note, setNote] = useState('')
  const ask = useAct((days: string[]) => api.post('/me/requests', { what: 'time_off', days, note }))
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const last = to && to > from ? to : from
    const days: string[] = []
    for (let day = from; day <= last && days.length < 60; day = dayAfter(day, 1)) days.push(day)
    ask.mutate(days, {
      onSuccess: () => {
        setFrom('')
        setTo('')
        setNote('')
      },
    })
  }
  const tomorrow = dayAfter(today, 1)
  return (
    <form className={css.ask} onSubmit={submit} aria-label={t('askOff')}>
      <h3>{t('askOff')}</h3>
      <TextInput
        type="date"
        label={t('from')}
        min={tomorrow}
        value={from}
        required
        onChange={(event) => setFrom(event.currentTarget.value)}
      />
      <TextInput
        type="date"
        label={t('to')}
        min={from || tomorrow}
        value={to}
        onChange={(event) => setTo(event.currentTarget.value)}
      />
      <TextInput
        label={t('note')}
        value={note}
        maxLength={500}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      <Button type="submit" loading={ask.isPending}>
        {t('ask')}
      </Button>
      {ask.isError && (
        <p role="alert" className={css.bad}>
          {problem(ask.error)}
        </p>
      )}
    </form>
  )
}

export function MyCalendar({ roster }: { roster: Roster }) {
  const t = useWords(words)
  const language = useLanguage()
  const { zone } = useCentre()
  const problem = useProblemText()
  const [path, setPath] = useState<string | null>(null)
  const make = useAct(() => api.post<{ path: string }>('/me/roster/link'))
  const drop = useAct(() => api.delete('/me/roster/link'))
  const since = roster.link_made_at
  const failed = make.error ?? drop.error
  return (
    <section className={ui.card} aria-label={t('calendar')}>
      <div className={css.head}>
        <h2>{t('calendar')}</h2>
      </div>
      <div className={css.calendar}>
        <p className="dim">{t('calendarWhy')}</p>
        {path && since && (
          <div className={css.link}>
            <TextInput
              label={t('linkIs')}
              description={t('linkOnce')}
              value={`${location.origin}${path}`}
              readOnly
              onFocus={(event) => event.currentTarget.select()}
            />
            <CopyButton value={`${location.origin}${path}`}>
              {({ copied, copy }) => (
                <Button variant="default" onClick={copy}>
                  {copied ? t('copied') : t('copy')}
                </Button>
              )}
            </CopyButton>
          </div>
        )}
        {since && !path && <p>{t('linkAgainWhy', { when: dayAndTime(language, seconds(since), zone) })}</p>}
        <span className={css.acts}>
          <Button
            size="xs"
            variant={since ? 'default' : 'filled'}
            loading={make.isPending}
            onClick={() => make.mutate(undefined, { onSuccess: (made) => setPath(made.path) })}
          >
            {since ? t('linkAgain') : t('linkMake')}
          </Button>
          {since && (
            <Button
              size="xs"
              variant="default"
              loading={drop.isPending}
              onClick={() => drop.mutate(undefined, { onSuccess: () => setPath(null) })}
            >
              {t('linkDrop')}
            </Button>
          )}
          <Button size="xs" variant="subtle" component="a" href={address('/me/roster.ics')} download>
            {t('file')}
          </Button>
        </span>
        {failed && (
          <p role="alert" className={css.bad}>
            {problem(failed)}
          </p>
        )}
      </div>
    </section>
  )
}
