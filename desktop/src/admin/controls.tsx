/** One control for each kind of key. All take the value as it stands in the file, and give it back so; null is "left out". */
import { ActionIcon, Checkbox, SegmentedControl, Select, Switch, TextInput } from '@mantine/core'
import { useId, useMemo, useState } from 'react'
import { Link } from 'wouter'
import { useLanguage, useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Icon } from '../ui'
import css from './admin.module.css'
import { Take } from './Chips'
import { type ControlProps, isRecord } from './ControlProps'
import { Destination } from './Destination'
import { ids, labelOf, nameOf, serving, type Texts, type Tree, thing, valueAt } from './draft'
import { Memberships, Numbers, OfClient } from './Elsewhere'
import { FlowChoice } from './FlowChoice'
import { fieldSay, wrong } from './fields'
import { Dates, Hours } from './Hours'
import { Keys } from './Keys'
import { Levels } from './Levels'
import { Mapping } from './Mapping'
import { Play, useSounds } from './parts'
import { QueueChoice } from './QueueChoice'
import { Secret } from './Secret'
import { Stages } from './Stages'
import type { Settings } from './store'
import { words } from './words'

export function Control(props: ControlProps) {
  switch (props.field.kind) {
    case 'flag':
      return <Flag {...props} />
    case 'choice':
    case 'client':
    case 'agent':
    case 'zone':
      return <Choice {...props} />
    case 'sound':
      return <SoundChoice {...props} />
    case 'levels':
      return <Levels {...props} />
    case 'serves':
      return <Serves {...props} />
    case 'agents':
      return (
        <Picker
          labelId={props.labelId}
          value={Array.isArray(props.value) ? (props.value as string[]) : []}
          set={(list) => props.set(list.length ? list : null)}
          readOnly={props.readOnly}
          tree={props.settings.tree}
        />
      )
    case 'destination':
      return <Destination {...props} optional experts={props.field.key === 'escalate'} />
    case 'hours':
      return <Hours {...props} />
    case 'dates':
      return <Dates {...props} />
    case 'results':
      return <Results {...props} />
    case 'thresholds':
      return <Thresholds {...props} />
    case 'keys':
      return <Keys {...props} />
    case 'stages':
      return <Stages {...props} />
    case 'mapping':
      return <Mapping {...props} />
    case 'flow':
    case 'flows':
      return <FlowChoice {...props} />
    case 'queues':
      return <QueueChoice {...props} />
    case 'secret':
      return <Secret {...props} />
    case 'register':
      return <Register {...props} />
    case 'numbers':
      return <Numbers {...props} />
    case 'memberships':
      return <Memberships {...props} />
    case 'ofClient':
      return <OfClient {...props} />
    default:
      return <Text {...props} />
  }
}

function Text({ field, id, describedBy, value, set, leave, readOnly, bad, usual }: ControlProps) {
  const narrow = ['duration', 'integer', 'serviceLevel', 'country'].includes(field.kind)
  return (
    <TextInput
      id={id}
      className={narrow ? css.narrow : undefined}
      value={value === null || value === undefined ? '' : String(value)}
      placeholder={usual}
      readOnly={readOnly}
      error={bad}
      aria-invalid={bad || undefined}
      aria-describedby={describedBy}
      inputMode={field.kind === 'integer' ? 'numeric' : undefined}
      spellCheck={false}
      onChange={(event) => {
        const text = event.currentTarget.value
        set(text === '' ? null : text, true)
      }}
      onBlur={() => {
        const text = typeof value === 'string' ? value.trim() : value
        if (typeof text === 'string' && !wrong(field, text)) {
          // As the file has it: whole numbers as numbers, seconds with their unit.
          const tidy =
            field.kind === 'integer'
              ? Number(text)
              : field.kind === 'duration' && /^\d+(\.\d+)?$/.test(text)
                ? `${text}s`
                : text
          if (tidy !== value) set(tidy === '' ? null : tidy, true)
        }
        leave()
      }}
    />
  )
}

function Flag({ id, describedBy, value, set, readOnly, labelId }: ControlProps) {
  const s = useWords(shared)
  return (
    <Switch
      id={id}
      checked={value === true}
      disabled={readOnly}
      aria-labelledby={labelId}
      aria-describedby={describedBy}
      label={value === true ? s('yes') : s('no')}
      onChange={(event) => set(event.currentTarget.checked ? true : null)}
    />
  )
}

function Choice({ field, id, describedBy, value, set, readOnly, bad, usual, settings }: ControlProps) {
  const language = useLanguage()
  const data = useMemo(() => {
    if (field.kind === 'zone') return Intl.supportedValuesOf('timeZone')
    const table = field.kind === 'client' ? 'clients' : field.kind === 'agent' ? 'agents' : null
    if (table) return ids(settings.tree, table).map((one) => ({ value: one, label: nameOf(settings.tree, table, one) }))
    return (field.choices ?? []).map((one) => ({ value: one, label: fieldSay(language, one, {}, one) }))
  }, [field, settings.tree, language])
  const known = data.some((one) => (typeof one === 'string' ? one : one.value) === value)
  const now = typeof value === 'string' ? value : null
  return (
    <Select
      id={id}
      data={now && !known ? [...(data as { value: string; label: string }[]), { value: now, label: now }] : data}
      value={now}
      placeholder={usual}
      onChange={(next) => set(next)}
      disabled={readOnly}
      error={bad}
      clearable
      searchable={data.length > 8}
      limit={100}
      aria-describedby={describedBy}
    />
  )
}

function SoundChoice({ id, describedBy, value, set, readOnly, bad }: ControlProps) {
  const t = useWords(words)
  const { data } = useSounds()
  const now = typeof value === 'string' ? value : 'default'
  const known = data?.items ?? []
  const all = known.some((one) => one.name === now) ? known : [...known, { name: now, built_in: true }]
  const own = known.find((one) => one.name === now && !one.built_in)
  return (
    <div className={css.line}>
      <Select
        id={id}
        className={css.grow}
        data={all.map((one) => ({
          value: one.name,
          label:
            one.name === 'default' ? `${one.name} (${t('builtIn')})` : one.name === 'silence' ? t('silence') : one.name,
        }))}
        value={now}
        allowDeselect={false}
        onChange={(name) => set(name === 'default' ? null : name)}
        disabled={readOnly}
        error={bad}
        aria-describedby={describedBy}
      />
      {own && <Play name={own.name} size="sm" />}
    </div>
  )
}

const AT_ONCE = 60

/** Agents to tick: those chosen first as they were when it opened, so that nothing moves under the hand. */
export function Picker({
  labelId,
  value,
  set,
  readOnly,
  tree,
}: {
  labelId: string
  value: string[]
  set: (list: string[]) => void
  readOnly: boolean
  tree: Tree
}) {
  const t = useWords(words)
  const [filter, setFilter] = useState('')
  const [first] = useState(() => new Set(value))
  const chosen = new Set(value)
  const all = ids(tree, 'agents').filter((one) => !readOnly || chosen.has(one))
  const wanted = filter.trim().toLowerCase()
  const order = [...all].sort((a, b) => Number(first.has(b)) - Number(first.has(a)))
  const found = order.filter((one) => !wanted || `${one} ${nameOf(tree, 'agents', one)}`.toLowerCase().includes(wanted))
  return (
    <div role="group" aria-labelledby={labelId} className={css.picker}>
      <div className={css.pickerHead}>
        {all.length > 6 && !readOnly && (
          <TextInput
            size="xs"
            className={css.grow}
            placeholder={t('filter')}
            aria-label={t('filter')}
            value={filter}
            onChange={(event) => setFilter(event.currentTarget.value)}
          />
        )}
        <span className="dim num">{t('chosen', { n: value.length })}</span>
      </div>
      <div className={css.pickerList}>
        {found.slice(0, AT_ONCE).map((one) => (
          <Checkbox
            key={one}
            className={css.tick}
            checked={chosen.has(one)}
            disabled={readOnly}
            label={
              <>
                {nameOf(tree, 'agents', one)} {nameOf(tree, 'agents', one) !== one && <code>{one}</code>}
              </>
            }
            onChange={(event) =>
              set(event.currentTarget.checked ? [...value, one] : value.filter((other) => other !== one))
            }
          />
        ))}
        {found.length > AT_ONCE && <p className={css.hint}>{t('moreOf', { n: found.length - AT_ONCE })}</p>}
        {!found.length && <p className={css.hint}>{all.length ? t('nothingSo') : t('noneYet')}</p>}
      </div>
    </div>
  )
}

/** Who serves a queue, and who can in fact. */
function Serves(props: ControlProps) {
  const { labelId, value, set, readOnly, settings } = props
  const t = useWords(words)
  const listed = Array.isArray(value)
  const queue = thing(settings.tree, 'queues', props.thing)
  const can = serving(settings.tree, queue)
  return (
    <div className={css.stack}>
      <SegmentedControl
        aria-labelledby={labelId}
        disabled={readOnly}
        value={listed ? 'these' : 'all'}
        data={[
          { value: 'these', label: t('these') },
          { value: 'all', label: t('everybody') },
        ]}
        onChange={(how) => set(how === 'these' ? can : null)}
      />
      {listed && (
        <Picker
          labelId={labelId}
          value={value as string[]}
          set={(list) => set(list)}
          readOnly={readOnly}
          tree={settings.tree}
        />
      )}
      {can.length ? (
        <p className={css.hint}>
          {t('canAnswer')}:{' '}
          {can
            .slice(0, 8)
            .map((one) => nameOf(settings.tree, 'agents', one))
            .join(', ')}
          {can.length > 8 ? ` +${can.length - 8}` : ''}
        </p>
      ) : (
        <p className={css.caution}>
          <Icon name="alarms" size={16} /> {t('nobodyCan')}
        </p>
      )}
    </div>
  )
}

function Results({ labelId, value, set, readOnly, settings }: ControlProps) {
  const t = useWords(words)
  const language = useLanguage()
  const all = (Array.isArray(value) ? value : []).map(String)
  const name = (id: string) =>
    labelOf(thing(settings.tree, 'dispositions', id))[language] ?? labelAt(settings, id) ?? id
  const rest = ids(settings.tree, 'dispositions').filter((one) => !all.includes(one))
  const give = (list: string[]) => set(list.length ? list : null)
  function move(index: number, by: number) {
    const next = [...all]
    const [one] = next.splice(index, 1)
    next.splice(index + by, 0, one!)
    give(next)
  }
  return (
    <div role="group" aria-labelledby={labelId} className={css.stack}>
      {all.map((one, index) => (
        <div key={one} className={css.ordered}>
          <kbd>{index + 1}</kbd>
          <span className={css.grow}>{name(one)}</span>
          {!readOnly && (
            <>
              <ActionIcon
                variant="subtle"
                color="gray"
                size={32}
                aria-label={t('up', { name: name(one) })}
                disabled={index === 0}
                onClick={() => move(index, -1)}
              >
                <Icon name="up" size={16} />
              </ActionIcon>
              <ActionIcon
                variant="subtle"
                color="gray"
                size={32}
                aria-label={t('downOne', { name: name(one) })}
                disabled={index === all.length - 1}
                onClick={() => move(index, 1)}
              >
                <Icon name="down" size={16} />
              </ActionIcon>
              <Take name={name(one)} press={() => give(all.filter((other) => other !== one))} />
            </>
          )}
        </div>
      ))}
      {!readOnly &&
        (rest.length ? (
          <Select
            aria-label={t('addResult')}
            placeholder={t('addResult')}
            value={null}
            data={rest.map((one) => ({ value: one, label: name(one) }))}
            onChange={(one) => one && give([...all, one])}
          />
        ) : (
          <Link href="/settings/dispositions">{t('dispositions')}</Link>
        ))}
    </div>
  )
}

const labelAt = (settings: Settings, id: string): string | undefined => {
  const found = labelOf(valueAt(settings.tree, ['dispositions', id])) as Texts
  return found.en ?? found.pl ?? found.ru
}

function Thresholds({ labelId, value, set, leave, readOnly }: ControlProps) {
  const t = useWords(words)
  const given = isRecord(value) ? value : {}
  const rows = [
    ['service_level', 'tService', '75'],
    ['longest_wait', 'tWait', '30s'],
    ['waiting', 'tWaiting', '5'],
  ] as const
  function give(key: string, level: string, text: string) {
    const inner = { ...(isRecord(given[key]) ? (given[key] as Record<string, unknown>) : {}), [level]: text }
    if (!text) delete inner[level]
    const next = { ...given, [key]: inner }
    if (!Object.keys(inner).length) delete next[key]
    set(Object.keys(next).length ? next : null, true)
  }
  return (
    <table className={css.limits} aria-labelledby={labelId}>
      <thead>
        <tr>
          <td />
          <th scope="col">{t('warn')}</th>
          <th scope="col">{t('alarm')}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([key, name, example]) => (
          <tr key={key}>
            <th scope="row">{t(name)}</th>
            {(['warn', 'alarm'] as const).map((level) => (
              <td key={level}>
                <TextInput
                  aria-label={`${t(name)}: ${t(level)}`}
                  value={String((given[key] as Record<string, unknown> | undefined)?.[level] ?? '')}
                  placeholder={level === 'warn' ? example : ''}
                  readOnly={readOnly}
                  spellCheck={false}
                  onChange={(event) => give(key, level, event.currentTarget.value.trim())}
                  onBlur={leave}
                />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Register(props: ControlProps) {
  const { labelId, value, set, leave, readOnly } = props
  const t = useWords(words)
  const language = useLanguage()
  const on = isRecord(value)
  const given = on ? value : {}
  const base = useId()
  const give = (key: string, text: unknown) => {
    const next = { ...given, [key]: text }
    if (text === null || text === '') delete next[key]
    set(next, true)
  }
  return (
    <div role="group" aria-labelledby={labelId} className={css.stack}>
      <Switch
        checked={on}
        disabled={readOnly}
        label={t('useAccount')}
        onChange={(event) => set(event.currentTarget.checked ? {} : null)}
      />
      {on &&
        (['user', 'password', 'registrar', 'domain', 'expires'] as const).map((key) => (
          <div key={key} className={css.sub}>
            <label htmlFor={`${base}-${key}`}>
              {fieldSay(language, `register.${key}`)}
              {(key === 'user' || key === 'password') && ' *'}
            </label>
            {key === 'password' ? (
              <Secret
                {...props}
                id={`${base}-${key}`}
                value={given.password ?? null}
                set={(next) => give('password', next)}
              />
            ) : (
              <TextInput
                id={`${base}-${key}`}
                value={String(given[key] ?? '')}
                placeholder={{ user: '48221234567', registrar: 'sip.example:5060', domain: '', expires: '10m' }[key]}
                readOnly={readOnly}
                spellCheck={false}
                onChange={(event) => give(key, event.currentTarget.value)}
                onBlur={leave}
              />
            )}
          </div>
        ))}
    </div>
  )
}
