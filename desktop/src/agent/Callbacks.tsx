/** My callbacks: when, in the customer's own time too, whom, about what; call, done, put off. */
import { Menu, TextInput } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'wouter'
import { useCentre } from '../api/session'
import { useLanguage, useWords } from '../i18n'
import { dayOf, phoneNumber, timeOf } from '../i18n/format'
import { shared } from '../i18n/shared'
import { now, useSecond } from '../live/time'
import { Button, Icon, ProblemNote, ui, useProblemText } from '../ui'
import css from './agent.module.css'
import { type Callback, callBack, useCallbackName, useCallbacks, useChangeCallback } from './callbacks'
import { useDesk } from './desk'
import { words } from './words'

const TALKS = ['on_contact', 'held', 'offered', 'wrap_up']

/** On my day's page; nothing where nothing is to be done. */
export function Callbacks() {
  const t = useWords(words)
  const s = useWords(shared)
  const list = useCallbacks()
  const change = useChangeCallback()
  const name = useCallbackName()
  const problem = useProblemText()
  const [done, setDone] = useState<Callback | null>(null)
  useSecond()
  if (list.isPending) return null
  if (list.isError) return <ProblemNote problem={list.error} retry={() => void list.refetch()} />
  const { items, more } = list.data
  if (!items.length && !done) return null
  return (
    <section className={ui.card} aria-label={t('callbacks')}>
      <h2 className={css.cardHead}>
        {t('callbacks')} <span className="dim num">{items.length}</span>
      </h2>
      <ul className={css.callbacks}>
        {items.map((one) => (
          <Line
            key={one.promise}
            one={one}
            pending={change.isPending}
            finish={() => change.mutate({ one, done: true }, { onSuccess: () => setDone(one) })}
            move={(due) => change.mutate({ one, due })}
          />
        ))}
      </ul>
      {more && <p className="dim">{t('callbacksMore')}</p>}
      {done && (
        <p role="status" className={css.callbackDone}>
          {t('callbackDone', { who: name(done) })}
          <Button
            size="xs"
            variant="default"
            onClick={() => change.mutate({ one: done, done: false }, { onSuccess: () => setDone(null) })}
          >
            {s('undo')}
          </Button>
        </p>
      )}
      {change.isError && (
        <p role="alert" className={css.bad}>
          {problem(change.error)}
        </p>
      )}
    </section>
  )
}

interface LineProps {
  one: Callback
  pending: boolean
  finish: () => void
  move: (due: number) => void
}

function Line({ one, pending, finish, move }: LineProps) {
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const centre = useCentre()
  const name = useCallbackName()
  const { agent } = useDesk()
  const [other, setOther] = useState<string | null>(null)
  const late = one.due <= now()
  const today = dayOf(language, one.due, centre.zone) === dayOf(language, now(), centre.zone)
  const here = timeOf(language, one.due, centre.zone)
  const there = one.zone ? timeOf(language, one.due, one.zone) : here
  const can = agent !== undefined && !TALKS.includes(agent.state) && one.callable
  const tomorrow = (() => {
    const at = new Date(Math.max(one.due, now()) * 1000)
    at.setDate(at.getDate() + 1)
    return at.getTime() / 1000
  })()
  return (
    <li data-late={late || undefined} data-promise={one.promise}>
      <span className={css.callbackWhen}>
        <strong className="num">{today ? here : `${dayOf(language, one.due, centre.zone)} ${here}`}</strong>
        {late && <small>{t('callbackLate')}</small>}
        {there !== here && <small className="dim">{t('callbackThere', { time: there })}</small>}
      </span>
      <span className={css.callbackWhat}>
        <Link href={`/customers/${encodeURIComponent(one.customer)}`}>{name(one)}</Link>
        {one.number && one.name && <span className="dim num"> {phoneNumber(one.number)}</span>}
        <span className={css.callbackText}>{one.text}</span>
        <small className="dim">
          {[
            one.queue ? t('callbackFor', { queue: centre.queueName(one.queue) }) : '',
            one.mine ? '' : t('callbackBy', { who: one.by }),
            one.calls === false ? t('callbackNoCalls') : '',
          ]
            .filter(Boolean)
            .join(' · ')}
        </small>
      </span>
      <span className={css.callbackActs}>
        <Button
          size="xs"
          leftSection={<Icon name="phone" size={16} />}
          disabled={!can}
          title={one.callable ? undefined : t('callbackNoNumber')}
          onClick={() => void callBack(one)}
        >
          {t('callbackCall')}
        </Button>
        <Button size="xs" variant="default" disabled={pending} onClick={finish}>
          {t('callbackFinish')}
        </Button>
        <Menu position="bottom-end" withinPortal>
          <Menu.Target>
            <Button size="xs" variant="default" disabled={pending}>
              {t('callbackMove')}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => move(now() + 900)}>{t('callback15')}</Menu.Item>
            <Menu.Item onClick={() => move(now() + 3600)}>{t('callback60')}</Menu.Item>
            <Menu.Item onClick={() => move(tomorrow)}>{t('callbackTomorrow')}</Menu.Item>
            <Menu.Item onClick={() => setOther('')}>{t('callbackOther')}</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </span>
      {other !== null && (
        <form
          className={css.callbackOther}
          onSubmit={(event) => {
            event.preventDefault()
            const at = new Date(other).getTime() / 1000
            if (!Number.isFinite(at)) return
            setOther(null)
            move(at)
          }}
        >
          <TextInput
            type="datetime-local"
            label={t('callbackOther')}
            value={other}
            onChange={(event) => setOther(event.currentTarget.value)}
            required
            autoFocus
          />
          <Button type="submit" size="xs">
            {s('save')}
          </Button>
          <Button size="xs" variant="default" onClick={() => setOther(null)}>
            {s('cancel')}
          </Button>
        </form>
      )}
    </li>
  )
}

/** The next few in the call slot: a press calls. */
export function NextCallbacks() {
  const t = useWords(words)
  const language = useLanguage()
  const { zone } = useCentre()
  const name = useCallbackName()
  const { data } = useCallbacks()
  const { agent } = useDesk()
  useSecond()
  const next = data?.items.slice(0, 3) ?? []
  if (!next.length) return null
  const can = agent !== undefined && !TALKS.includes(agent.state)
  return (
    <ul className={css.nextCalls} aria-label={t('callbacks')}>
      {next.map((one) => (
        <li key={one.promise} data-late={one.due <= now() || undefined}>
          <button
            type="button"
            className={css.textButton}
            disabled={!can || !one.callable}
            onClick={() => void callBack(one)}
            title={one.text}
          >
            <span className="num">{timeOf(language, one.due, zone)}</span> {t('callbackShort', { who: name(one) })}
          </button>
        </li>
      ))}
    </ul>
  )
}
