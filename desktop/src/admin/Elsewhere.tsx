/** Keys of other things, shown where people look for them: a queue's numbers, an agent's queues, a client's queues. */
import { Checkbox, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useLanguage, useWords } from '../i18n'
import { Button } from '../ui'
import css from './admin.module.css'
import { Chips } from './Chips'
import type { ControlProps } from './ControlProps'
import { ids, nameOf, numbersOf, serving, thing, valueAt } from './draft'
import { fieldSay } from './fields'
import { destinationText } from './say'
import { setAll } from './store'
import { words } from './words'

export function Numbers({ labelId, settings, thing: queue, leave }: ControlProps) {
  const t = useWords(words)
  const language = useLanguage()
  const [text, setText] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const all = numbersOf(settings.tree, 'queue', queue)
  function add() {
    const number = text.trim()
    if (!number) return
    const taken = valueAt(settings.tree, ['numbers', number])
    if (/\s/.test(number)) return setProblem(fieldSay(language, 'wrong.number'))
    if (taken !== undefined) {
      return setProblem(
        fieldSay(language, 'wrong.numberTaken', { where: destinationText(language, settings.tree, taken) }),
      )
    }
    setProblem(null)
    settings.set(['numbers', number], { queue })
    setText('')
    leave()
  }
  return (
    <div role="group" aria-labelledby={labelId} className={css.stack}>
      <Chips
        all={all}
        shown={(one) => one}
        readOnly={(one) => settings.fileLine(['numbers', one]) !== null}
        take={(one) => {
          settings.set(['numbers', one], null)
          leave()
        }}
      />
      {!all.length && <p className={css.hint}>{t('noNumber')}</p>}
      <div className={css.line}>
        <TextInput
          className={css.grow}
          aria-label={t('addNumber')}
          placeholder="+48221234567"
          inputMode="tel"
          value={text}
          error={problem}
          onChange={(event) => {
            setText(event.currentTarget.value)
            setProblem(null)
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter') {
              event.preventDefault()
              add()
            }
          }}
        />
        <Button variant="default" onClick={add}>
          {t('addNumber')}
        </Button>
      </div>
    </div>
  )
}

export function Memberships({ labelId, settings, thing: agent, leave }: ControlProps) {
  const t = useWords(words)
  const all = ids(settings.tree, 'queues')
  if (!all.length) return <p className={css.hint}>{t('noneYet')}</p>
  return (
    <div role="group" aria-labelledby={labelId} className={css.picker}>
      <div className={css.pickerList}>
        {all.map((id) => {
          const queue = thing(settings.tree, 'queues', id)
          const listed = Array.isArray(queue.agents) ? (queue.agents as string[]) : null
          const path = ['queues', id, 'agents']
          const can = serving(settings.tree, queue).includes(agent)
          const on = listed ? listed.includes(agent) : can
          const line = settings.fileLine(path)
          const why =
            line !== null && listed
              ? t('theFile', { file: `${settings.shown.file}:${line}` })
              : listed
                ? on && !can
                  ? t('skillsToo')
                  : ''
                : can
                  ? t('bySkills')
                  : t('bySkillsNot')
          return (
            <Checkbox
              key={id}
              className={css.tick}
              checked={on}
              disabled={!listed || line !== null}
              label={
                <>
                  {nameOf(settings.tree, 'queues', id)} {why && <small className="dim">{why}</small>}
                </>
              }
              onChange={(event) => {
                settings.set(
                  path,
                  event.currentTarget.checked ? [...listed!, agent] : listed!.filter((one) => one !== agent),
                )
                leave()
              }}
            />
          )
        })}
      </div>
    </div>
  )
}

export function OfClient({ labelId, settings, thing: client, leave }: ControlProps) {
  const all = ids(settings.tree, 'queues')
  const t = useWords(words)
  if (!all.length) return <p className={css.hint}>{t('noneYet')}</p>
  return (
    <div role="group" aria-labelledby={labelId} className={css.picker}>
      <div className={css.pickerList}>
        {all.map((id) => {
          const now = thing(settings.tree, 'queues', id).client
          return (
            <Checkbox
              key={id}
              className={css.tick}
              checked={now === client}
              disabled={settings.fileLine(['queues', id, 'client']) !== null}
              label={nameOf(settings.tree, 'queues', id)}
              onChange={(event) => {
                setAll(settings.shown, [
                  { path: ['queues', id, 'client'], value: event.currentTarget.checked ? client : null },
                ])
                leave()
              }}
            />
          )
        })}
      </div>
    </div>
  )
}
