/** A clock that counts on the centre's time without rendering: one shared tick writes into the page. */
import { useEffect, useRef } from 'react'
import { clock } from '../i18n/format'
import { everySecond, now } from '../live/time'

interface Props {
  /** Unix seconds on the centre's clock; null shows a dash. */
  since?: number | null
  /** Counts down to here instead. */
  until?: number | null
  /** Only after it is passed does the clock take a colour. */
  limit?: number | null
  className?: string
}

const text = (since?: number | null, until?: number | null): string =>
  until != null ? clock(until - now() + 0.999) : since != null ? clock(now() - since) : '–'

export function Clock({ since, until, limit, className = '' }: Props) {
  const where = useRef<HTMLSpanElement>(null)
  useEffect(() => {
    const write = () => {
      const at = where.current
      if (!at) return
      const said = text(since, until)
      if (at.textContent !== said) at.textContent = said
      const over = limit != null && since != null && now() - since > limit
      if (over) at.dataset.over = ''
      else delete at.dataset.over
    }
    write()
    return everySecond(write)
  }, [since, until, limit])
  return (
    <span ref={where} className={`num clock ${className}`} role="timer" aria-live="off">
      {text(since, until)}
    </span>
  )
}
