/** Bar A: my state and its clock, what comes next, the lamps, who waits. */
import { Menu, Popover, Select } from '@mantine/core'
import { useState } from 'react'
import { useCentre } from '../api/session'
import { useAct } from '../app/keys'
import { useWhy } from '../app/SentenceLine'
import { useLanguage, useWords } from '../i18n'
import { span } from '../i18n/format'
import { useEvery, useLine } from '../live/store'
import { Button, Clock, Icon, Kbd, StateShape, toneOf, useStateName } from '../ui'
import { acts } from './acts'
import css from './agent.module.css'
import { command, useDesk, useNextName, usePending, useWho } from './desk'
import { choosePhone, type Device, type LineTest, usePhone, usePhoneStore } from './phone'
import { words } from './words'

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
  const away = state === 'not_ready'
  const limit = away ? centre.reasons.find((one) => one.id === agent?.reason)?.limit : null
  const queue = contact?.queue
  const word = away && agent?.reason ? centre.reasonName(agent.reason) : stateName(state)
  const since = state === 'on_contact' ? (contact?.talk_since ?? agent?.since) : agent?.since
  return (
    <>
      <Menu opened={open} onChange={setOpen} position="bottom-start" width={280}>
        <Menu.Target>
          <button type="button" className={css.stateButton} data-tone={toneOf(state)} aria-keyshortcuts="Shift+F4">
            <span className="hidden-label">{t('state')}:</span>
            <StateShape state={state} size={16} pulse={state === 'offered'} />
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
        </Menu.Dropdown>
      </Menu>
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

/** Digits 1–9 choose a reason while the list is open. */
function Digits({ choose }: { choose: (index: number) => void }) {
  return (
    <span
      hidden
      ref={(at) => {
        const menu = at?.closest('[role="menu"]')
        const press = (event: Event) => {
          const digit = /^(?:Digit|Numpad)([1-9])$/.exec((event as KeyboardEvent).code)
          if (digit) {
            event.preventDefault()
            choose(Number(digit[1]) - 1)
          }
        }
        menu?.addEventListener('keydown', press)
        return () => menu?.removeEventListener('keydown', press)
      }}
    />
  )
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
  const [tested, setTested] = useState<LineTest | null>(null)
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
              <>
                <DeviceSelect
                  label={t('microphone')}
                  devices={own.devices.mics}
                  chosen={own.devices.chosen.mic}
                  choose={(id) => void phone.choose('mic', id)}
                />
                <DeviceSelect
                  label={t('speaker')}
                  devices={own.devices.speakers}
                  chosen={own.devices.chosen.speaker}
                  choose={(id) => void phone.choose('speaker', id)}
                />
                <DeviceSelect
                  label={t('ringer')}
                  devices={own.devices.ringers}
                  chosen={own.devices.chosen.ringer}
                  choose={(id) => void phone.choose('ringer', id)}
                />
                <Button
                  size="xs"
                  variant="default"
                  loading={own.testing}
                  onClick={() => {
                    setTested(null)
                    void phone.test().then(setTested)
                  }}
                >
                  {t('lineTest')}
                </Button>
              </>
            )}
            {own.testing && <p role="status">{t('testing')}</p>}
            {tested && !own.testing && <Tested test={tested} />}
            <Button size="xs" variant="default" onClick={() => choosePhone(choice === 'page' ? 'desk' : 'page')}>
              {choice === 'page' ? t('useDesk') : t('usePage')}
            </Button>
          </>
        )}
      </Popover.Dropdown>
    </Popover>
  )
}

function Tested({ test }: { test: LineTest }) {
  const t = useWords(words)
  const said = test.good
    ? t('testGood', { delay: Math.round(test.echo?.delayMs ?? 0) })
    : test.mic !== 'ok'
      ? t('testMic')
      : !test.registered
        ? t('noPhone')
        : t('testEcho')
  return (
    <p role="status" className="strong">
      <Icon name={test.good ? 'check' : 'close'} size={16} /> {said}
    </p>
  )
}

interface DeviceProps {
  label: string
  devices: Device[]
  chosen: string
  choose: (id: string) => void
}

function DeviceSelect({ label, devices, chosen, choose }: DeviceProps) {
  const t = useWords(words)
  return (
    <Select
      size="xs"
      label={label}
      placeholder={t('standard')}
      value={chosen || '-'}
      allowDeselect={false}
      data={devices.map((one) => ({ value: one.id || '-', label: one.name || t('standard') }))}
      comboboxProps={{ withinPortal: false }}
      onChange={(id) => id && choose(id === '-' ? '' : id)}
    />
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
