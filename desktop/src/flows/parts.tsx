/** Small parts of the editor. */
import { useEffect, useRef, useState } from 'react'
import { type Language, useLanguage, useSay, useWords } from '../i18n'
import { Button, Icon, useProblemText } from '../ui'
import { hear } from './api'
import css from './flows.module.css'
import { type Part, samplesOf } from './model'
import { exitName } from './nodeWords'
import { explained } from './problemWords'
import type { Problem } from './types'
import { words } from './words'

let sounding: HTMLAudioElement | null = null

/** Plays what a caller would hear; another one that plays stops. */
export function Hear({
  parts,
  text,
  language,
  voice,
  label,
  disabled,
}: {
  parts: Part[] | null
  text?: string
  language: string
  voice: string
  label?: string
  disabled?: boolean
}) {
  const t = useWords(words)
  const problemText = useProblemText()
  const [state, setState] = useState<'still' | 'asked' | 'on'>('still')
  const [problem, setProblem] = useState<unknown>(null)
  const audio = useRef<HTMLAudioElement>(null)
  const asked = useRef<AbortController | null>(null)
  const [source, setSource] = useState('')
  useEffect(() => () => asked.current?.abort(), [])
  useEffect(() => {
    if (!source) return
    return () => URL.revokeObjectURL(source)
  }, [source])
  async function press() {
    if (state !== 'still') {
      asked.current?.abort()
      audio.current?.pause()
      setState('still')
      return
    }
    setProblem(null)
    setState('asked')
    const stop = new AbortController()
    asked.current = stop
    try {
      const blob = await hear({ parts, text, language, voice, values: parts ? samplesOf(parts) : {} }, stop.signal)
      const one = audio.current
      if (!one || stop.signal.aborted) return
      sounding?.pause()
      sounding = one
      const url = URL.createObjectURL(blob)
      setSource(url)
      one.src = url
      await one.play()
      setState('on')
    } catch (caught) {
      if (stop.signal.aborted) return
      setState('still')
      if (!(caught instanceof DOMException)) setProblem(caught)
    }
  }
  const on = state !== 'still'
  return (
    <>
      <Button
        size="xs"
        variant="default"
        disabled={disabled && !on}
        loading={state === 'asked'}
        onClick={() => void press()}
        leftSection={<Icon name={on ? 'pause' : 'play'} size={14} />}
        aria-label={label ? `${on ? t('hearStop') : t('hear')}: ${label}` : undefined}
      >
        {on ? t('hearStop') : t('hear')}
      </Button>
      {/* biome-ignore lint/a11y/useMediaCaption: what it says stands beside it */}
      <audio ref={audio} hidden onPause={() => setState('still')} onEnded={() => setState('still')} />
      {problem !== null && (
        <p className={css.wrong} role="alert">
          {problemText(problem)}
        </p>
      )}
    </>
  )
}

/** What is wrong, in the page's language where it is known in it. */
export function ProblemLine({ problem }: { problem: Problem }) {
  const say = useSay()
  const language = useLanguage()
  const known = explained(problem, language)
  return known ? (
    <span>{say(known, shownValues(problem, language))}</span>
  ) : (
    <span lang={language === 'en' ? undefined : 'en'}>{problem.sentence}</span>
  )
}

/** Exits by the name that stands on the drawing. */
function shownValues({ values }: Problem, language: Language): Record<string, string> {
  return typeof values.exit === 'string' ? { ...values, exit: exitName(values.exit, language) } : values
}

export function Problems({ problems, id }: { problems: readonly Problem[]; id?: string }) {
  if (!problems.length) return null
  return (
    <ul className={css.wrongs} id={id}>
      {problems.map((one, index) => (
        <li key={index} data-severity={one.severity}>
          <Icon name="alarms" size={14} />
          <span>
            <ProblemLine problem={one} />
          </span>
        </li>
      ))}
    </ul>
  )
}

/** Problems of a field: of it itself, or of something in it. */
export const within = (problems: readonly Problem[], field: string): Problem[] =>
  problems.filter(({ where }) => where === field || where.startsWith(`${field}.`) || where.startsWith(`${field}[`))

export function IconButton({
  icon,
  label,
  onClick,
  disabled,
}: {
  icon: Parameters<typeof Icon>[0]['name']
  label: string
  onClick: () => void
  disabled?: boolean
}) {
  return (
    <button
      type="button"
      className={css.iconButton}
      onClick={onClick}
      disabled={disabled}
      aria-label={label}
      title={label}
    >
      <Icon name={icon} size={16} />
    </button>
  )
}
