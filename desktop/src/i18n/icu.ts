/** ICU MessageFormat by FormatJS: each sentence is compiled when it is first said, and kept. */
import { type MessageFormatElement, parse as parseIcu, TYPE } from '@formatjs/icu-messageformat-parser'
import { IntlMessageFormat } from 'intl-messageformat'

export type Values = Record<string, string | number | boolean | null | undefined>

interface Compiled {
  message: IntlMessageFormat
  names: readonly string[]
  counted: ReadonlySet<string>
}

const compiled = new Map<string, Compiled>()
const numbers = new Map<string, Intl.NumberFormat>()

/** Throws SyntaxError with the place for a sentence that isn't ICU. */
export function parse(text: string): MessageFormatElement[] {
  return parseIcu(text, { ignoreTag: true })
}

export function numberIn(language: string, n: number): string {
  let found = numbers.get(language)
  if (!found) numbers.set(language, (found = new Intl.NumberFormat(language, { maximumFractionDigits: 1 })))
  return found.format(n)
}

export function render(language: string, text: string, values: Values = {}): string {
  if (!text.includes('{') && !text.includes("'")) return text
  const key = `${language}|${text}`
  let one = compiled.get(key)
  if (!one) {
    const ast = parse(text)
    const { names, plurals } = holes(ast)
    const message = new IntlMessageFormat(ast, language, undefined, { ignoreTag: true })
    compiled.set(key, (one = { message, names: [...names], counted: new Set(plurals.keys()) }))
  }
  const given: Record<string, string | number> = {}
  for (const name of one.names) {
    const value = values[name]
    // A value that isn't there leaves a gap, never an exception in the middle of a call.
    if (one.counted.has(name)) given[name] = Number(value ?? 0)
    else given[name] = typeof value === 'number' ? numberIn(language, value) : String(value ?? '')
  }
  return String(one.message.format(given))
}

/** The names that a sentence takes, and the cases of those that are counted. */
export function holes(sentence: string | MessageFormatElement[]): {
  names: Set<string>
  plurals: Map<string, Set<string>>
} {
  const names = new Set<string>()
  const plurals = new Map<string, Set<string>>()
  const walk = (elements: MessageFormatElement[]) => {
    for (const one of elements) {
      if (one.type === TYPE.literal || one.type === TYPE.pound) continue
      names.add(one.value)
      if (one.type === TYPE.plural) plurals.set(one.value, new Set(Object.keys(one.options)))
      if (one.type === TYPE.plural || one.type === TYPE.select)
        for (const way of Object.values(one.options)) walk(way.value)
    }
  }
  walk(typeof sentence === 'string' ? parse(sentence) : sentence)
  return { names, plurals }
}
