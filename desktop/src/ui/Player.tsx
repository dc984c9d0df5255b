/** A recording with its gaps: where nothing was recorded, and why. */
import { useState } from 'react'
import { sentences, useWords } from '../i18n'
import { clock } from '../i18n/format'
import css from './player.module.css'

export interface Gap {
  /** Seconds of the recording's own time line; an open end is that of the file. */
  from: number
  to: number | null
  why: string
}

export const words = sentences({
  gaps: ['Not recorded', 'Nie nagrano', 'Не записано'],
  asked: ['paused by the agent', 'wstrzymane przez konsultanta', 'приостановлено оператором'],
  payment: ['payment', 'płatność', 'оплата'],
  secret: ['secret digits', 'tajne cyfry', 'секретные цифры'],
  off: ['recording was off', 'nagrywanie wyłączone', 'запись выключена'],
  other: ['gap', 'przerwa', 'пропуск'],
  toEnd: ['to the end', 'do końca', 'до конца'],
})

interface Props {
  src: string
  gaps?: Gap[] | null
  className?: string
  onEnded?: () => void
}

export function Player({ src, gaps, className, onEnded }: Props) {
  const t = useWords(words)
  const [seconds, setSeconds] = useState(0)
  const why = (one: Gap) => t(one.why in words ? (one.why as keyof typeof words) : 'other')
  const span = (one: Gap) => `${clock(one.from)}–${one.to === null ? t('toEnd') : clock(one.to)}`
  return (
    <div className={css.player}>
      {/* biome-ignore lint/a11y/useMediaCaption: a telephone call has no captions */}
      <audio
        src={src}
        controls
        autoPlay
        className={className}
        onEnded={onEnded}
        onLoadedMetadata={(event) => setSeconds(event.currentTarget.duration || 0)}
      />
      {gaps && gaps.length > 0 && (
        <>
          {seconds > 0 && (
            <div className={css.track} aria-hidden="true">
              {gaps.map((one) => (
                <i
                  key={one.from}
                  title={`${span(one)} ${why(one)}`}
                  style={{
                    left: `${Math.min((100 * one.from) / seconds, 100)}%`,
                    width: `${Math.max((100 * (Math.min(one.to ?? seconds, seconds) - one.from)) / seconds, 0.5)}%`,
                  }}
                />
              ))}
            </div>
          )}
          <p className={css.gaps}>
            {t('gaps')}: {gaps.map((one) => `${span(one)} (${why(one)})`).join(', ')}
          </p>
        </>
      )}
    </div>
  )
}
