/** Small parts of the administrator's pages. */
import { TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { createContext, type FormEvent, type ReactNode, useContext, useEffect, useRef, useState } from 'react'
import { api, PREFIX } from '../api/client'
import type { Schema } from '../api/types'
import { useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Button, Icon } from '../ui'
import css from './admin.module.css'
import type { Settings } from './store'
import { words } from './words'

export const SettingsContext = createContext<Settings | null>(null)

export function useSettings(): Settings {
  const found = useContext(SettingsContext)
  if (!found) throw new Error('useSettings outside of the settings')
  return found
}

/** Copies, and says so where it stands. */
export function Copy({ text, label }: { text: string; label?: string }) {
  const t = useWords(words)
  const [done, setDone] = useState(false)
  useEffect(() => {
    if (!done) return
    const timer = setTimeout(() => setDone(false), 3000)
    return () => clearTimeout(timer)
  }, [done])
  return (
    <Button
      size="xs"
      variant="default"
      aria-label={label}
      onClick={() => {
        navigator.clipboard?.writeText(text).then(
          () => setDone(true),
          () => setDone(false),
        )
      }}
    >
      <span aria-live="polite">{done ? t('copied') : t('copy')}</span>
    </Button>
  )
}

/** A secret that is shown this once. */
export function Once({ text, children }: { text: string; children?: ReactNode }) {
  const field = useRef<HTMLInputElement>(null)
  return (
    <div className={css.once}>
      <TextInput
        ref={field}
        readOnly
        value={text}
        className={css.grow}
        classNames={{ input: css.mono }}
        aria-label={text}
        onFocus={() => field.current?.select()}
      />
      <Copy text={text} />
      {children}
    </div>
  )
}

export type Sound = Schema<'SoundShown'>
export const SOUNDS = ['admin', 'sounds'] as const

export const useSounds = () =>
  useQuery({ queryKey: SOUNDS, queryFn: () => api.get<{ items: Sound[] }>('/admin/sounds'), staleTime: 10_000 })

let sounding: HTMLAudioElement | null = null

/** Plays one of the house's own sounds; another one that plays stops. */
export function Play({ name, size = 'xs' }: { name: string; size?: string }) {
  const t = useWords(words)
  const [on, setOn] = useState(false)
  const audio = useRef<HTMLAudioElement | null>(null)
  useEffect(() => () => audio.current?.pause(), [])
  function press() {
    if (on) {
      audio.current?.pause()
      return
    }
    sounding?.pause()
    const one = new Audio(`${PREFIX}/admin/sounds/${encodeURIComponent(name)}`)
    audio.current = sounding = one
    one.addEventListener('pause', () => setOn(false))
    one.addEventListener('ended', () => setOn(false))
    one.play().then(
      () => setOn(true),
      () => setOn(false),
    )
  }
  return (
    <Button
      size={size}
      variant="default"
      onClick={press}
      aria-label={`${on ? t('stop') : t('play')}: ${name}`}
      leftSection={<Icon name={on ? 'pause' : 'play'} size={14} />}
    >
      {on ? t('stop') : t('play')}
    </Button>
  )
}

/** A problem of one field, under it. */
export function FieldProblem({ id, text, foreign }: { id: string; text: string | null; foreign?: boolean }) {
  return (
    <div id={id} className={css.wrong} lang={foreign ? 'en' : undefined}>
      {text}
    </div>
  )
}

/** Scrolls sideways where it must, and then by keyboard too. */
export function Wide({ label, children }: { label: string; children: ReactNode }) {
  const box = useRef<HTMLElement>(null)
  const [over, setOver] = useState(false)
  useEffect(() => {
    const one = box.current
    if (!one) return
    const watch = new ResizeObserver(() => setOver(one.scrollWidth > one.clientWidth))
    watch.observe(one)
    return () => watch.disconnect()
  }, [])
  return (
    <section ref={box} className={css.scroll} aria-label={label} tabIndex={over ? 0 : undefined}>
      {children}
    </section>
  )
}

/** A name for something new, and the button that makes it. */
export function NewName({ label, make }: { label: string; make: (name: string) => void }) {
  const s = useWords(shared)
  const [name, setName] = useState('')
  function add(event: FormEvent) {
    event.preventDefault()
    if (!name.trim()) return
    make(name.trim())
    setName('')
  }
  return (
    <form className={css.newNumber} onSubmit={add}>
      <TextInput
        label={label}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        autoComplete="off"
      />
      <Button type="submit" variant="default" leftSection={<Icon name="plus" size={14} />}>
        {s('add')}
      </Button>
    </form>
  )
}
