/** A key that is a mapping: each of its own keys with its control, and what the centre says about it under it. */
import { Select, Switch, TagsInput, TextInput } from '@mantine/core'
import { type ReactNode, useId, useState } from 'react'
import { useVocabulary } from '../flows/api'
import { useLanguage, useWords } from '../i18n'
import { shared } from '../i18n/shared'
import css from './admin.module.css'
import { Chips } from './Chips'
import { type ControlProps, isRecord, pathOf } from './ControlProps'
import { fieldSay } from './fields'
import { Levels } from './Levels'
import { isAlways, mappingOf, PARTS, type Part, wrongPart } from './mappings'
import { useSounds } from './parts'
import { Secret } from './Secret'
import type { Settings } from './store'

/** One that may be left out has a switch. */
export function Mapping(props: ControlProps) {
  const name = mappingOf(props.table, props.field.key)
  return (
    <Some {...props} name={name} path={pathOf(props)} parts={PARTS[name] ?? []} optional={!isAlways(props.field.key)} />
  )
}

interface SomeProps {
  name: string
  path: readonly string[]
  parts: Part[]
  optional: boolean
  value: unknown
  set: ControlProps['set']
  leave: () => void
  readOnly: boolean
  labelId: string
  settings: Settings
}

function Some({ name, path, parts, optional, value, set, leave, readOnly, labelId, settings }: SomeProps) {
  const s = useWords(shared)
  const on = isRecord(value)
  const given = on ? value : {}
  const give = (key: string, one: unknown, typing?: boolean) => {
    const next = { ...given, [key]: one }
    if (one === null || one === '') delete next[key]
    set(Object.keys(next).length || optional ? next : null, typing)
  }
  return (
    <div role="group" aria-labelledby={labelId} className={css.stack}>
      {optional && (
        <Switch
          checked={on}
          disabled={readOnly}
          label={s(on ? 'yes' : 'no')}
          onChange={(event) => set(event.currentTarget.checked ? {} : null)}
        />
      )}
      {(on || !optional) &&
        parts.map((part) => (
          <OnePart
            key={part.key}
            name={name}
            path={[...path, part.key]}
            part={part}
            value={given[part.key]}
            set={(one, typing) => give(part.key, one, typing)}
            leave={leave}
            readOnly={readOnly}
            settings={settings}
          />
        ))}
    </div>
  )
}

type OneProps = Pick<SomeProps, 'name' | 'path' | 'value' | 'set' | 'leave' | 'readOnly' | 'settings'> & { part: Part }

/** Also used where a mapping stands in a list. */
export function OnePart({ name, path, part, value, set, leave, readOnly, settings }: OneProps) {
  const language = useLanguage()
  const base = useId()
  const [typing, setTyping] = useState(false)
  const title = fieldSay(language, `${name}.${part.key}`)
  const own = wrongPart(language, part, value)
  const said = part.kind === 'parts' ? null : settings.problem(path)
  const bad = typing ? null : (own ?? said)
  const grouped = part.kind === 'parts' || part.kind === 'levels' || part.kind === 'sounds'
  if (part.kind === 'yes') {
    return (
      <Under text={bad} foreign={!own}>
        <Switch
          // On unless it is said to be off.
          checked={!['false', 'no', 'off'].includes(String(value ?? 'true'))}
          disabled={readOnly}
          label={title}
          onChange={(event) => set(event.currentTarget.checked ? null : false)}
        />
      </Under>
    )
  }
  const simple = { id: `${base}-field`, readOnly, 'aria-describedby': bad ? `${base}-wrong` : undefined }
  return (
    <div className={css.sub} data-tall={grouped || undefined}>
      {grouped ? (
        <span id={`${base}-label`}>{title}</span>
      ) : (
        <label id={`${base}-label`} htmlFor={simple.id}>
          {title}
          {part.needed && ' *'}
        </label>
      )}
      <Under id={`${base}-wrong`} text={bad} foreign={!own}>
        {part.kind === 'parts' ? (
          <Some
            name={part.key}
            path={path}
            parts={part.parts ?? []}
            optional
            value={value}
            set={set}
            leave={leave}
            readOnly={readOnly}
            labelId={`${base}-label`}
            settings={settings}
          />
        ) : part.kind === 'levels' ? (
          <Levels labelId={`${base}-label`} value={value} set={set} readOnly={readOnly} settings={settings} />
        ) : part.kind === 'sounds' ? (
          <Messages labelId={`${base}-label`} value={value} set={set} readOnly={readOnly} />
        ) : part.kind === 'countries' ? (
          <TagsInput
            {...simple}
            value={Array.isArray(value) ? value.map(String) : []}
            placeholder="PL"
            error={bad !== null}
            splitChars={[',', ' ']}
            onChange={(list) => set(list.length ? list.map((one) => one.toUpperCase()) : null)}
          />
        ) : part.kind === 'choice' ? (
          <Select
            id={simple.id}
            className={css.narrow}
            data={(part.choices ?? []).map((one) => ({ value: one, label: fieldSay(language, one, {}, one) }))}
            value={typeof value === 'string' ? value : null}
            placeholder={part.usual && fieldSay(language, part.usual, {}, part.usual)}
            clearable
            disabled={readOnly}
            error={bad !== null}
            onChange={(one) => set(one)}
          />
        ) : part.kind === 'secret' ? (
          <Secret
            id={simple.id}
            value={value ?? null}
            set={set}
            leave={leave}
            readOnly={readOnly}
            bad={bad !== null}
            describedBy={simple['aria-describedby']}
          />
        ) : (
          <TextInput
            {...simple}
            className={part.kind === 'text' ? undefined : css.narrow}
            value={String(value ?? '')}
            placeholder={part.usual}
            error={bad !== null}
            inputMode={part.kind === 'integer' ? 'numeric' : undefined}
            spellCheck={false}
            onChange={(event) => {
              setTyping(true)
              set(event.currentTarget.value, true)
            }}
            onBlur={() => {
              setTyping(false)
              leave()
            }}
          />
        )}
      </Under>
    </div>
  )
}

/** A control with what is wrong beneath. */
export function Under({
  id,
  text,
  foreign,
  children,
}: {
  id?: string
  text: string | null
  foreign: boolean
  children: ReactNode
}) {
  return (
    <div className={css.under}>
      {children}
      {text && (
        <p id={id} className={css.wrong} lang={foreign ? 'en' : undefined}>
          {text}
        </p>
      )}
    </div>
  )
}

/** Sounds that take turns. */
function Messages({ labelId, value, set, readOnly }: Pick<ControlProps, 'labelId' | 'value' | 'set' | 'readOnly'>) {
  const language = useLanguage()
  const { data } = useSounds()
  const { builtin_sounds: builtIn } = useVocabulary()
  const all = (Array.isArray(value) ? value : value ? [value] : []).map(String)
  const known = [
    ...(data?.items ?? []).filter((one) => !one.built_in).map((one) => one.name),
    ...builtIn.map((one) => (one.startsWith('builtin:') ? one : `builtin:${one}`)),
  ]
  return (
    <div role="group" aria-labelledby={labelId} className={css.stack}>
      <Chips
        all={all}
        shown={(one) => one}
        readOnly={readOnly}
        take={(one) => {
          const left = all.filter((other) => other !== one)
          set(left.length ? left : null)
        }}
      />
      {!readOnly && (
        <Select
          className={css.grow}
          aria-label={fieldSay(language, 'announce.add')}
          placeholder={fieldSay(language, 'announce.add')}
          data={known.filter((one) => !all.includes(one))}
          value={null}
          searchable
          limit={100}
          onChange={(one) => one && set([...all, one])}
        />
      )}
    </div>
  )
}
