/** A list on the left, one of it on the right; below 1100 px one after the other. */
import { TextInput } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { Link } from 'wouter'
import { useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Icon } from '../ui'
import css from './admin.module.css'
import { words } from './words'

export interface Item {
  id: string
  name: string
  note?: ReactNode
  mark?: 'new' | 'changed' | 'goes' | 'problem'
  dimmed?: boolean
}

const MARKS = { new: 'isNew', changed: 'isChanged', goes: 'goes', problem: 'problem' } as const

export function Listing({
  title,
  items,
  base,
  chosen,
  add,
  children,
}: {
  title: string
  items: Item[]
  base: string
  chosen: string | null
  add: ReactNode
  children: ReactNode
}) {
  const t = useWords(words)
  const s = useWords(shared)
  const [filter, setFilter] = useState('')
  const Title = chosen === null ? 'h1' : 'h2'
  const wanted = filter.trim().toLowerCase()
  const found = items.filter((one) => !wanted || `${one.name} ${one.id}`.toLowerCase().includes(wanted))
  return (
    <div className={css.split} data-chosen={chosen !== null || undefined}>
      <div className={css.list}>
        <div className={css.listHead}>
          <Title className={css.listTitle}>{title}</Title>
          {add}
          {items.length > 8 && (
            <TextInput
              size="xs"
              className={css.filter}
              placeholder={t('filter')}
              aria-label={t('filter')}
              value={filter}
              onChange={(event) => setFilter(event.currentTarget.value)}
            />
          )}
        </div>
        <ul className={css.items}>
          {found.map((one) => (
            <li key={one.id}>
              <Link
                href={`${base}/${encodeURIComponent(one.id)}`}
                className={css.item}
                aria-current={one.id === chosen ? 'page' : undefined}
                data-mark={one.mark}
                data-dimmed={one.dimmed || undefined}
              >
                <span className={css.itemName}>{one.name}</span>
                {one.mark && <span className={css.mark}>{t(MARKS[one.mark])}</span>}
                {one.note && <span className={css.itemNote}>{one.note}</span>}
              </Link>
            </li>
          ))}
        </ul>
        {!found.length && items.length > 0 && <p className={css.hint}>{t('nothingSo')}</p>}
      </div>
      <div className={css.detail}>
        {chosen !== null && (
          <Link href={base} className={css.back}>
            <Icon name="left" size={16} /> {s('back')}
          </Link>
        )}
        {children}
      </div>
    </div>
  )
}
