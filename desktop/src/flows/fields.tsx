/** One control for each kind of field of a node. */
import { Select, Switch, Textarea, TextInput } from '@mantine/core'
import { useEffect, useId, useState } from 'react'
import { Link } from 'wouter'
import { useLanguage, useWords } from '../i18n'
import { number } from '../i18n/format'
import { shared } from '../i18n/shared'
import { Button, Icon } from '../ui'
import { pathOf, useVocabulary } from './api'
import { setCases, setFields, setShares } from './edit'
import css from './flows.module.css'
import { type Case, casesOf, type Field as FieldSpec, type FlowNode, type Part, TRANSFERS, variablesOf } from './model'
import { choiceNames, fieldHints, fieldNames, named } from './nodeWords'
import { Prompt } from './Prompt'
import { IconButton, Problems, within } from './parts'
import { entries, Rows } from './Rows'
import { change, edit, useEditor } from './store'
import type { Problem } from './types'
import { words } from './words'

export interface FieldProps {
  field: FieldSpec
  node: FlowNode
  id: string
  readOnly: boolean
  problems: readonly Problem[]
  set: (value: unknown, typing?: boolean) => void
}

export function Field(props: FieldProps) {
  const { field, node, readOnly, problems, set } = props
  const language = useLanguage()
  const t = useWords(words)
  const vocabulary = useVocabulary()
  const graph = useEditor((one) => one.graph)
  const list = useId()
  const wrong = useId()
  const label = named(fieldNames, field.name, language)
  const hint = field.name in fieldHints ? named(fieldHints, field.name, language, { braces: '{code}' }) : undefined
  const value = node[field.name]
  const found = within(problems, field.name)
  const bad = found.some((one) => one.severity === 'error')
  const text = typeof value === 'string' ? value : value === undefined || value === null ? '' : String(value)
  const usual = field.usual === undefined ? undefined : named(choiceNames, String(field.usual), language)
  const common = {
    label,
    description: hint,
    withAsterisk: field.needed,
    'aria-describedby': found.length ? wrong : undefined,
    'aria-invalid': bad || undefined,
    error: bad,
  }
  const pick = (names: readonly string[], labels?: Map<string, string>) => (
    <Select
      {...common}
      data={[...new Set([...names, ...(text ? [text] : [])])].map((one) => ({
        value: one,
        label: labels?.get(one) ?? one,
      }))}
      value={text || null}
      placeholder={usual}
      searchable
      openOnFocus={false}
      clearable={!field.needed}
      disabled={readOnly}
      onChange={(next) => set(next ?? undefined)}
    />
  )
  const line = (mono: boolean, suggestions?: readonly string[]) => (
    <>
      <TextInput
        {...common}
        classNames={mono ? { input: css.mono } : undefined}
        value={text}
        placeholder={usual}
        readOnly={readOnly}
        spellCheck={false}
        autoComplete="off"
        list={suggestions?.length ? list : undefined}
        onChange={(event) => {
          const next = event.currentTarget.value
          set(next === '' && !field.needed ? undefined : next, true)
        }}
      />
      {suggestions?.length ? (
        <datalist id={list}>
          {suggestions.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      ) : null}
    </>
  )

  const control = () => {
    switch (field.kind) {
      case 'prompt':
        return null
      case 'flag':
        return (
          <Switch
            label={label}
            description={hint}
            checked={value === undefined ? field.usual === true : value === true}
            disabled={readOnly}
            onChange={(event) => {
              const next = event.currentTarget.checked
              set(next === field.usual ? undefined : next)
            }}
          />
        )
      case 'seconds':
      case 'whole':
        return <NumberField {...props} label={label} common={common} usual={usual} />
      case 'choice':
        return pick(field.choices ?? [], new Map(field.choices?.map((one) => [one, named(choiceNames, one, language)])))
      case 'queue':
        return pick(vocabulary.queues)
      case 'agent':
        return pick(vocabulary.agents)
      case 'calendar':
        return pick(vocabulary.calendars)
      case 'table':
        return pick(vocabulary.tables)
      case 'sound':
        return pick([...vocabulary.sounds, ...vocabulary.builtin_sounds])
      case 'flow':
        return pick(
          vocabulary.flows.map((one) => one.id),
          new Map(vocabulary.flows.map((one) => [one.id, one.name || one.id])),
        )
      case 'terminator':
        return (
          <Select
            {...common}
            data={['#', '*', ...['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'], '-'].map((one) => ({
              value: one,
              label: one === '-' ? t('empty') : one,
            }))}
            value={value === undefined ? '#' : text || '-'}
            allowDeselect={false}
            disabled={readOnly}
            onChange={(next) => set(next === '#' ? undefined : next === '-' ? '' : next)}
          />
        )
      case 'long':
        return (
          <Textarea
            {...common}
            classNames={{ input: css.mono }}
            value={text}
            readOnly={readOnly}
            autosize
            minRows={3}
            onChange={(event) => {
              const next = event.currentTarget.value
              set(next === '' && !field.needed ? undefined : next, true)
            }}
          />
        )
      case 'expression':
      case 'template':
        return line(true)
      case 'variable':
        return line(true, graph ? variablesOf(graph) : [])
      case 'expressions':
        return <Pairs {...props} label={label} hint={hint} left={t('variable')} right={t('value')} />
      case 'templates':
        return (
          <Pairs
            {...props}
            label={label}
            hint={hint}
            left={field.name === 'headers' ? t('header') : t('argument')}
            right={t('value')}
          />
        )
      case 'pointers':
        return <Pairs {...props} label={label} hint={hint} left={t('variable')} right={t('pointer')} />
      case 'shares':
        return <Shares {...props} label={label} />
      case 'cases':
        return <Cases {...props} label={label} hint={hint} />
      case 'to':
        return <To {...props} />
      case 'word':
        return field.name === 'entry_point' ? line(true, vocabulary.entry_points) : line(true)
    }
  }

  if (field.kind === 'prompt') {
    return (
      <Prompt
        label={label}
        name={field.name}
        value={value}
        set={(parts: Part[] | undefined, what) => set(parts, what !== undefined)}
        readOnly={readOnly}
        problems={found}
        needed={field.needed}
      />
    )
  }
  return (
    <div className={css.field}>
      {control()}
      {field.kind === 'flow' && text && (
        <Link href={pathOf(text)} className={css.toFlow}>
          {t('openFlow')}
        </Link>
      )}
      {field.kind !== 'cases' && field.kind !== 'to' && <Problems id={wrong} problems={found} />}
    </div>
  )
}

/** What an expression can be made of; signatures are the same in every language. */
export function Written() {
  const t = useWords(words)
  const { functions, known } = useVocabulary()
  const graph = useEditor((one) => one.graph)
  const variables = [...(graph ? variablesOf(graph) : []), ...known.map((one) => one.name)]
  if (!functions.length && !variables.length) return null
  return (
    <details className={css.more}>
      <summary>{t('written')}</summary>
      <div className={css.stack}>
        <p className={css.hint}>{t('writtenWhy', { braces: '{order}' })}</p>
        <ul className={css.written} aria-label={t('variable')}>
          {variables.map((one) => (
            <li key={one}>
              <code>{one}</code>
            </li>
          ))}
        </ul>
        <ul className={css.written} aria-label={t('written')}>
          {functions.map((one) => (
            <li key={one.name}>
              <code>{one.signature}</code>
            </li>
          ))}
        </ul>
        <p className={css.hint}>
          <code>and or not = != &lt; &lt;= &gt; &gt;= + - * / % ( ) "…" true false nothing</code>
        </p>
      </div>
    </details>
  )
}

function NumberField({
  field,
  node,
  readOnly,
  set,
  common,
  usual,
}: FieldProps & { label: string; common: object; usual?: string }) {
  const t = useWords(words)
  const value = node[field.name]
  const now = value === undefined ? '' : String(value)
  const [text, setText] = useState(now)
  // Undo and others change it from outside.
  useEffect(
    () => setText((typed) => (typed !== '' && Number(typed) === Number(now) && now !== '' ? typed : now)),
    [now],
  )
  const parsed = Number(text.replace(',', '.'))
  const wrong =
    text !== '' &&
    (!Number.isFinite(parsed) ||
      (field.kind === 'whole' && !Number.isInteger(parsed)) ||
      parsed < (field.least ?? Number.NEGATIVE_INFINITY) ||
      parsed > (field.most ?? Number.POSITIVE_INFINITY))
  return (
    <TextInput
      {...common}
      {...(wrong ? { error: `${field.least} – ${field.most}` } : {})}
      className={css.narrowField}
      value={text}
      placeholder={usual}
      inputMode="decimal"
      readOnly={readOnly}
      rightSection={field.kind === 'seconds' ? <span className={css.unit}>s</span> : undefined}
      aria-description={field.kind === 'seconds' ? t('seconds') : undefined}
      onChange={(event) => {
        const next = event.currentTarget.value
        setText(next)
        const read = Number(next.replace(',', '.'))
        if (next.trim() === '') set(undefined, true)
        else if (Number.isFinite(read)) set(read, true)
      }}
    />
  )
}

function Pairs({
  field,
  node,
  readOnly,
  set,
  label,
  hint,
  left,
  right,
}: FieldProps & { label: string; hint?: string; left: string; right: string }) {
  const value = node[field.name] as Record<string, unknown> | undefined
  return (
    <Rows
      value={value}
      set={(next, typing) => set(Object.keys(next).length || field.needed ? next : undefined, typing)}
      readOnly={readOnly}
      label={label}
      hint={hint}
      left={left}
      right={right}
    />
  )
}

function Shares({ node, id, readOnly, label }: FieldProps & { label: string }) {
  const t = useWords(words)
  const language = useLanguage()
  const rows = entries(node.shares)
  const sum = rows.reduce((now, [, one]) => now + (Number(one) || 0), 0)
  const put = (next: [string, string][], what: string) => {
    if (new Set(next.map(([name]) => name)).size < next.length) return
    edit(
      (graph) =>
        setShares(
          graph,
          id,
          next.map(([name, one]) => [name, Number(one) || 0]),
        ),
      what,
    )
  }
  const freeName = () => {
    for (let n = rows.length; ; n++) {
      const name = String.fromCharCode(97 + (n % 26)) + (n >= 26 ? Math.floor(n / 26) : '')
      if (!rows.some(([one]) => one === name)) return name
    }
  }
  const heading = useId()
  return (
    <fieldset className={css.rows} aria-labelledby={heading}>
      <span id={heading} className={css.label}>
        {label}
      </span>
      {rows.map(([name, share], index) => (
        <div key={index} className={css.row}>
          <TextInput
            aria-label={`${t('exit')} ${index + 1}`}
            value={name}
            readOnly={readOnly}
            onChange={(event) => {
              const next = event.currentTarget.value
              put(
                rows.map((one, at) => (at === index ? [next, one[1]] : one)),
                `share ${id} ${index}`,
              )
            }}
          />
          <TextInput
            aria-label={`${t('percent')} ${index + 1}`}
            inputMode="decimal"
            value={share}
            readOnly={readOnly}
            rightSection={<span className={css.unit}>%</span>}
            onChange={(event) => {
              const next = event.currentTarget.value.replace(/[^\d.]/g, '')
              put(
                rows.map((one, at) => (at === index ? [one[0], next] : one)),
                `share ${id} ${index}`,
              )
            }}
          />
          {!readOnly && rows.length > 1 && (
            <IconButton
              icon="close"
              label={t('removeRow', { n: index + 1 })}
              onClick={() =>
                put(
                  rows.filter((_, at) => at !== index),
                  '',
                )
              }
            />
          )}
        </div>
      ))}
      {Math.abs(sum - 100) > 0.001 && <p className={css.wrong}>{t('togetherIs', { n: number(language, sum, 2) })}</p>}
      {!readOnly && (
        <Button
          size="xs"
          variant="default"
          leftSection={<Icon name="plus" size={14} />}
          aria-label={`${t('addRow')}: ${label}`}
          onClick={() => put([...rows, [freeName(), String(Math.max(0, Math.round((100 - sum) * 100) / 100))]], '')}
        >
          {t('addRow')}
        </Button>
      )}
    </fieldset>
  )
}

function Cases({ node, id, readOnly, label, hint, problems }: FieldProps & { label: string; hint?: string }) {
  const t = useWords(words)
  const cases = casesOf(node)
  const put = (next: Case[], what = '') => edit((graph) => setCases(graph, id, next), what)
  const heading = useId()
  return (
    <fieldset className={css.rows} aria-labelledby={heading}>
      <span id={heading} className={css.label}>
        {label}
      </span>
      {hint && <p className={css.hint}>{hint}</p>}
      <ol className={css.parts}>
        {cases.map((one, index) => (
          <li key={index} className={css.part}>
            <TextInput
              label={`${t('condition')} ${index + 1}`}
              classNames={{ input: css.mono }}
              value={one.if}
              readOnly={readOnly}
              spellCheck={false}
              error={problems.some(({ where }) => where.startsWith(`cases[${index}].if`))}
              onChange={(event) => {
                const next = event.currentTarget.value
                put(
                  cases.map((each, at) => (at === index ? { ...each, if: next } : each)),
                  `case ${id} ${index}`,
                )
              }}
            />
            <div className={css.row}>
              <TextInput
                label={`${t('exit')} ${index + 1}`}
                value={one.exit}
                readOnly={readOnly}
                onChange={(event) => {
                  const next = event.currentTarget.value
                  put(
                    cases.map((each, at) => (at === index ? { ...each, exit: next } : each)),
                    `case exit ${id} ${index}`,
                  )
                }}
              />
              {!readOnly && cases.length > 1 && (
                <IconButton
                  icon="close"
                  label={t('removeRow', { n: index + 1 })}
                  onClick={() => put(cases.filter((_, at) => at !== index))}
                />
              )}
            </div>
            <Problems problems={within(problems, `cases[${index}]`)} />
          </li>
        ))}
      </ol>
      <Problems problems={problems.filter(({ where }) => where === 'cases')} />
      {!readOnly && (
        <Button
          size="xs"
          variant="default"
          leftSection={<Icon name="plus" size={14} />}
          aria-label={`${t('addRow')}: ${label}`}
          onClick={() => {
            let n = cases.length + 1
            while (cases.some((one) => one.exit === `case${n}`)) n++
            put([...cases, { if: '', exit: `case${n}` }])
          }}
        >
          {t('addRow')}
        </Button>
      )}
    </fieldset>
  )
}

/** To whom a call is led: one kind, one name. */
function To({ node, id, readOnly, problems }: FieldProps) {
  const s = useWords(shared)
  const language = useLanguage()
  const vocabulary = useVocabulary()
  const kind = TRANSFERS.find((one) => one in node) ?? 'queue'
  const value = typeof node[kind] === 'string' ? (node[kind] as string) : ''
  const put = (next: (typeof TRANSFERS)[number], text: string, what = '') => {
    const { graph } = useEditor.getState()
    if (graph)
      change(
        setFields(graph, id, { ...Object.fromEntries(TRANSFERS.map((one) => [one, undefined])), [next]: text }),
        what,
      )
  }
  const names = kind === 'queue' ? vocabulary.queues : vocabulary.agents
  return (
    <div className={css.stack}>
      <Select
        label={named(fieldNames, 'to', language)}
        data={TRANSFERS.map((one) => ({ value: one, label: named(fieldNames, one, language) }))}
        value={kind}
        allowDeselect={false}
        disabled={readOnly}
        onChange={(next) => next && put(next as (typeof TRANSFERS)[number], '')}
      />
      {kind === 'queue' || kind === 'agent' ? (
        <Select
          label={s(kind)}
          withAsterisk
          data={[...new Set([...names, ...(value ? [value] : [])])]}
          value={value || null}
          searchable
          openOnFocus={false}
          disabled={readOnly}
          onChange={(next) => next && put(kind, next)}
        />
      ) : (
        <TextInput
          label={named(fieldNames, kind, language)}
          description={named(fieldHints, kind, language)}
          withAsterisk
          classNames={{ input: css.mono }}
          value={value}
          readOnly={readOnly}
          spellCheck={false}
          onChange={(event) => put(kind, event.currentTarget.value, `to ${id}`)}
        />
      )}
      <Problems problems={[...TRANSFERS, 'to'].flatMap((one) => within(problems, one))} />
    </div>
  )
}
