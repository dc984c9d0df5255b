/** One field that finds a node type; letters and arrows choose, Enter takes. */
import { Modal, TextInput } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useLanguage, useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Icon } from '../ui'
import css from './flows.module.css'
import { GROUPS, TYPES } from './model'
import { NodeIcon } from './NodeIcon'
import { groupNames, named, typeHints, typeName, typeWords } from './nodeWords'
import { words } from './words'

export function AddMenu({ title, take, close }: { title: string; take: (type: string) => void; close: () => void }) {
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const found = useMemo(() => {
    const wanted = text.trim().toLowerCase()
    const all = GROUPS.flatMap((group) =>
      Object.keys(TYPES)
        .filter((type) => TYPES[type]!.group === group)
        .map((type) => ({ group, type })),
    )
    const match = (type: string) => `${typeWords(type)} ${named(typeHints, type, language)}`.toLowerCase()
    const named_ = all.filter(({ type }) => typeWords(type).toLowerCase().includes(wanted))
    return wanted && named_.length ? named_ : all.filter(({ type }) => match(type).includes(wanted))
  }, [text, language])
  const now = Math.min(at, found.length - 1)
  const pick = (type: string | undefined) => {
    if (!type) return
    close()
    take(type)
  }
  return (
    <Modal
      opened
      onClose={close}
      size={460}
      title={title}
      closeButtonProps={{ 'aria-label': s('close') }}
      returnFocus={false}
    >
      <div className={css.stack}>
        <TextInput
          data-autofocus
          aria-label={t('findType')}
          placeholder={t('findType')}
          role="combobox"
          aria-expanded="true"
          aria-controls="flow-types"
          aria-activedescendant={found[now] ? `flow-type-${found[now].type}` : undefined}
          leftSection={<Icon name="search" />}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value)
            setAt(0)
          }}
          onKeyDown={(event) => {
            if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
              event.preventDefault()
              const next = Math.max(0, Math.min(found.length - 1, now + (event.key === 'ArrowDown' ? 1 : -1)))
              setAt(next)
              document.getElementById(`flow-type-${found[next]?.type}`)?.scrollIntoView({ block: 'nearest' })
            }
            if (event.key === 'Enter') {
              event.preventDefault()
              pick(found[now]?.type)
            }
          }}
        />
        {found.length === 0 && <p className={css.hint}>{s('nothingFound')}</p>}
        <div id="flow-types" role="listbox" aria-label={t('addNode')} className={css.types}>
          {found.map(({ type, group }, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keyboard
            <div
              key={type}
              id={`flow-type-${type}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === now}
              className={css.type}
              data-group={group}
              title={named(groupNames, group, language)}
              onClick={() => pick(type)}
            >
              <NodeIcon type={type} />
              <span>
                <strong>{typeName(type, language)}</strong>
                <small>{named(typeHints, type, language)}</small>
              </span>
            </div>
          ))}
        </div>
      </div>
    </Modal>
  )
}
