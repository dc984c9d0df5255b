/** The part of ICU MessageFormat that our sentences use: {name}, {n, plural, …}, {x, select, …}, # and '{'. */
export type Values = Record<string, string | number | null | undefined>

type Node =
  | string
  | { name: string }
  | { number: true }
  | { name: string; kind: 'plural' | 'select'; cases: Map<string, Node[]> }

const parsed = new Map<string, Node[]>()

export function parse(text: string): Node[] {
  const known = parsed.get(text)
  if (known) return known
  let at = 0
  const fail = (why: string): never => {
    throw new Error(`${why} at ${at} of "${text}"`)
  }
  const space = () => {
    while (/\s/.test(text[at] ?? '')) at++
  }
  const word = () => {
    space()
    const found = /^[\w=]+/.exec(text.slice(at))?.[0] ?? fail('a name is missing')
    at += found.length
    space()
    return found
  }
  const nodes = (inPlural: boolean, nested: boolean): Node[] => {
    const found: Node[] = []
    let run = ''
    const flush = () => {
      if (run) found.push(run)
      run = ''
    }
    while (at < text.length) {
      const one = text[at]!
      if (one === "'" && (text[at + 1] === '{' || text[at + 1] === '}')) {
        run += text[at + 1]
        at += text[at + 2] === "'" ? 3 : 2
      } else if (one === '{') {
        flush()
        at++
        const name = word()
        if (text[at] === '}') {
          at++
          found.push({ name })
          continue
        }
        if (text[at++] !== ',') fail('a comma is missing')
        const kind = word()
        if (kind !== 'plural' && kind !== 'select') return fail(`"${kind}" is unknown`)
        if (text[at++] !== ',') fail('a comma is missing')
        const cases = new Map<string, Node[]>()
        space()
        while (text[at] !== '}') {
          const label = word()
          if (text[at++] !== '{') fail('a brace is missing')
          cases.set(label, nodes(kind === 'plural' || inPlural, true))
          at++
          space()
          if (at >= text.length) fail('a brace is missing')
        }
        at++
        if (!cases.has('other')) fail('"other" is missing')
        found.push({ name, kind, cases })
      } else if (one === '}') {
        if (!nested) fail('a brace too many')
        flush()
        return found
      } else if (one === '#' && inPlural) {
        flush()
        found.push({ number: true })
        at++
      } else {
        run += one
        at++
      }
    }
    if (nested) fail('a brace is missing')
    flush()
    return found
  }
  const made = nodes(false, false)
  parsed.set(text, made)
  return made
}

const rules = new Map<string, Intl.PluralRules>()
const numbers = new Map<string, Intl.NumberFormat>()

export function pluralOf(language: string, n: number): string {
  let found = rules.get(language)
  if (!found) rules.set(language, (found = new Intl.PluralRules(language)))
  return found.select(n)
}

export function numberIn(language: string, n: number): string {
  let found = numbers.get(language)
  if (!found) numbers.set(language, (found = new Intl.NumberFormat(language, { maximumFractionDigits: 1 })))
  return found.format(n)
}

export function render(language: string, text: string, values: Values = {}): string {
  const say = (nodes: Node[], n: number | null): string => {
    let out = ''
    for (const node of nodes) {
      if (typeof node === 'string') out += node
      else if ('number' in node) out += n === null ? '' : numberIn(language, n)
      else if ('kind' in node) {
        const value = values[node.name]
        if (node.kind === 'plural') {
          const count = Number(value ?? 0)
          const chosen =
            node.cases.get(`=${count}`) ?? node.cases.get(pluralOf(language, count)) ?? node.cases.get('other')!
          out += say(chosen, count)
        } else out += say(node.cases.get(String(value)) ?? node.cases.get('other')!, n)
      } else {
        const value = values[node.name]
        out += typeof value === 'number' ? numberIn(language, value) : (value ?? '')
      }
    }
    return out
  }
  return say(parse(text), null)
}

/** The names that a sentence takes, and which of them are counted: for the test that all three languages agree. */
export function holes(text: string): { names: Set<string>; plurals: Map<string, Set<string>> } {
  const names = new Set<string>()
  const plurals = new Map<string, Set<string>>()
  const walk = (nodes: Node[]) => {
    for (const node of nodes) {
      if (typeof node === 'string' || 'number' in node) continue
      names.add(node.name)
      if ('kind' in node) {
        if (node.kind === 'plural') plurals.set(node.name, new Set(node.cases.keys()))
        for (const inner of node.cases.values()) walk(inner)
      }
    }
  }
  walk(parse(text))
  return { names, plurals }
}
