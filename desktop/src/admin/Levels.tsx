import { Autocomplete, NumberInput } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useWords } from '../i18n'
import { Button } from '../ui'
import css from './admin.module.css'
import { Take } from './Chips'
import { type ControlProps, isRecord } from './ControlProps'
import { ids, thing } from './draft'
import { words } from './words'

/** Skills with a level each; `low` 0 where a skill may also be asked for no more. */
export function Levels({
  labelId,
  value,
  set,
  readOnly,
  settings,
  low = 1,
}: Pick<ControlProps, 'labelId' | 'value' | 'set' | 'readOnly' | 'settings'> & { low?: number }) {
  const t = useWords(words)
  const [skill, setSkill] = useState('')
  const levels = isRecord(value) ? value : {}
  const known = useMemo(() => {
    const found = new Set<string>()
    for (const agent of ids(settings.tree, 'agents')) {
      const skills = thing(settings.tree, 'agents', agent).skills
      if (isRecord(skills)) for (const one of Object.keys(skills)) found.add(one)
    }
    for (const queue of ids(settings.tree, 'queues')) {
      const needs = thing(settings.tree, 'queues', queue).needs
      if (isRecord(needs)) for (const one of Object.keys(needs)) found.add(one)
    }
    return [...found].sort()
  }, [settings.tree])
  const give = (next: Record<string, unknown>) => set(Object.keys(next).length ? next : null)
  function add() {
    const name = skill.trim().replace(/\s+/g, '_')
    if (!name || name in levels) return
    give({ ...levels, [name]: 5 })
    setSkill('')
  }
  return (
    <div role="group" aria-labelledby={labelId} className={css.stack}>
      {Object.entries(levels).map(([name, level]) => (
        <div key={name} className={css.line}>
          <span className={css.skill}>{name}</span>
          <NumberInput
            className={css.level}
            aria-label={`${name}: ${t('level')}`}
            value={Number(level)}
            min={low}
            max={10}
            allowDecimal={false}
            clampBehavior="strict"
            readOnly={readOnly}
            onChange={(next) => next !== '' && give({ ...levels, [name]: Number(next) })}
          />
          <Meter level={Number(level)} />
          {!readOnly && (
            <Take
              name={name}
              press={() => give(Object.fromEntries(Object.entries(levels).filter(([one]) => one !== name)))}
            />
          )}
        </div>
      ))}
      {!readOnly && (
        <div className={css.line}>
          <Autocomplete
            className={css.grow}
            aria-label={t('addSkill')}
            placeholder={t('skill')}
            data={known.filter((one) => !(one in levels))}
            value={skill}
            onChange={setSkill}
            onOptionSubmit={(name) => {
              give({ ...levels, [name]: 5 })
              setTimeout(() => setSkill(''))
            }}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
                event.preventDefault()
                add()
              }
            }}
          />
          <Button variant="default" onClick={add}>
            {t('addSkill')}
          </Button>
        </div>
      )}
    </div>
  )
}

const Meter = ({ level }: { level: number }) => (
  <span className={css.meter} aria-hidden="true">
    {Array.from({ length: 10 }, (_, index) => (
      <i key={index} data-on={index < level || undefined} />
    ))}
  </span>
)
