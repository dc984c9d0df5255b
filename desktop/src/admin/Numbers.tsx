/** What a dialled number reaches: one row each. */
import { TextInput } from '@mantine/core'
import { type FormEvent, useId, useRef, useState } from 'react'
import { useLanguage, useWords } from '../i18n'
import { Button, Empty, Icon, ui } from '../ui'
import css from './admin.module.css'
import { Destination } from './Destination'
import { ids, valueAt } from './draft'
import { fieldSay } from './fields'
import { useSettings } from './parts'
import { destinationText } from './say'
import { check, takeBack } from './store'
import { words } from './words'

const AT_ONCE = 100

export function Numbers() {
  const settings = useSettings()
  const { tree, shown } = settings
  const t = useWords(words)
  const [filter, setFilter] = useState('')
  const [most, setMost] = useState(AT_ONCE)
  const now = ids(tree, 'numbers')
  const gone = ids(shown.tree, 'numbers').filter((one) => !now.includes(one))
  const language = useLanguage()
  const wanted = filter.trim().toLowerCase()
  const all = [...now, ...gone].filter(
    (one) =>
      !wanted ||
      one.includes(wanted) ||
      destinationText(language, tree, valueAt(tree, ['numbers', one]))
        .toLowerCase()
        .includes(wanted),
  )
  return (
    <div className={css.scrolled}>
      <div className={css.sheet}>
        <div className={css.sheetHead}>
          <h1>{t('numbers')}</h1>
          <p className={css.hint}>
            {t('numbersWhy')} {t('internal')}
          </p>
          {now.length > 8 && (
            <TextInput
              size="xs"
              placeholder={t('filter')}
              aria-label={t('filter')}
              value={filter}
              onChange={(event) => setFilter(event.currentTarget.value)}
            />
          )}
        </div>
        <NewNumber />
        {all.length ? (
          <table className={`${ui.table} ${css.numbers}`}>
            <thead>
              <tr>
                <th scope="col">{t('number')}</th>
                <th scope="col">{t('leadsTo')}</th>
                <td />
              </tr>
            </thead>
            <tbody>
              {all.slice(0, most).map((one) => (
                <NumberRow key={one} number={one} gone={gone.includes(one)} />
              ))}
            </tbody>
          </table>
        ) : (
          <Empty title={wanted ? t('nothingSo') : t('noneYet')} why={wanted ? undefined : t('numbersWhy')} />
        )}
        {all.length > most && (
          <Button variant="default" size="xs" onClick={() => setMost(most + AT_ONCE * 5)}>
            {t('moreOf', { n: all.length - most })}
          </Button>
        )}
      </div>
    </div>
  )
}

function NumberRow({ number, gone }: { number: string; gone: boolean }) {
  const settings = useSettings()
  const { tree, shown } = settings
  const t = useWords(words)
  const language = useLanguage()
  const id = useId()
  const path = ['numbers', number]
  const line = settings.fileLine(path)
  const problem = settings.problem(path)
  const was = valueAt(shown.tree, path)
  return (
    <tr data-edited={settings.edited(path) || undefined} data-dimmed={gone || undefined}>
      <th scope="row" id={id} className="num">
        {number}
        {gone && <small className={css.mark}>{t('goes')}</small>}
        {!gone && was === undefined && <small className={css.mark}>{t('isNew')}</small>}
      </th>
      <td>
        {gone || line !== null ? (
          <span>{destinationText(language, gone ? shown.tree : tree, gone ? was : valueAt(tree, path))}</span>
        ) : (
          <Destination
            labelId={id}
            settings={settings}
            value={valueAt(tree, path)}
            readOnly={false}
            bad={problem !== null}
            set={(next, typing) => {
              settings.set(path, next)
              if (!typing) void check()
            }}
            leave={() => void check()}
          />
        )}
        {line !== null && (
          <span className={css.source}>
            <Icon name="note" size={14} />
            {t('inFile', { file: shown.file, line })}
          </span>
        )}
        {problem && (
          <p className={css.wrong} lang="en">
            {problem}
          </p>
        )}
      </td>
      <td className={ui.right}>
        {gone ? (
          <Button variant="subtle" size="compact-sm" onClick={() => takeBack(path)}>
            {t('keepIt')}
          </Button>
        ) : (
          line === null && (
            <Button
              variant="subtle"
              color="gray"
              size="compact-sm"
              aria-label={t('take', { name: number })}
              onClick={() => {
                settings.set(path, null)
                void check()
              }}
            >
              <Icon name="close" size={16} />
            </Button>
          )
        )}
      </td>
    </tr>
  )
}

function NewNumber() {
  const settings = useSettings()
  const t = useWords(words)
  const language = useLanguage()
  const label = useId()
  const [number, setNumber] = useState('')
  const [to, setTo] = useState<unknown>(null)
  const [round, setRound] = useState(0)
  const [problem, setProblem] = useState<string | null>(null)
  const field = useRef<HTMLInputElement>(null)
  function add(event: FormEvent) {
    event.preventDefault()
    const name = number.trim()
    const taken = valueAt(settings.tree, ['numbers', name])
    const bad = !name
      ? fieldSay(language, 'wrong.needed')
      : /\s/.test(name)
        ? fieldSay(language, 'wrong.number')
        : taken !== undefined
          ? fieldSay(language, 'wrong.numberTaken', { where: destinationText(language, settings.tree, taken) })
          : to === null
            ? `${t('leadsTo')}: ${fieldSay(language, 'wrong.needed')}`
            : null
    setProblem(bad)
    if (bad) return field.current?.focus()
    settings.set(['numbers', name], to)
    void check()
    setNumber('')
    setTo(null)
    setRound(round + 1)
    field.current?.focus()
  }
  return (
    <form className={css.newNumber} onSubmit={add} noValidate>
      <TextInput
        ref={field}
        label={t('addNumber')}
        labelProps={{ id: label }}
        placeholder="+48221234567"
        inputMode="tel"
        value={number}
        error={problem}
        onChange={(event) => {
          setNumber(event.currentTarget.value)
          setProblem(null)
        }}
      />
      <Destination key={round} labelId={label} settings={settings} value={to} set={setTo} readOnly={false} />
      <Button type="submit" variant="default" leftSection={<Icon name="plus" size={14} />}>
        {t('make')}
      </Button>
    </form>
  )
}
