/** Paths and values of the settings in words. */
import type { Language } from '../i18n'
import { expertName, labelOf, nameOf, type Path, type Tree, thing } from './draft'
import { fieldSay } from './fields'
import { mappingOf } from './mappings'

type Say = (key: string) => string

export function destinationText(language: Language, tree: Tree, value: unknown): string {
  if (typeof value !== 'object' || value === null) return ''
  const all = value as Record<string, unknown>
  const kind = 'kind' in all ? String(all.kind) : (Object.keys(all).find((one) => one !== 'record') ?? '')
  const target = String('kind' in all ? all.target : all[kind])
  const name =
    kind === 'queue'
      ? nameOf(tree, 'queues', target)
      : kind === 'agent'
        ? nameOf(tree, 'agents', target)
        : kind === 'expert'
          ? expertName(tree, target)
          : kind === 'hang_up'
            ? fieldSay(language, target, {}, target)
            : target
  return `${fieldSay(language, `to.${kind}`, {}, kind)}: ${name}`
}

/** A value as people say it; the file's own way where there is none. */
export function valueText(language: Language, tree: Tree, path: Path, value: unknown, t: Say): string {
  if (value === null || value === undefined) return '–'
  if (value === true) return t('yes')
  if (value === false) return t('no')
  const key = path[path.length - 1] ?? ''
  if (path[0] === 'numbers' || key.startsWith('when_') || key === 'after_max_wait' || key === 'escalate') {
    const text = destinationText(language, tree, value)
    const record = (value as Record<string, unknown>).record === true
    return record ? `${text} ●` : text
  }
  if (path[0] === 'reasons' || path[0] === 'dispositions') {
    const label = labelOf(value)
    const limit = (value as Record<string, unknown>).limit
    return `${label[language] ?? label.en ?? ''}${limit ? `, ${String(limit)}` : ''}`
  }
  if (Array.isArray(value)) {
    if (key === 'agents') return value.map((one) => nameOf(tree, 'agents', String(one))).join(', ') || '–'
    if (key === 'dispositions') {
      return value.map((one) => labelOf(thing(tree, 'dispositions', String(one)))[language] ?? String(one)).join(', ')
    }
    if (key === 'widen') return value.map((one) => stageText(language, tree, one)).join('; ') || '–'
    return value.map((one) => flat(language, one)).join(', ') || '–'
  }
  if (typeof value === 'object') {
    const entries = Object.entries(value)
    if (!entries.length) return path.length === 2 ? '' : '–'
    if (path[0] === 'queues' && key === 'keys') {
      return entries.map(([digit, to]) => `${digit} → ${destinationText(language, tree, to)}`).join('; ')
    }
    // Whose words the parts of it are told in.
    const kind = THINGS_OF[key]
    const of = path.length === 1 && kind !== undefined ? '' : mappingOf(path.length === 1 ? 'tenant' : path[0]!, key)
    const said = (name: string, one: unknown): string => {
      if (typeof one === 'boolean' || one === 'true' || one === 'false') return t(String(one) === 'true' ? 'yes' : 'no')
      return path[0] === 'mail' && name === 'password' ? '•••' : flat(language, one, kind ?? name)
    }
    return entries
      .map(([name, one]) => `${of ? fieldSay(language, `${of}.${name}`, {}, name) : name}: ${said(name, one) || '–'}`)
      .join('; ')
  }
  if (key === 'client') return nameOf(tree, 'clients', String(value))
  if (key === 'leader') return nameOf(tree, 'agents', String(value))
  if (key === 'strategy') return fieldSay(language, String(value), {}, String(value))
  return String(value)
}

/** One stage: why it opens, and to whom. */
export function stageText(language: Language, tree: Tree, value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const { needs, queues, calendar, ...causes } = value as Record<string, unknown>
  const why = Object.entries(causes).map(
    ([key, one]) => `${fieldSay(language, `widen.${key}`, {}, key)} ${String(one)}`,
  )
  const skills = Object.entries((needs ?? {}) as object).map(([skill, level]) => `${skill} ≥ ${String(level)}`)
  const names = (Array.isArray(queues) ? queues : queues ? [queues] : []).map((one) =>
    nameOf(tree, 'queues', String(one)),
  )
  const hours = calendar ? ` (${String(calendar)})` : ''
  return `${why.join(' / ')}${hours} → ${[...skills, ...names].join(', ') || '–'}`
}

/** Keys of the house that hold things, and what these are called in the words of their own keys. */
const THINGS_OF: Record<string, string> = { tiers: 'tier', experts: 'expert', escalation_reasons: 'tier' }

/** What stands inside of a value, in one line; a label in the reader's language, keys in the words of `kind`. */
function flat(language: Language, value: unknown, kind = ''): string {
  if (Array.isArray(value)) return value.map((one) => flat(language, one, kind)).join(' + ')
  if (typeof value !== 'object' || value === null) return String(value)
  const entries = Object.entries(value)
  if (entries.length === 1 && 'label' in value) return flat(language, value.label)
  if (entries.length && entries.every(([name]) => name === 'en' || name === 'pl' || name === 'ru')) {
    const label = labelOf(value)
    return label[language] ?? label.en ?? label.pl ?? label.ru ?? ''
  }
  return entries
    .map(([name, one]) => `${fieldSay(language, `${kind}.${name}`, {}, name)} ${flat(language, one)}`)
    .join(', ')
}

/** "Sales: Wrap-up"; a thing by its table and name. */
export function pathText(language: Language, tree: Tree, path: Path, t: Say): { of: string; key: string } {
  const [table, id, key] = path
  if (path.length === 1) return { of: t('house'), key: fieldSay(language, `tenant.${table}`, {}, table) }
  const of = tableName(table!, t)
  const name =
    table === 'numbers'
      ? id!
      : table === 'reasons' || table === 'dispositions'
        ? (labelOf(thing(tree, table, id!))[language] ?? id!)
        : nameOf(tree, table as 'queues', id!)
  if (path.length === 2) return { of, key: name }
  return { of: `${of} · ${name}`, key: fieldSay(language, `${table}.${key}`, {}, key) }
}

export const tableName = (table: string, t: Say): string => t(table)

const OF_TIERS = ['tiers', 'experts', 'escalation_reasons']

/** The section in which a key of the house itself stands. */
export const sectionOf = (key: string): string => (OF_TIERS.includes(key) ? 'tiers' : 'house')

/** Where in the settings a key can be changed. */
export function placeOf(dotted: string, tree: Tree): string {
  const [table = ''] = dotted.split('.')
  const rest = dotted.slice(table.length + 1)
  if (['queues', 'agents', 'teams', 'clients', 'trunks', 'calendars'].includes(table)) {
    const all = Object.keys((tree[table] as Tree | undefined) ?? {})
    // Ids may have dots in them: the longest that fits.
    const id = all.filter((one) => rest === one || rest.startsWith(`${one}.`)).sort((a, b) => b.length - a.length)[0]
    if (!id) return `/settings/${table}`
    const key = /^[a-z_]+/.exec(rest.slice(id.length + 1))?.[0]
    return `/settings/${table}/${encodeURIComponent(id)}${key ? `#${key}` : ''}`
  }
  if (table === 'flows') return `/flows/${encodeURIComponent(rest.split('.')[0] ?? '')}`
  if (['numbers', 'reasons', 'dispositions'].includes(table)) return `/settings/${table}`
  return `/settings/${sectionOf(table)}${table ? `#${table}` : ''}`
}
