/** The keys of one thing, in groups: what each is called here and in the file, what it does, where it comes from. */
import { useEffect, useId, useRef, useState } from 'react'
import { useLanguage, useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Icon } from '../ui'
import css from './admin.module.css'
import { Control } from './controls'
import { duration, valueAt } from './draft'
import { type Field, FORMS, type FormName, fieldSay, wrong } from './fields'
import { DIGITS } from './Keys'
import { mappingOf, PARTS } from './mappings'
import { FieldProblem, useSettings } from './parts'
import { check } from './store'
import { words } from './words'

const DEFAULTS: Record<string, string> = { queues: 'queue', agents: 'agent', trunks: 'trunk', tenant: 'tenant' }
/** What happens to a call where no destination is given. */
const OTHERWISE: Record<string, string> = { when_full: 'busy' }

export function Form({ table, id }: { table: FormName; id: string }) {
  const language = useLanguage()
  const form = useRef<HTMLDivElement>(null)
  // A link to one key puts the focus there.
  useEffect(() => {
    const key = decodeURIComponent(location.hash.slice(1))
    if (!key) return
    const row = form.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)
    row?.scrollIntoView({ block: 'center' })
    row?.querySelector<HTMLElement>('input, select, textarea, button')?.focus()
  }, [])
  return (
    <div ref={form}>
      {FORMS[table].map((group) => (
        <section key={group.title} className={css.group}>
          <h2>{fieldSay(language, group.title)}</h2>
          {group.fields.map((field) => (
            <Row key={field.key} table={table} id={id} field={field} />
          ))}
        </section>
      ))}
    </div>
  )
}

export function useUsual() {
  const { shown } = useSettings()
  const language = useLanguage()
  const t = useWords(words)
  const s = useWords(shared)
  return (table: string, field: Field): string => {
    const found = (shown.defaults[DEFAULTS[table] ?? ''] as Record<string, unknown> | undefined)?.[field.key]
    if (field.key in OTHERWISE) return fieldSay(language, OTHERWISE[field.key]!)
    if (field.kind === 'destination') return field.key === 'when_no_agents' ? s('wait') : t('none')
    if (found === null || found === undefined) return ''
    if (field.kind === 'duration') return duration(Number(found))
    if (field.kind === 'choice') return fieldSay(language, String(found), {}, String(found))
    if (field.kind === 'flag' || typeof found === 'object') return ''
    return String(found)
  }
}

/** Whether the control itself tells what is wrong there. */
function toldInside(table: string, field: Field, below: string): boolean {
  if (field.kind === 'stages') return below.startsWith('[')
  const parts = field.kind === 'mapping' ? (PARTS[mappingOf(table, field.key)] ?? []).map((one) => one.key) : []
  const names = field.kind === 'keys' ? DIGITS : parts
  return names.some((name) => below === `.${name}` || below.startsWith(`.${name}.`) || below.startsWith(`.${name}[`))
}

export function Row({ table, id, field }: { table: FormName; id: string; field: Field }) {
  const settings = useSettings()
  const t = useWords(words)
  const language = useLanguage()
  const usualOf = useUsual()
  const base = useId()
  const path = table === 'tenant' ? [field.key] : [table, id, field.key]
  const value = field.virtual ? undefined : (valueAt(settings.tree, path) ?? null)
  const line = field.virtual ? null : settings.fileLine(path)
  const [left, setLeft] = useState(() => settings.edited(path))
  const own = left ? wrong(field, value) : null
  const said = own ? null : settings.problem(path, (below) => !toldInside(table, field, below))
  const text = own ? fieldSay(language, own.key, own.values) : said
  const usual = usualOf(table, field)
  const edited = !field.virtual && settings.edited(path) && value !== null
  const help = fieldSay(language, `${table}.${field.key}?`, {
    zone: String(valueAt(settings.tree, ['timezone']) ?? 'UTC'),
    aor: `sip:${id}@${String(valueAt(settings.tree, ['domain']) ?? '')}`,
  })
  function leave() {
    setLeft(true)
    void check()
  }
  const simple = ['text', 'duration', 'integer', 'serviceLevel', 'sip', 'address', 'network', 'country'].includes(
    field.kind,
  )
  const labelled = simple || ['choice', 'client', 'agent', 'zone', 'sound', 'secret', 'flag'].includes(field.kind)
  return (
    <div className={css.row} data-key={field.key} data-edited={edited || undefined}>
      <div className={css.what}>
        <div className={css.label}>
          {labelled ? (
            <label id={`${base}-label`} htmlFor={`${base}-field`}>
              {fieldSay(language, `${table}.${field.key}`)}
            </label>
          ) : (
            <span id={`${base}-label`}>{fieldSay(language, `${table}.${field.key}`)}</span>
          )}
          {!field.virtual && <code>{field.key}</code>}
        </div>
        <p className={css.hint} id={`${base}-help`}>
          {help}
        </p>
      </div>
      <div className={css.control}>
        <Control
          field={field}
          id={`${base}-field`}
          labelId={`${base}-label`}
          describedBy={`${base}-help ${base}-wrong`}
          value={value}
          set={(next, typing) => {
            settings.set(path, next)
            if (!typing) leave()
          }}
          leave={leave}
          readOnly={line !== null}
          bad={text !== null}
          usual={usual}
          table={table}
          thing={id}
          settings={settings}
        />
        {line !== null && (
          <p className={css.source}>
            <Icon name="note" size={14} />
            {t('inFile', { file: settings.shown.file, line })}
          </p>
        )}
        <FieldProblem id={`${base}-wrong`} text={text} foreign={said !== null} />
        {line === null && value !== null && usual && simple && (
          <p className={css.hint}>
            {t('default', { value: usual })}{' '}
            <button
              type="button"
              className={css.quiet}
              onClick={() => {
                settings.set(path, null)
                leave()
              }}
            >
              {t('reset')}
            </button>
          </p>
        )}
      </div>
    </div>
  )
}
