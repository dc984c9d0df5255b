/** Ctrl+K: one field that finds a page, and whatever areas add: people, customers, numbers, settings. */
import { Modal, TextInput } from '@mantine/core'
import { useEffect, useMemo, useState } from 'react'
import { useLocation } from 'wouter'
import type { Me } from '../api/session'
import { LANGUAGES, say as sayIn, useSay, useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Icon } from '../ui'
import { type Found, finders } from './finders'
import css from './menu.module.css'
import { routesFor } from './pages'

export default function Palette({ me, close }: { me: Me; close: () => void }) {
  const t = useWords(shared)
  const say = useSay()
  const [, go] = useLocation()
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const [more, setMore] = useState<Found[]>([])
  const pages = useMemo(() => {
    const wanted = text.trim().toLowerCase()
    return routesFor(me)
      .filter((one) => {
        const all =
          `${LANGUAGES.map((language) => sayIn(one.title, {}, language)).join(' ')} ${one.words ?? ''}`.toLowerCase()
        return !wanted || all.includes(wanted)
      })
      .map((one): Found => ({ id: one.path, name: say(one.title), icon: one.icon, go: one.path.replace(/\/\*$/, '') }))
  }, [text, me, say])
  useEffect(() => {
    const wanted = text.trim()
    setMore([])
    if (wanted.length < 2) return
    const stop = new AbortController()
    const timer = setTimeout(() => {
      for (const find of finders) {
        find(wanted, me, stop.signal).then(
          (found) => !stop.signal.aborted && setMore((before) => [...before, ...found].slice(0, 20)),
          () => {},
        )
      }
    }, 120)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [text, me])
  const found = [...pages, ...more]
  const chosen = Math.min(at, found.length - 1)
  const take = (one: Found | undefined) => {
    if (!one) return
    close()
    if (one.go) go(one.go)
    one.run?.()
  }
  return (
    <Modal
      opened
      onClose={close}
      withCloseButton={false}
      size={560}
      yOffset="10vh"
      centered={false}
      padding="sm"
      title={undefined}
      aria-label={t('search')}
    >
      <div className={css.palette}>
        <TextInput
          data-autofocus
          size="md"
          placeholder={t('find')}
          aria-label={t('find')}
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-results"
          aria-activedescendant={found[chosen] ? `palette-${chosen}` : undefined}
          leftSection={<Icon name="search" />}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value)
            setAt(0)
          }}
          onKeyDown={(event) => {
            if (event.key === 'ArrowDown') setAt(Math.min(chosen + 1, found.length - 1))
            else if (event.key === 'ArrowUp') setAt(Math.max(chosen - 1, 0))
            else if (event.key === 'Enter') take(found[chosen])
            else return
            event.preventDefault()
          }}
        />
        <div className={css.results} id="palette-results" role="listbox" aria-label={t('search')}>
          {found.map((one, index) => (
            <button
              key={`${one.id}`}
              id={`palette-${index}`}
              type="button"
              role="option"
              tabIndex={-1}
              aria-selected={index === chosen}
              className={css.result}
              onClick={() => take(one)}
            >
              <Icon name={one.icon} />
              <span>{one.name}</span>
              {one.note && <small>{one.note}</small>}
            </button>
          ))}
        </div>
        {!found.length && <p className={css.group}>{t('nothingFound')}</p>}
      </div>
    </Modal>
  )
}
