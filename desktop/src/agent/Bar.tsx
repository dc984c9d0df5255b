/** Bar A: my state and its clock, what comes next, the lamps, who waits. */
import { Menu, Popover } from '@mantine/core'
import { Suspense, useEffect, useRef, useState } from 'react'
import { useCentre } from '../api/session'
import { useAct } from '../app/keys'
import { part } from '../app/part'
import { useWhy } from '../app/SentenceLine'
import { useLanguage, useWords } from '../i18n'
import { span } from '../i18n/format'
import { useEvery, useLine } from '../live/store'
import { Button, Clock, Icon, Kbd, StateShape, toneOf, useStateName } from '../ui'
import { acts } from './acts'
import css from './agent.module.css'
import { command, useDesk, useNextName, usePending, useWho } from './desk'
import { pressedEarly } from './Early'
import { choosePhone, usePhone, usePhoneStarts, usePhoneStore } from './phone'
import { words } from './words'

const Devices = part(() => import('./Devices'))

export default function Bar() {
  const t = useWords(words)
  const { me, agent, contact, talk } = useDesk()
  const centre = useCentre()
  const stateName = useStateName()
  const nextName = useNextName()
  const language = useLanguage()
  const pending = usePending((one) => one.names)
  const [open, setOpen] = useState(false)
  const state = agent?.state ?? 'logged_out'
  const ready = agent?.intent === 'ready'
  useAct(acts.state, () => {
    if (ready || open) setOpen((one) => !one)
    else void command('ready')
  })
  useEffect(() => {
    if (pressedEarly()) void command('ready')
  }, [])
  const starts = usePhoneStarts() && state === 'unreachable'
  const away = state === 'not_ready'
  const limit = away ? centre.reasons.find((one) => one.id === agent?.reason)?.limit : null
  const queue = contact?.queue
  const word = away && agent?.reason ? centre.reasonName(agent.reason) : starts ? t('readySoon') : stateName(state)
  const since = state === 'on_contact' ? (contact?.talk_since ?? agent?.since) : agent?.since
  return (
    <>
      <Menu opened={open} onChange={setOpen} position="bottom-start" width={280}>
        <Menu.Target>
          <button
            type="button"
            className={css.stateButton}
            data-tone={starts ? 'gray' : toneOf(state)}
            aria-keyshortcuts="Shift+F4"
          >
            <span className="hidden-label">{t('state')}:</span>
            <StateShape state={starts ? 'logged_out' : state} size={16} pulse={state === 'offered'} />
            <span className={css.stateWord}>{word}</span>
            {agent && state !== 'logged_out' && (
              <span className={css.stateClock}>
                <Clock since={since} limit={limit} />
                {limit ? <small>{t('ofLimit', { limit: span(language, limit) })}</small> : null}
              </span>
            )}
            <Icon name="down" size={16} />
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<StateShape state="ready" />}
            rightSection={ready ? <Icon name="check" size={16} /> : <Kbd>⇧F4</Kbd>}
            onClick={() => void command('ready')}
          >
            {t('readyAct')}
          </Menu.Item>
          <Menu.Divider />
          {centre.reasons.map((one, index) => (
            <Menu.Item
              key={one.id}
              leftSection={<StateShape state="not_ready" />}
              rightSection={index < 9 ? <Kbd>{index + 1}</Kbd> : null}
              onClick={() => void command('pause', { reason: one.id })}
            >
              {one.name}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item leftSection={<StateShape state="logged_out" />} onClick={() => void command('sign-out')}>
            {t('leaveQueues')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {open && (
        <Digits
          choose={(index) => {
            const one = centre.reasons[index]
            if (!one) return
            setOpen(false)
            void command('pause', { reason: one.id })
          }}
        />
      )}
      {(pending.has('ready') || pending.has('pause') || pending.has('sign-out')) && (
        <span className={css.pending}>…</span>
      )}
      {queue && state !== 'ready' && <span className={css.barQueue}>{centre.queueName(queue)}</span>}
      {agent?.next && (
        <button type="button" className={css.next} onClick={() => void command('ready')} title={t('cancelNext')}>
          {t('thenNext', { what: nextName(agent.next) })}
          <Icon name="close" size={14} label={t('cancelNext')} />
        </button>
      )}
      <span className={css.grow} />
      <Quality />
      <Lamps />
      <Waiting queues={agent?.queues ?? []} />
      <span className="hidden-label" role="status">
        {me && talk.phase !== 'ringing' ? word : ''}
      </span>
    </>
  )
}

/** Digits 1–9 choose a reason while the list is open, also before the focus has come into it. */
function Digits({ choose }: { choose: (index: number) => void }) {
  const latest = useRef(choose)
  latest.current = choose
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)
      if (!digit || event.ctrlKey || event.altKey || event.metaKey) return
      event.preventDefault()
      event.stopPropagation()
      latest.current(Number(digit[1]) - 1)
    }
    window.addEventListener('keydown', press, { capture: true })
    return () => window.removeEventListener('keydown', press, { capture: true })
  }, [])
  return null
}

function Quality() {
  const t = useWords(words)
  const who = useWho()
  const { contact } = useDesk()
  const { state } = usePhone()
  const loss = state.quality?.loss ?? 0
  if (loss < 0.03) return null
  return (
    <span className={css.poor} role="status">
      <Icon name="alarms" size={16} />
      {t('poorLine', { who: who.customer(contact), loss: Math.round(loss * 100) })}
    </span>
  )
}

function Lamps() {
  const t = useWords(words)
  const { agent } = useDesk()
  const line = useLine()
  const whyText = useWhy()
  const { phone, state: own } = usePhone()
  const { choice, possible } = usePhoneStore()
  const [asked, setAsked] = useState(() => (typeof Notification === 'undefined' ? 'denied' : Notification.permission))
  const known = agent?.lamps
  const lamps = {
    you: known?.you ?? agent?.intent === 'ready',
    phone: known?.phone ?? agent?.reachable ?? false,
    line: line.line === 'live' && (known?.line ?? true),
    load: known?.load ?? true,
  }
  const names = { you: 'lampYou', phone: 'lampPhone', line: 'lampLine', load: 'lampLoad' } as const
  const offs = { you: 'lampYouOff', phone: 'lampPhoneOff', line: 'lampLineOff', load: 'lampLoadOff' } as const
  const all = ['you', 'phone', 'line', 'load'] as const
  return (
    <Popover position="bottom-end" width={340} trapFocus returnFocus>
      <Popover.Target>
        <button
          type="button"
          className={css.lamps}
          aria-label={`${t('lamps')}: ${all.map((one) => `${t(names[one])} ${lamps[one] ? t('fine') : t('wrong')}`).join(', ')}`}
        >
          {all.map((one) => (
            <span
              key={one}
              className={css.lamp}
              data-off={lamps[one] ? undefined : one === 'phone' || one === 'line' ? 'bad' : 'so'}
              data-text={t(names[one])}
            >
              <Icon name={lamps[one] ? 'check' : 'close'} size={14} />
            </span>
          ))}
        </button>
      </Popover.Target>
      <Popover.Dropdown className={css.lampText} aria-label={t('lamps')}>
        {agent?.why && <p className="strong">{whyText(agent.why)}</p>}
        {all.map((one) =>
          lamps[one] ? null : (
            <p key={one}>
              <strong>{t(names[one])}.</strong> {t(one === 'line' && line.line === 'live' ? 'noPhone' : offs[one])}
            </p>
          ),
        )}
        {!lamps.you && (
          <Button size="xs" onClick={() => void command('ready')}>
            {t('readyAct')}
          </Button>
        )}
        {typeof Notification !== 'undefined' && asked === 'default' && (
          <Button size="xs" variant="default" onClick={() => void Notification.requestPermission().then(setAsked)}>
            {t('notificationAsk')}
          </Button>
        )}
        {possible && (
          <>
            <p className="dim">{choice === 'page' ? t('phoneIs', { status: t(`st_${own.status}`) }) : null}</p>
            {phone && choice === 'page' && (
              <Suspense fallback={null}>
                <Devices phone={phone} state={own} />
              </Suspense>
            )}
            <Button size="xs" variant="default" onClick={() => choosePhone(choice === 'page' ? 'desk' : 'page')}>
              {choice === 'page' ? t('useDesk') : t('usePage')}
            </Button>
          </>
        )}
      </Popover.Dropdown>
    </Popover>
  )
}

function Waiting({ queues }: { queues: string[] }) {
  const t = useWords(words)
  const mine = new Set(queues)
  const all = useEvery('queue').filter((one) => mine.has(one.id))
  const waiting = all.reduce((sum, one) => sum + one.waiting, 0)
  const since = all.reduce<number | null>(
    (least, one) =>
      one.waiting_since !== null && (least === null || one.waiting_since < least) ? one.waiting_since : least,
    null,
  )
  return (
    <span className={css.waits}>
      <span>{t('waiting', { n: waiting })}</span>
      {since !== null && <Clock since={since} />}
    </span>
  )
}
