/** Settings as a tree, and what was changed of it here and isn't saved yet: pure functions. */

export type Path = readonly string[]
export type Tree = Record<string, unknown>
export interface Edit {
  path: Path
  /** As in the file; null takes the key away. */
  value: unknown
}
/** By `keyOf(path)`. */
export type Edits = Readonly<Record<string, Edit>>

export const THINGS = ['trunks', 'clients', 'agents', 'queues', 'teams', 'calendars'] as const
export const VALUES = ['numbers', 'reasons', 'dispositions'] as const
export type Table = (typeof THINGS)[number] | (typeof VALUES)[number]

export const keyOf = (path: Path): string => JSON.stringify(path)

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)

export function valueAt(tree: unknown, path: Path): unknown {
  let found: unknown = tree
  for (const name of path) {
    if (!isTree(found) || !Object.hasOwn(found, name)) return undefined
    found = found[name]
  }
  return found
}

/** The tree with a key set, or gone where the value is null; the rest is shared. */
export function changed(tree: Tree, path: Path, value: unknown): Tree {
  const [name, ...rest] = path
  if (name === undefined) return tree
  const next = { ...tree }
  if (rest.length) {
    const inner = next[name]
    if (!isTree(inner) && value === null) return tree
    next[name] = changed(isTree(inner) ? inner : {}, rest, value)
  } else if (value === null) delete next[name]
  else next[name] = value
  return next
}

/** Things before their keys, whatever was typed first. */
export const ordered = (edits: Edits): Edit[] => Object.values(edits).sort((a, b) => a.path.length - b.path.length)

export const applied = (tree: Tree, edits: Edits): Tree =>
  ordered(edits).reduce((now, one) => changed(now, one.path, one.value), tree)

export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, index) => same(one, b[index]))
  if (isTree(a) && isTree(b)) {
    const names = Object.keys(a)
    return (
      names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]))
    )
  }
  // A number and its text mean the same: the centre tells what stands in the file as it was written.
  return isScalar(a) && isScalar(b) && String(a) === String(b)
}

const isScalar = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value)

const below = (path: Path, base: Path): boolean =>
  path.length > base.length && base.every((name, index) => path[index] === name)

/** What was typed means the same as what is saved: then it is no change. */
function asSaved(saved: unknown, value: unknown): boolean {
  if (saved === undefined || saved === null) return value === null
  if (same(saved, value)) return true
  return (
    typeof saved !== 'object' && typeof value !== 'object' && saved !== '***' && String(saved) === String(value ?? '')
  )
}

/** The edits with one more. What equals the saved tree is no edit. */
export function withEdit(saved: Tree, edits: Edits, path: Path, value: unknown): Edits {
  const next: Record<string, Edit> = { ...edits }
  const key = keyOf(path)
  const things = path.length === 2 && (THINGS as readonly string[]).includes(path[0]!)
  if (things) for (const [name, one] of Object.entries(next)) if (below(one.path, path)) delete next[name]
  delete next[key]
  const thing = path.length === 3 ? next[keyOf(path.slice(0, 2))] : undefined
  // A thing that is made anew here has nothing saved below it.
  const base = thing ? undefined : valueAt(saved, path)
  if (!asSaved(base, value)) next[key] = { path, value }
  return next
}

/** Without one edit and what stands below it. */
export function withoutEdit(edits: Edits, path: Path): Edits {
  const next: Record<string, Edit> = {}
  for (const [name, one] of Object.entries(edits)) {
    if (name !== keyOf(path) && !below(one.path, path)) next[name] = one
  }
  return next
}

/** Takes a thing away, and from the lists that name it. Places that lead to it stay: those need a decision. */
export function withoutThing(tree: Tree, table: Table, id: string): Edit[] {
  const edits: Edit[] = []
  const fromList = (path: Path) => {
    const list = valueAt(tree, path)
    if (Array.isArray(list) && list.includes(id)) edits.push({ path, value: list.filter((one) => one !== id) })
  }
  if (table === 'agents') {
    for (const queue of ids(tree, 'queues')) fromList(['queues', queue, 'agents'])
    for (const team of ids(tree, 'teams')) {
      fromList(['teams', team, 'agents'])
      if (valueAt(tree, ['teams', team, 'leader']) === id) edits.push({ path: ['teams', team, 'leader'], value: null })
    }
  }
  if (table === 'dispositions') {
    for (const queue of ids(tree, 'queues')) {
      fromList(['queues', queue, 'dispositions'])
    }
  }
  if (table === 'clients') {
    for (const queue of ids(tree, 'queues'))
      if (valueAt(tree, ['queues', queue, 'client']) === id)
        edits.push({ path: ['queues', queue, 'client'], value: null })
  }
  if (table === 'queues') {
    for (const number of ids(tree, 'numbers')) {
      if (valueAt(tree, ['numbers', number, 'queue']) === id) edits.push({ path: ['numbers', number], value: null })
    }
  }
  edits.push({ path: [table, id], value: null })
  return edits
}

export const ids = (tree: Tree, table: Table): string[] => {
  const found = tree[table]
  return isTree(found) ? Object.keys(found) : []
}

export const thing = (tree: Tree, table: Table, id: string): Tree => {
  const found = valueAt(tree, [table, id])
  return isTree(found) ? found : {}
}

export const nameOf = (tree: Tree, table: Table, id: string): string => {
  const found = thing(tree, table, id).name
  return typeof found === 'string' && found ? found : id
}

export const expertsOf = (tree: Tree): Tree => (isTree(tree.experts) ? tree.experts : {})

export function expertName(tree: Tree, id: string): string {
  const found = valueAt(tree, ['experts', id, 'name'])
  return typeof found === 'string' && found ? found : id
}

/** Seconds of "15s", "1h30m", "500ms" or a plain number; null for what is no duration. */
export function seconds(text: string): number | null {
  const plain = text.trim()
  if (/^\d{1,9}(\.\d{1,9})?$/.test(plain)) return Number(plain)
  const n = String.raw`(\d{1,9}(?:\.\d{1,9})?)`
  const found = new RegExp(`^(?:${n}h)? ?(?:${n}m)? ?(?:${n}s)? ?(?:${n}ms)?$`).exec(plain)
  if (!found?.slice(1).some(Boolean)) return null
  const [h, m, s, ms] = found.slice(1).map((one) => Number(one ?? 0))
  return h! * 3600 + m! * 60 + s! + ms! / 1000
}

/** 90 → "1m30s": as it is written in the file. */
export function duration(value: number): string {
  if (value === 0) return '0s'
  const h = Math.floor(value / 3600)
  const m = Math.floor((value % 3600) / 60)
  const s = Math.round((value % 60) * 1000) / 1000
  return `${h ? `${h}h` : ''}${m ? `${m}m` : ''}${s ? `${s}s` : ''}`
}

/** Who may serve a queue: as the centre reckons it. */
export function serving(tree: Tree, queue: Tree): string[] {
  const listed = queue.agents
  const who = Array.isArray(listed) ? (listed as string[]) : ids(tree, 'agents')
  const needs = isTree(queue.needs) ? queue.needs : {}
  return who.filter((id) => {
    if (valueAt(tree, ['agents', id]) === undefined) return false
    const skills = thing(tree, 'agents', id).skills
    return Object.entries(needs).every(([skill, level]) => Number(isTree(skills) ? skills[skill] : 0) >= Number(level))
  })
}

/** Numbers that lead to a queue, or to an agent. */
export const numbersOf = (tree: Tree, kind: 'queue' | 'agent', id: string): string[] =>
  ids(tree, 'numbers').filter((number) => valueAt(tree, ['numbers', number, kind]) === id)

export type Texts = { en?: string; pl?: string; ru?: string }

/** A label of the file, however it was written: `Lunch`, `{en: …}`, `{label: …, limit: …}`. */
export function labelOf(value: unknown): Texts {
  if (typeof value === 'string') return { en: value, pl: value, ru: value }
  if (!isTree(value)) return {}
  return 'label' in value ? labelOf(value.label) : (value as Texts)
}

/** An id from a name: "Claims, evening" → "claims-evening". */
export function idFrom(name: string, taken: readonly string[]): string {
  const base =
    transliterated(name.toLowerCase())
      .normalize('NFD')
      .replace(/[\u0300-\u036f]/g, '')
      .replace(/ł/g, 'l')
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 40) || 'new'
  let id = base
  for (let n = 2; taken.includes(id); n++) id = `${base}-${n}`
  return id
}

const CYRILLIC: Record<string, string> = Object.fromEntries(
  'а=a б=b в=v г=g д=d е=e ё=e ж=zh з=z и=i й=y к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f х=kh ц=ts ч=ch ш=sh щ=shch ъ= ы=y ь= э=e ю=yu я=ya'
    .split(' ')
    .map((one) => one.split('=') as [string, string]),
)
const transliterated = (text: string): string => text.replace(/[а-яё]/g, (one) => CYRILLIC[one] ?? one)

export const isSecret = (path: Path): boolean =>
  (path.length === 3 && path[0] === 'agents' && path[2] === 'sip_password') ||
  (path[0] === 'trunks' && path[2] === 'register') ||
  path[0] === 'mail'
