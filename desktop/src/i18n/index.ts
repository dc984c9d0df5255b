/**
 * Sentences in three languages, side by side: a missing one doesn't compile.
 *
 *     export const words = sentences({ waiting: ['{n, plural, one {# call} other {# calls}}', '…', '…'] })
 *     const t = useWords(words); t('waiting', { n: 3 })
 */
import { create } from 'zustand'
import { render, type Values } from './icu'

export type { Values } from './icu'

export const LANGUAGES = ['en', 'pl', 'ru'] as const
export type Language = (typeof LANGUAGES)[number]
export const LANGUAGE_NAMES: Record<Language, string> = { en: 'English', pl: 'Polski', ru: 'Русский' }

/** English, Polish, Russian. */
export type Sentence = readonly [en: string, pl: string, ru: string]
export type Catalogue = Record<string, Sentence>

const known: Catalogue[] = []

export function sentences<const T extends Catalogue>(all: T): T {
  known.push(all)
  return all
}

/** All catalogues imported so far: for tests. */
export const catalogues = (): readonly Catalogue[] => known

const STORED = 'centrala.language'

function first(): Language {
  const chosen = read(STORED)
  const wanted = chosen ? [chosen] : navigator.languages
  for (const one of wanted) {
    const found = LANGUAGES.find((language) => one.toLowerCase().startsWith(language))
    if (found) return found
  }
  return 'en'
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

export const useLanguageStore = create<{ language: Language }>(() => ({
  language: typeof navigator === 'undefined' ? 'en' : first(),
}))

export function setLanguage(language: Language): void {
  try {
    localStorage.setItem(STORED, language)
  } catch {
    // A browser that keeps nothing: it holds for this page.
  }
  useLanguageStore.setState({ language })
}

export const useLanguage = (): Language => useLanguageStore((one) => one.language)
export const language = (): Language => useLanguageStore.getState().language

/** One sentence in one language. */
export function say(sentence: Sentence, values?: Values, inLanguage: Language = language()): string {
  return render(inLanguage, sentence[LANGUAGES.indexOf(inLanguage)]!, values)
}

export type Words<T extends Catalogue> = (key: keyof T, values?: Values) => string

/** The catalogue's sentences in the language of the page; renders again when that changes. */
export function useWords<T extends Catalogue>(all: T): Words<T> {
  const now = useLanguage()
  return (key, values) => say(all[key]!, values, now)
}

export function useSay(): (sentence: Sentence, values?: Values) => string {
  const now = useLanguage()
  return (sentence, values) => say(sentence, values, now)
}
