/** Every sentence in every catalogue: three languages that take the same values and count as their grammar does. */
import { describe, expect, it } from 'vitest'
import { holes, parse } from './icu'
import type { Sentence } from './index'
import { catalogues, LANGUAGES, sentences } from './index'

// Whatever defines sentences is imported, so that none is forgotten.
const modules = import.meta.glob(['../**/*.{ts,tsx}', '!../**/*.test.*', '!../main.tsx'], { eager: true })

const NEEDED = { en: ['one', 'other'], pl: ['one', 'few', 'many', 'other'], ru: ['one', 'few', 'many', 'other'] }

function problems(name: string, sentence: Sentence): string[] {
  const found: string[] = []
  const english = holes(sentence[0])
  LANGUAGES.forEach((language, index) => {
    const text = sentence[index]
    if (!text?.trim()) {
      found.push(`${name}: ${language} is missing`)
      return
    }
    try {
      parse(text)
    } catch (problem) {
      found.push(`${name}: ${language}: ${problem}`)
      return
    }
    const own = holes(text)
    for (const one of own.names)
      if (!english.names.has(one)) found.push(`${name}: ${language} takes {${one}}, English doesn't`)
    for (const one of english.names) if (!own.names.has(one)) found.push(`${name}: ${language} leaves out {${one}}`)
    for (const [one, cases] of own.plurals) {
      for (const needed of NEEDED[language])
        if (!cases.has(needed)) found.push(`${name}: ${language} {${one}} has no "${needed}"`)
    }
    if (language === 'ru' && /[А-Яа-яё]/.test(sentence[0])) found.push(`${name}: English has Cyrillic`)
  })
  return found
}

describe('catalogues', () => {
  it('are all there', () => {
    expect(Object.keys(modules).length).toBeGreaterThan(20)
    expect(catalogues().length).toBeGreaterThan(5)
  })
  it('hold every sentence in three languages, with the same values', () => {
    const found = catalogues().flatMap((all) => Object.entries(all).flatMap(([name, one]) => problems(name, one)))
    expect(found).toEqual([])
  })
  it('would fail for a missing sentence, a missing value and a missing plural form', () => {
    expect(problems('a', ['x', '', 'y'])).toHaveLength(1)
    expect(problems('a', ['{n} x', 'x', '{n} y'])).toHaveLength(1)
    expect(problems('a', ['x', 'x', '{n, plural, one {a} other {b}}']).length).toBeGreaterThan(1)
    sentences({})
  })
})
