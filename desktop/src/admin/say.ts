/** Paths and values of the settings in words. */
import type { Language } from '../i18n'
import { labelOf, nameOf, type Path, type Tree, thing } from './draft'
import { fieldSay } from './fields'

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
    return value.map(String).join(', ') || '–'
  }
  if (typeof value === 'object') {
    const entries = Object.entries(value)
    if (!entries.length) return path.length === 2 ? '' : '–'
    return entries
      .map(([name, one]) => `${name} ${typeof one === 'object' && one !== null ? flat(one) : String(one)}`)
      .join(', ')
  }
  if (key === 'client') return nameOf(tree, 'clients', String(value))
  if (key === 'leader') return nameOf(tree, 'agents', String(value))
  if (key === 'strategy') return fieldSay(language, String(value), {}, String(value))
  return String(value)
}

const flat = (value: object): string =>
  Array.isArray(value)
    ? value.map(String).join(' + ')
    : Object.entries(value)
        .map(([name, one]) => `${name} ${String(one)}`)
        .join(' ')

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

/** Where in the settings a key can be changed. */
export function placeOf(dotted: string, tree: Tree): string {
  const [table = ''] = dotted.split('.')
  const rest = dotted.slice(table.length + 1)
  if (['queues', 'agents', 'teams', 'clients', 'trunks'].includes(table)) {
    const all = Object.keys((tree[table] as Tree | undefined) ?? {})
    // Ids may have dots in them: the longest that fits.
    const id = all.filter((one) => rest === one || rest.startsWith(`${one}.`)).sort((a, b) => b.length - a.length)[0]
    if (!id) return `/settings/${table}`
    const key = /^[a-z_]+/.exec(rest.slice(id.length + 1))?.[0]
    return `/settings/${table}/${encodeURIComponent(id)}${key ? `#${key}` : ''}`
  }
  if (table === 'flows') return `/flows/${encodeURIComponent(rest.split('.')[0] ?? '')}`
  if (['numbers', 'reasons', 'dispositions'].includes(table)) return `/settings/${table}`
  return `/settings/house${table ? `#${table}` : ''}`
}
