/** A day of the roster: a bar for each shift, pulled by pointer or moved by keys. */
import { type KeyboardEvent, type PointerEvent, useRef, useState } from 'react'
import { useWords } from '../i18n'
import { shared } from '../i18n/shared'
import type { Edits } from './Board'
import type { Opened } from './DutyDialog'
import { begun, clockOf, hoursOf, pulled, stepOf } from './model'
import css from './planner.module.css'
import { words } from './planWords'
import { useNames } from './store'
import type { Duty, Plan, Planned } from './types'

interface Props {
  plan: Plan
  day: string
  weekday: number
  hours: { from: number; to: number }
  every: number
  /** null: it is only read. */
  edits: Edits | null
  settle: number
  open: (what: Opened) => void
}

interface Drag {
  duty: Duty
  x: number
  y: number
  start: number
  agent: string
  shift: number
}

/** Less isn't a pull but an unsteady hand. */
const SLACK = 4

export function RosterDay({ plan, day, weekday, hours, every, edits, settle, open }: Props) {
  const t = useWords(words)
  const names = useNames()
  const rows = useRef<HTMLDivElement>(null)
  const pulling = useRef(false)
  const [drag, setDrag] = useState<Drag | null>(null)
  const [active, setActive] = useState<string | null>(null)
  const step = stepOf(plan)
  const length = hours.to - hours.from
  const left = (minute: number) => `${(100 * (minute - hours.from)) / length}%`
  const wide = (minutes: number) => `${(100 * minutes) / length}%`
  const today = new Map<string, Duty[]>()
  for (const duty of plan.duties) if (duty.day === day) today.set(duty.agent, [...(today.get(duty.agent) ?? []), duty])
  const current = plan.agents.some((one) => one.agent === active) ? active : (plan.agents[0]?.agent ?? null)

  const cellOf = (agent: string) =>
    rows.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(agent)}"] [data-cell]`)

  function pulledTo(event: PointerEvent, one: Drag): Drag {
    const track = rows.current?.querySelector('[data-track]')
    const perMinute = (track?.clientWidth ?? 1) / length
    const under = document
      .elementsFromPoint(event.clientX, event.clientY)
      .map((at) => at.closest<HTMLElement>('[data-row]'))
      .find(Boolean)
    return {
      ...one,
      start: pulled(one.duty, event.clientX - one.x, perMinute, step),
      agent: under?.dataset.row ?? one.agent,
      shift: event.clientY - one.y,
    }
  }

  function down(event: PointerEvent<HTMLElement>, duty: Duty) {
    pulling.current = false
    // A finger scrolls; shifts are moved with a pointer or with keys.
    if (!edits || event.button !== 0 || event.pointerType === 'touch') return
    event.currentTarget.setPointerCapture(event.pointerId)
    setActive(duty.agent)
    setDrag({ duty, x: event.clientX, y: event.clientY, start: duty.start, agent: duty.agent, shift: 0 })
  }

  function move(event: PointerEvent) {
    if (!drag) return
    if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > SLACK) pulling.current = true
    if (pulling.current) setDrag(pulledTo(event, drag))
  }

  function up(event: PointerEvent) {
    if (!drag) return
    const { duty, start, agent } = pulling.current ? pulledTo(event, drag) : drag
    setDrag(null)
    if (start === duty.start && agent === duty.agent) return
    edits?.apply({ what: 'move', duty: duty.id, day, start, ...(agent !== duty.agent && { agent }) })
    setActive(agent)
  }

  function key(event: KeyboardEvent, agent: string, duty: Duty | null) {
    if (event.ctrlKey || event.altKey || event.metaKey) return
    if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      const at = plan.agents.findIndex((one) => one.agent === agent) + (event.key === 'ArrowDown' ? 1 : -1)
      const next = plan.agents[at]
      event.preventDefault()
      if (!next) return
      setActive(next.agent)
      cellOf(next.agent)?.focus()
    } else if (event.key === 'Escape' && drag) {
      event.preventDefault()
      setDrag(null)
    } else if (edits && duty && (event.key === 'ArrowLeft' || event.key === 'ArrowRight')) {
      event.preventDefault()
      const start = duty.start + (event.key === 'ArrowRight' ? step : -step)
      if (start < 0 || start >= 1440) return
      edits.apply({ what: 'move', duty: duty.id, day, start }, settle)
    } else if (edits && duty && event.key === 'Delete') {
      event.preventDefault()
      edits.apply({ what: 'remove', duty: duty.id })
      setTimeout(() => cellOf(agent)?.focus())
    }
  }

  return (
    <div className={css.roster} ref={rows} role="group" aria-label={t('roster')}>
      {plan.agents.map((one) => {
        const duties = today.get(one.agent) ?? []
        const over = drag !== null && pulling.current && drag.agent === one.agent && drag.duty.agent !== one.agent
        const worked = duties.reduce((sum, duty) => sum + hoursOf(duty), 0)
        return (
          <div key={one.agent} className={css.row} data-row={one.agent} data-over={over || undefined}>
            <span className={css.who} title={one.queues.map(names.queue).join(', ')}>
              {one.name}
              {worked > 0 && <small className="dim num">{t('hours', { n: Math.round(worked * 10) / 10 })}</small>}
            </span>
            <div className={css.track} data-track style={{ '--hour': wide(every) } as React.CSSProperties}>
              <Closed agent={one} weekday={weekday} left={left} wide={wide} hours={[hours.from, hours.to]} />
              {duties.map((duty, index) => {
                const mine = drag?.duty.id === duty.id && pulling.current
                const drawn = mine ? begun(duty, drag.start) : duty
                return (
                  <button
                    key={index}
                    type="button"
                    className={css.bar}
                    data-cell
                    data-duty={duty.id}
                    data-pulled={mine || undefined}
                    data-changed={changed(duty) || undefined}
                    data-read={!edits || undefined}
                    tabIndex={current === one.agent && index === 0 ? 0 : -1}
                    style={{
                      left: left(drawn.start),
                      width: wide(drawn.end - drawn.start),
                      transform: mine && drag.agent !== duty.agent ? `translateY(${drag.shift}px)` : undefined,
                    }}
                    aria-label={said(one, drawn)}
                    title={mine ? undefined : said(one, drawn)}
                    onFocus={() => setActive(one.agent)}
                    onPointerDown={(event) => down(event, duty)}
                    onPointerMove={move}
                    onPointerUp={up}
                    onPointerCancel={() => setDrag(null)}
                    onKeyDown={(event) => key(event, one.agent, duty)}
                    onClick={() => {
                      if (!pulling.current) open({ agent: one.agent, day, duty })
                      pulling.current = false
                    }}
                  >
                    <Inside duty={drawn} queues={plan.queues} />
                    <span className={css.barText}>
                      {clockOf(drawn.start)}–{clockOf(drawn.end)} <small>{drawn.shift}</small>
                    </span>
                  </button>
                )
              })}
              {!duties.length && (
                <button
                  type="button"
                  className={css.free}
                  data-cell
                  tabIndex={current === one.agent ? 0 : -1}
                  aria-label={`${one.name}: ${off(one)}${edits ? `. ${t('give', { agent: one.name })}` : ''}`}
                  aria-disabled={!edits || undefined}
                  onFocus={() => setActive(one.agent)}
                  onKeyDown={(event) => key(event, one.agent, null)}
                  onClick={() => edits && open({ agent: one.agent, day, duty: null })}
                >
                  {off(one)}
                </button>
              )}
            </div>
          </div>
        )
      })}
    </div>
  )

  function changed(duty: Duty): boolean {
    return (
      edits?.changes.some(
        (one) =>
          ('duty' in one && (one.duty === duty.id || (one.what === 'put' && one.duty.id === duty.id))) ||
          ('with' in one && one.with === duty.id) ||
          (one.what === 'add' && one.agent === duty.agent && one.day === duty.day),
      ) ?? false
    )
  }

  function off(one: Planned): string {
    if (one.absent.some((gone) => gone.from <= day && day <= gone.to)) return t('absent')
    return one.wishes.includes(day) ? t('wished') : t('free')
  }

  function said(one: Planned, duty: Duty): string {
    return t('bar', {
      agent: one.name,
      shift: duty.shift,
      from: clockOf(duty.start),
      to: clockOf(duty.end),
      queues: [...new Set(duty.stretches.map((part) => names.queue(part.queue)))].join(', '),
      breaks: duty.breaks.length,
    })
  }
}

/** Hours at which the agent can't work. */
function Closed({
  agent,
  weekday,
  left,
  wide,
  hours,
}: {
  agent: Planned
  weekday: number
  left: (minute: number) => string
  wide: (minutes: number) => string
  hours: [number, number]
}) {
  if (!agent.available.length) return null
  const window = agent.available[weekday]
  const [from = hours[1], to = hours[1]] = window ?? []
  const parts = [
    [hours[0], Math.min(from, hours[1])],
    [Math.max(to, hours[0]), hours[1]],
  ] as const
  return parts.map(([begin, end], index) =>
    end > begin ? (
      <span
        key={index}
        className={css.closed}
        style={{ left: left(begin), width: wide(end - begin) }}
        aria-hidden="true"
      />
    ) : null,
  )
}

const TINTS = ['tide', 'sky', 'iris', 'amber']
const tintOf = (queues: readonly string[], queue: string): string =>
  TINTS[Math.max(0, queues.indexOf(queue)) % TINTS.length]!

/** What the looks of a bar's parts mean. */
export function Legend({ plan }: { plan: Plan }) {
  const t = useWords(words)
  const s = useWords(shared)
  const names = useNames()
  return (
    <ul className={css.legend}>
      {plan.queues.slice(0, TINTS.length).map((one) => (
        <li key={one}>
          <i data-tint={tintOf(plan.queues, one)} />
          {names.queue(one)}
        </li>
      ))}
      <li>
        <i />
        {s('break')}
      </li>
      <li>
        <i data-activity />
        {t('activity')}
      </li>
    </ul>
  )
}

/** What the bar is made of: work at queues, breaks, other activities. */
function Inside({ duty, queues }: { duty: Duty; queues: readonly string[] }) {
  const length = duty.end - duty.start
  const place = (one: { start: number; end: number }) => ({
    left: `${(100 * (one.start - duty.start)) / length}%`,
    width: `${(100 * (one.end - one.start)) / length}%`,
  })
  return (
    <span className={css.inside} aria-hidden="true">
      {duty.stretches.map((one, index) => (
        <i key={`s${index}`} data-tint={tintOf(queues, one.queue)} style={place(one)} />
      ))}
      {duty.activities.map((one, index) => (
        <i key={`a${index}`} data-activity style={place(one)} />
      ))}
      {duty.breaks.map((one, index) => (
        <i key={`b${index}`} data-break style={place(one)} />
      ))}
    </span>
  )
}
