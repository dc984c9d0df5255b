/** Who hears whom, and the four steps in. Arrows and sentence follow what the mixer was told, never the button. */
import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { api } from '../api/client'
import { may } from '../api/session'
import { defineActs, keyOf, useAct } from '../app/keys'
import { useUser } from '../app/me'
import { language, useWords } from '../i18n'
import { phoneNumber } from '../i18n/format'
import { shared } from '../i18n/shared'
import { useEntity } from '../live/store'
import { Clock, Kbd, useProblemText } from '../ui'
import { RecordingState } from '../ui/RecordingState'
import css from './floor.module.css'
import { hearing, MODES, type Mode, reachable, type Voice } from './hearing'
import { useNames } from './parts'
import { words } from './words'

/** Opened last, it hears F8 before the call bar's Mute does: here a held key lets one speak. */
const acts = defineActs({
  talk: {
    key: 'F8',
    everywhere: true,
    title: ['Whisper, while held', 'Podpowiedź, przytrzymaj', 'Подсказка, пока нажата'],
  },
})

const STEPS = { listen: 'listen', whisper: 'whisper', barge: 'barge', take_over: 'takeOver' } as const
/** Asked, and the mixer says nothing: after so many ms the button is free again. */
const PATIENCE = 8000

export function Supervise({ contact: id }: { contact: string }) {
  const t = useWords(words)
  const s = useWords(shared)
  const me = useUser()
  const names = useNames()
  const problem = useProblemText()
  const contact = useEntity('contact', id)
  const [wanted, setWanted] = useState<Mode | 'off' | null>(null)
  const [sure, setSure] = useState(false)
  const mine = (contact?.parties ?? []).find((one) => one.agent !== null && one.agent === me.agent) ?? null
  const mode = mine && mine.state !== 'ringing' && mine.role === 'supervisor' ? mine.mode : null

  const ask = useMutation({
    mutationFn: (asked: Mode | 'off') =>
      api.post(`/floor/contacts/${encodeURIComponent(id)}/supervise`, { mode: asked }),
    onMutate: (asked) => setWanted(asked),
    onError: () => setWanted(null),
  })
  // Pending ends when the live view shows it, or after a while: then what it shows is the truth all the same.
  useEffect(() => {
    if (wanted === null) return
    if (wanted === mode || (wanted === 'off' && !mine) || (wanted === 'take_over' && mine?.role === 'agent')) {
      setWanted(null)
      return
    }
    const timer = setTimeout(() => setWanted(null), PATIENCE)
    return () => clearTimeout(timer)
  }, [wanted, mode, mine])

  const mute = useCallback((muted: boolean) => api.post('/me/agent/mute', { contact: id, muted }).catch(() => {}), [id])
  // Whispering begins silent: one talks while F8 is held.
  const hushed = useRef(false)
  useEffect(() => {
    if (mode === 'whisper' && !hushed.current) {
      hushed.current = true
      void mute(true)
    } else if (mode !== 'whisper' && mode !== null && hushed.current) {
      hushed.current = false
      void mute(false)
    } else if (mode === null) hushed.current = false
  }, [mode, mute])

  if (!contact) return <p className="dim">{t('noCall')}</p>
  if (mine && mine.role !== 'supervisor') return <p className="dim">{t('yourCall')}</p>
  const owner = (contact.parties ?? []).find((one) => one.role === 'agent')
  const ownerName = names.agent(owner?.agent ?? contact.agent)
  const heard = hearing(contact, me.agent)
  const name = (voice: Voice): string =>
    voice.who === 'me'
      ? t('meNode')
      : voice.who === 'customer'
        ? contact.customer?.name || contact.name || (contact.number ? phoneNumber(contact.number) : s('customer'))
        : voice.agent
          ? names.agent(voice.agent)
          : voice.number
            ? phoneNumber(voice.number)
            : t('outside')
  const reach = reachable(mine)
  const why = !may(me, 'steer') ? s('notAllowed') : me.agent === null ? t('noPhone') : null

  return (
    <section className={css.hears} aria-label={t('whoHears')}>
      <div className={css.steps} role="group" aria-label={t('whoHears')}>
        {MODES.map((one, index) => {
          const reason =
            why ?? (index > reach && reach >= 0 ? t('stepFirst', { step: t(STEPS[MODES[index - 1]!]) }) : null)
          const on = mode === one
          return (
            <Button
              key={one}
              variant={on ? 'filled' : 'default'}
              aria-pressed={on}
              disabled={reason !== null || index > reach}
              title={reason ?? undefined}
              loading={wanted === one}
              onClick={() => (one === 'take_over' ? setSure(true) : ask.mutate(one))}
            >
              {t(STEPS[one])}
            </Button>
          )
        })}
      </div>
      {why && <p className={css.reason}>{why}</p>}
      {sure && (
        <div className={css.sure} role="group" aria-label={t('takeOver')}>
          <p>{t('takeOverSure', { name: ownerName })}</p>
          <Button
            loading={wanted === 'take_over'}
            onClick={() => {
              setSure(false)
              ask.mutate('take_over')
            }}
          >
            {t('takeOver')}
          </Button>
          <Button variant="default" onClick={() => setSure(false)}>
            {s('cancel')}
          </Button>
        </div>
      )}
      <Picture heard={heard} name={name} sound={(voice) => soundWord(voice, heard)} />
      <RecordingState contact={contact} />
      <div className={css.truth}>
        <p className={css.sentence} role="status">
          {sentence()}
        </p>
        {mine && (
          <Button variant="light" color="red" loading={wanted === 'off'} onClick={() => ask.mutate('off')}>
            {t('stop')}
          </Button>
        )}
      </div>
      {mode === 'whisper' && mine && <HoldToTalk name={ownerName} mute={mute} talking={!mine.muted} />}
      {ask.isError && (
        <p role="alert" className={css.bad}>
          {problem(ask.error)}
        </p>
      )}
    </section>
  )

  function soundWord(voice: Voice, all: typeof heard): string | null {
    if (voice.who === 'me') return null
    if (voice.party?.muted) return t('mutedMic')
    if (voice.sound) return voice.sound.includes('ringback') ? t('hearsRing') : t('hearsMusic')
    return all.edges.some(([, to]) => to === voice.leg) ? null : t('hearsNothing')
  }

  function sentence(): string {
    if (mine?.state === 'ringing') return t('phoneRings')
    if (!heard.me) return wanted && wanted !== 'off' ? t('asked') : t('notIn')
    const said = (legs: string[]) => {
      const list = heard.voices.filter((one) => legs.includes(one.leg)).map(name)
      return new Intl.ListFormat(language()).format(list)
    }
    const both = (legs: string[]) =>
      legs.length === 2 && heard.voices.length === 3 && legs.every((one) => one !== heard.me!.leg)
    const { youHear, heardBy } = heard
    return [
      both(youHear) ? t('hearBoth') : youHear.length ? t('hearThem', { names: said(youHear) }) : t('hearNobody'),
      both(heardBy) ? t('heardBoth') : heardBy.length ? t('heardThem', { names: said(heardBy) }) : t('heardNobody'),
    ].join(' ')
  }
}

/** Talk while it is held: F8, or the button with mouse, finger or space bar. */
function HoldToTalk({ name, mute, talking }: { name: string; mute: (muted: boolean) => void; talking: boolean }) {
  const t = useWords(words)
  const down = useRef(false)
  const set = useCallback(
    (talk: boolean) => {
      if (down.current === talk) return
      down.current = talk
      mute(!talk)
    },
    [mute],
  )
  useAct(acts.talk, () => set(true))
  useEffect(() => {
    const release = (event: KeyboardEvent) => {
      if (event.code !== keyOf(acts.talk).split('+').at(-1)) return
      event.preventDefault()
      set(false)
    }
    const lost = () => set(false)
    window.addEventListener('keyup', release, { capture: true })
    window.addEventListener('blur', lost)
    return () => {
      window.removeEventListener('keyup', release, { capture: true })
      window.removeEventListener('blur', lost)
      set(false)
    }
  }, [set])
  return (
    <Button
      variant={talking ? 'filled' : 'default'}
      fullWidth
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        set(true)
      }}
      onPointerUp={() => set(false)}
      onPointerCancel={() => set(false)}
      onKeyDown={(event) => {
        if (event.code === 'Space' && !event.repeat) set(true)
      }}
      onKeyUp={(event) => {
        if (event.code === 'Space') set(false)
      }}
      aria-pressed={talking}
      rightSection={<Kbd>{keyOf(acts.talk)}</Kbd>}
    >
      {t('holdToTalk', { name })}
    </Button>
  )
}

const WIDTH = 340
const TOP = 28
const BOTTOM = 128

/** People as boxes, an arrow from each one who is heard to whoever hears them; both ways is a double line. */
function Picture({
  heard,
  name,
  sound,
}: {
  heard: ReturnType<typeof hearing>
  name: (voice: Voice) => string
  sound: (voice: Voice) => string | null
}) {
  const others = heard.voices.filter((one) => one.who !== 'me')
  const width = Math.min(132, (WIDTH - 24 * (others.length - 1)) / Math.max(1, others.length))
  const step = others.length > 1 ? (WIDTH - width) / (others.length - 1) : 0
  const at = new Map(others.map((one, index) => [one.leg, { x: width / 2 + index * step, y: TOP }]))
  if (heard.me) at.set(heard.me.leg, { x: WIDTH / 2, y: BOTTOM })
  const has = new Set(heard.edges.map(([from, to]) => `${from}>${to}`))
  const lines: { key: string; from: string; to: string; both: boolean }[] = []
  for (const [from, to] of heard.edges) {
    const both = has.has(`${to}>${from}`)
    if (both && from > to) continue
    lines.push({ key: `${from}>${to}`, from, to, both })
  }
  return (
    <svg className={css.picture} viewBox={`0 0 ${WIDTH} ${heard.me ? BOTTOM + 24 : TOP + 44}`} aria-hidden="true">
      <defs>
        <marker
          id="ear"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="8"
          markerHeight="8"
          orient="auto-start-reverse"
        >
          <path d="M0 0 8 4 0 8z" fill="context-stroke" />
        </marker>
      </defs>
      {lines.map(({ key, from, to, both }) => {
        const a = at.get(from)!
        const b = at.get(to)!
        const flat = a.y === b.y
        const left = a.x < b.x
        const start = flat ? { x: a.x + (left ? width / 2 : -width / 2), y: a.y } : edge(a, b)
        const stop = flat ? { x: b.x + (left ? -width / 2 : width / 2), y: b.y } : edge(b, a)
        const far = flat && Math.abs(at.get(from)!.x - at.get(to)!.x) > step + 1
        const path = far
          ? `M${a.x} ${TOP - 16} Q${(a.x + b.x) / 2} ${TOP - 44} ${b.x} ${TOP - 16}`
          : `M${start.x} ${start.y} L${stop.x} ${stop.y}`
        return (
          <path
            key={key}
            d={path}
            className={css.arrow}
            data-both={both || undefined}
            markerEnd="url(#ear)"
            markerStart={both ? 'url(#ear)' : undefined}
          />
        )
      })}
      {others.map((one) => {
        const { x, y } = at.get(one.leg)!
        const note = sound(one)
        return (
          <g key={one.leg}>
            <rect className={css.node} x={x - width / 2} y={y - 16} width={width} height={32} rx={6} />
            <text x={x} y={y + 5} textAnchor="middle" className={css.nodeName}>
              {short(name(one), width)}
            </text>
            {note && (
              <text x={x} y={y + 31} textAnchor="middle" className={css.nodeNote}>
                {note}
              </text>
            )}
          </g>
        )
      })}
      {heard.me && (
        <g>
          <rect className={css.me} x={WIDTH / 2 - 36} y={BOTTOM - 16} width={72} height={32} rx={6} />
          <text x={WIDTH / 2} y={BOTTOM + 5} textAnchor="middle" className={css.meName}>
            {name(heard.me)}
          </text>
        </g>
      )}
    </svg>
  )
}

/** Where a line between a box above and mine below meets the box at `a`. */
function edge(a: { x: number; y: number }, b: { x: number; y: number }): { x: number; y: number } {
  if (a.y < b.y) return { x: a.x, y: a.y + 18 }
  // Lines fan out over my box, so that none hides another.
  return { x: a.x + Math.max(-28, Math.min(28, (b.x - a.x) / 4)), y: a.y - 18 }
}

const short = (text: string, width: number): string => {
  const most = Math.floor(width / 7.4)
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}

export function TalkClock({ contact: id }: { contact: string }) {
  const contact = useEntity('contact', id)
  return <Clock since={contact?.talk_since ?? null} />
}
