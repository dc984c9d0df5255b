/** What was chosen, one by one, each to be taken away. */
import { ActionIcon } from '@mantine/core'
import { useWords } from '../i18n'
import { Icon } from '../ui'
import css from './admin.module.css'
import { words } from './words'

export function Take({ name, press }: { name: string; press: () => void }) {
  const t = useWords(words)
  return (
    <ActionIcon variant="subtle" color="gray" size={32} aria-label={t('take', { name })} onClick={press}>
      <Icon name="close" size={16} />
    </ActionIcon>
  )
}

export function Chips({
  all,
  shown,
  take,
  readOnly,
}: {
  all: string[]
  shown: (one: string) => string
  take: (one: string) => void
  readOnly: boolean | ((one: string) => boolean)
}) {
  if (!all.length) return null
  return (
    <ul className={css.chips}>
      {all.map((one) => (
        <li key={one}>
          <span className="num">{shown(one)}</span>
          {!(typeof readOnly === 'function' ? readOnly(one) : readOnly) && (
            <Take name={shown(one)} press={() => take(one)} />
          )}
        </li>
      ))}
    </ul>
  )
}
