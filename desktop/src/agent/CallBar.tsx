/** Call bar E: seven controls in seven places for ever; what can't be now is dimmed and says why. */
import { Popover, TextInput, Tooltip } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, Suspense, useEffect, useRef, useState } from 'react'
import { api, useMissing } from '../api/client'
import { keyOf, printed, useAct } from '../app/keys'
import { part } from '../app/part'
import { useWords } from '../i18n'
import { phoneNumber } from '../i18n/format'
import { shared } from '../i18n/shared'
import { Icon, type IconName, Kbd, StateShape, useStateName } from '../ui'
import { acts } from './acts'
import css from './agent.module.css'
import { type Control, controls, type Use } from './conversation'
import { command, useDesk, usePending, useWho } from './desk'
import { useParked } from './parked'
import { usePhone, usePhoneCall } from './phone'
import { words } from './words'

const ICONS: Record<string, IconName> = {
  answer: 'phone',
  hold: 'hold',
  resume: 'play',
  swap: 'swap',
  mute: 'mic',
  transfer: 'transfer',
  invite: 'plus',
  complete: 'transfer',
  join: 'people',
  leave: 'people',
  digits: 'keypad',
  end: 'hangUp',
  endAll: 'hangUp',
  endMine: 'hangUp',
  decline: 'hangUp',
  drop: 'hangUp',
}

const ROUTES: Record<string, string> = {
  hold: 'hold',
  resume: 'resume',
  swap: 'swap',
  transfer: 'consult',
  invite: 'consult',
  complete: 'complete',
  join: 'conference',
  leave: 'leave',
  digits: 'digits',
  end: 'hang-up',
  endAll: 'hang-up',
  endMine: 'leave',
  decline: 'hang-up',
  drop: 'drop',
  mute: 'mute',
}

const InCall = part(() => import('./InCall'))
const Escalate = part(() => import('./Escalate'))
const BESIDE: ReadonlySet<string> = new Set(['talk', 'hold', 'consult', 'conference', 'step'])

/** A second press within this is the same press: nobody ends the next call by it. */
const AGAIN = 1000

export default function CallBar() {
  const t = useWords(words)
  const { talk, contact } = useDesk()
  const { phone, rings, muted: ownMuted } = usePhoneCall()
  const who = useWho()
  const pending = usePending((one) => one.names)
  const missing = useMissing((one) => one.routes)
  const uses = controls(talk, phone !== null && rings)
  const [transfer, setTransfer] = useState(false)
  const [digits, setDigits] = useState(false)
  const ended = useRef(0)
  const phase = talk.phase
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was opened for one phase closes with it
  useEffect(() => {
    setTransfer(false)
    setDigits(false)
  }, [phase, contact?.id])
  const muted = ownMuted ?? talk.muted

  const mute = (on: boolean) => {
    if (phone && ownMuted !== null) phone.setMuted(on)
    else void command('mute', { muted: on })
  }
  const press: Record<Control, () => void> = {
    answer: () => void phone?.answer(),
    hold: () => void command(uses.hold.does),
    mute: () => mute(!muted),
    transfer: () => {
      if (uses.transfer.does === 'complete') void command('complete')
      else setTransfer((one) => !one)
    },
    join: () => void command(uses.join.does === 'leave' ? 'leave' : 'conference'),
    digits: () => setDigits((one) => !one),
    end: () => {
      if (performance.now() - ended.current < AGAIN) return
      ended.current = performance.now()
      switch (uses.end.does) {
        case 'decline':
          if (phone && rings) phone.hangUp()
          else void command('hang-up')
          break
        case 'drop':
          void command('drop', { leg: talk.asked?.leg })
          break
        case 'endMine':
          void command('leave')
          break
        default:
          void command('hang-up')
      }
    },
  }

  useAct(acts.answer, press.answer, uses.answer.on)
  useAct(acts.hold, press.hold, uses.hold.on)
  useAct(acts.transfer, press.transfer, uses.transfer.on)
  useAct(acts.join, press.join, uses.join.on)
  useAct(acts.end, press.end, uses.end.on)
  useCough(uses.mute.on, muted, mute)

  const gone = (use: Use): boolean => {
    const route = ROUTES[use.does]
    return route !== undefined && missing.has(`POST /me/agent/${route}`)
  }
  const does = (use: Use): string =>
    use.does === 'drop'
      ? t('drop', { who: talk.asked ? who.party(talk.asked) : '' })
      : use.does === 'mute' && muted
        ? t('muted')
        : t(use.does as keyof typeof words)

  const button = (name: Control, key: string, more?: ReactNode) => {
    const use = uses[name]
    return (
      <CallButton
        name={name}
        label={does(use)}
        icon={use.does === 'mute' && muted ? 'mute' : ICONS[use.does]!}
        keyName={key}
        press={press[name]}
        on={use.on && !gone(use)}
        why={gone(use) ? 'gone' : use.why}
        busy={pending.has(ROUTES[use.does] ?? '') || pending.has(use.does)}
        open={name === 'digits' ? digits : name === 'transfer' && use.does !== 'complete' ? transfer : undefined}
        lit={(name === 'mute' && muted) || use.does === 'resume'}
      >
        {more}
      </CallButton>
    )
  }

  return (
    <>
      {contact && talk.owner && BESIDE.has(phase) && (
        <Suspense fallback={null}>
          <InCall contact={contact} />
        </Suspense>
      )}
      <div className={css.calls} data-phase={phase}>
        {button('answer', keyOf(acts.answer))}
        <span className={css.gap} />
        {button('hold', keyOf(acts.hold))}
        {button('mute', keyOf(acts.mute), ownMuted !== null ? <Meter muted={muted} /> : null)}
        <Popover
          withRoles={false}
          opened={transfer}
          onChange={setTransfer}
          position="top-start"
          width={360}
          trapFocus
          returnFocus
        >
          <Popover.Target>
            <span className={css.place}>{button('transfer', keyOf(acts.transfer))}</span>
          </Popover.Target>
          <Popover.Dropdown p="sm" role="dialog" aria-label={t('transfer')}>
            {transfer && <Transfer close={() => setTransfer(false)} invite={uses.transfer.does === 'invite'} />}
          </Popover.Dropdown>
        </Popover>
        {button('join', keyOf(acts.join))}
        <Popover
          withRoles={false}
          opened={digits}
          onChange={setDigits}
          position="top"
          width={280}
          trapFocus
          returnFocus
        >
          <Popover.Target>
            <span className={css.place}>{button('digits', '')}</span>
          </Popover.Target>
          <Popover.Dropdown p="sm" role="dialog" aria-label={t('digits')}>
            {digits && <Keypad />}
          </Popover.Dropdown>
        </Popover>
        <span className={css.spread} />
        {button('end', keyOf(acts.end))}
      </div>
    </>
  )
}

interface ButtonProps {
  name: Control
  label: string
  icon: IconName
  keyName: string
  press: () => void
  on: boolean
  why?: Use['why'] | 'gone'
  busy: boolean
  lit: boolean
  /** Whether it opens something, and that is open. */
  open?: boolean
  children?: ReactNode
}

function CallButton({ name, label, icon, keyName, press, on, why, busy, lit, open, children }: ButtonProps) {
  const t = useWords(words)
  const s = useWords(shared)
  const reason = on ? null : why === 'gone' ? s('notThereYet') : why ? t(why) : null
  // aria-disabled rather than disabled: what can't be pressed still says why, to keys and screen readers too.
  return (
    <Tooltip label={reason} disabled={!reason} events={{ hover: true, focus: true, touch: true }}>
      <button
        type="button"
        className={css.call}
        data-control={name}
        data-lit={lit || undefined}
        data-busy={busy || undefined}
        aria-disabled={!on || undefined}
        aria-keyshortcuts={keyName.replace('Shift+', 'Shift+') || undefined}
        aria-description={reason ?? undefined}
        aria-expanded={open}
        aria-pressed={name === 'mute' ? lit : undefined}
        onClick={() => on && press()}
      >
        <Icon name={icon} size={20} />
        <span className={css.callText}>
          <span>{busy ? s('pending') : label}</span>
          {name === 'answer' && why === 'pickUp' ? (
            <small>{t('pickUp')}</small>
          ) : keyName ? (
            <Kbd>{printed(keyName)}</Kbd>
          ) : null}
        </span>
        {children}
      </button>
    </Tooltip>
  )
}

function Meter({ muted }: { muted: boolean }) {
  const { state } = usePhone()
  const lit = muted ? 0 : Math.min(4, Math.ceil(state.levels.mic * 5))
  return (
    <span className={css.meter} aria-hidden="true">
      {[1, 2, 3, 4].map((one) => (
        <i key={one} data-lit={one <= lit || undefined} />
      ))}
    </span>
  )
}

/** F8 mutes and unmutes; held down for longer it is a cough: as it was once it is let go. */
function useCough(on: boolean, muted: boolean, mute: (on: boolean) => void): void {
  const down = useRef<{ at: number; was: boolean } | null>(null)
  const latest = useRef(mute)
  latest.current = mute
  useAct(
    acts.mute,
    () => {
      down.current = { at: performance.now(), was: muted }
      latest.current(!muted)
    },
    on,
  )
  useEffect(() => {
    const up = (event: KeyboardEvent) => {
      const began = down.current
      if (!began || event.code !== keyOf(acts.mute).split('+').pop()) return
      down.current = null
      if (performance.now() - began.at > 500) latest.current(began.was)
    }
    window.addEventListener('keyup', up)
    return () => window.removeEventListener('keyup', up)
  }, [])
}

interface Target {
  kind: 'agent' | 'queue' | 'expert'
  id: string
  name: string
  state: string | null
  free: boolean
}

const isNumber = (text: string): boolean => /^\+?[\d\s()./-]{2,}$/.test(text.trim())
const plain = (text: string): string => text.replace(/[\s()./-]/g, '')

/** F9: type a name or a number; Enter asks first, Ctrl+Enter hands over at once. */
function Transfer({ close, invite }: { close: () => void; invite: boolean }) {
  const t = useWords(words)
  const [text, setText] = useState('')
  const [query] = useDebouncedValue(text.trim(), 120)
  const stateName = useStateName()
  const parked = useParked().data
  const [at, setAt] = useState(0)
  const [above, setAbove] = useState(false)
  const { data } = useQuery({
    queryKey: ['targets', query],
    queryFn: ({ signal }) => api.get<{ items: Target[] } | Target[]>('/me/agent/targets', { q: query }, { signal }),
    staleTime: 2000,
    placeholderData: (before) => before,
  })
  const found = data ? (Array.isArray(data) ? data : data.items) : []
  const number: Target[] = isNumber(text)
    ? [
        {
          kind: 'agent',
          id: plain(text),
          name: t('thisNumber', { number: phoneNumber(plain(text)) }),
          state: null,
          free: true,
        },
      ]
    : []
  const all = [...number, ...found]
  const chosen = Math.min(at, all.length - 1)
  const send = async (route: 'consult' | 'transfer', one: Target | undefined) => {
    if (!one) return
    const to = one.kind === 'queue' ? `queue:${one.id}` : one.id
    if (await command(route, { to })) close()
  }
  const row = all[chosen]
  return (
    <div className={css.transfer}>
      <TextInput
        data-autofocus
        label={t('toWhom')}
        value={text}
        role="combobox"
        aria-expanded="true"
        aria-controls="transfer-targets"
        aria-activedescendant={row ? `target-${chosen}` : undefined}
        onChange={(event) => {
          setText(event.currentTarget.value)
          setAt(0)
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setAt(Math.min(chosen + 1, all.length - 1))
          else if (event.key === 'ArrowUp') setAt(Math.max(chosen - 1, 0))
          else if (event.key === 'Enter')
            void send(
              event.ctrlKey && !invite ? 'transfer' : row?.kind === 'queue' && !invite ? 'transfer' : 'consult',
              row,
            )
          else return
          event.preventDefault()
          event.stopPropagation()
        }}
      />
      <div id="transfer-targets" role="listbox" aria-label={t('targets')} className={css.targets}>
        {all.map((one, index) => (
          <button
            key={`${one.kind}/${one.id}`}
            id={`target-${index}`}
            type="button"
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            className={css.target}
            onClick={() => setAt(index)}
            onDoubleClick={() => void send('consult', one)}
          >
            {one.kind === 'queue' ? <Icon name="queue" size={16} /> : <StateShape state={one.state ?? 'ready'} />}
            <span>{one.name}</span>
            <small>
              {one.kind === 'queue'
                ? t(one.free ? 'freeQueue' : 'busyQueue')
                : one.state === null
                  ? one.kind === 'expert' && !one.free
                    ? t('notNow')
                    : null
                  : one.free && one.state === 'ready'
                    ? t('free')
                    : stateName(one.state)}
            </small>
          </button>
        ))}
      </div>
      <div className={css.ways}>
        <button type="button" className={css.way} data-first disabled={!row} onClick={() => void send('consult', row)}>
          {invite ? t('invite') : t('ask')} <Kbd>Enter</Kbd>
        </button>
        {!invite && (
          <button type="button" className={css.way} disabled={!row} onClick={() => void send('transfer', row)}>
            {t('blind')} <Kbd>Ctrl+Enter</Kbd>
          </button>
        )}
        {!invite && parked && parked.slots > 0 && (
          <button
            type="button"
            className={css.way}
            disabled={parked.items.length >= parked.slots}
            title={parked.items.length >= parked.slots ? t('parkFull') : undefined}
            onClick={async () => (await command('park')) && close()}
          >
            {t('park')}
          </button>
        )}
        {!invite && (
          <button type="button" className={css.way} aria-expanded={above} onClick={() => setAbove(!above)}>
            {t('escalate')}
          </button>
        )}
      </div>
      {above && (
        <Suspense fallback={null}>
          <Escalate close={close} />
        </Suspense>
      )}
    </div>
  )
}

function Keypad() {
  const t = useWords(words)
  const { phone, state: own } = usePhone()
  const [sent, setSent] = useState('')
  const send = (digit: string) => {
    setSent((before) => (before + digit).slice(-24))
    if (phone && own.call) phone.digits(digit)
    else void command(`digits-${performance.now()}`, { digits: digit }, 'digits')
  }
  return (
    <div
      className={css.keypad}
      onKeyDown={(event) => {
        if (/^[0-9*#]$/.test(event.key)) {
          event.preventDefault()
          send(event.key)
        }
      }}
      role="group"
      aria-label={t('digits')}
    >
      <p className="dim" aria-live="polite">
        {sent ? t('digitsSent', { digits: sent }) : t('digitsHint')}
      </p>
      <div>
        {['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'].map((one) => (
          <button key={one} type="button" data-autofocus={one === '1' || undefined} onClick={() => send(one)}>
            {one}
          </button>
        ))}
      </div>
    </div>
  )
}
