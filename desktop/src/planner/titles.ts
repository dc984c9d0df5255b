/** Titles of the planner's pages; apart, as every page's rail has them and few have the other sentences. */
import type { Sentence } from '../i18n/index'

export const titles = {
  plans: ['Plans', 'Plany', 'Планы'],
  today: ['Plan and day', 'Plan i dzień', 'План и день'],
  people: ['People and rules', 'Ludzie i zasady', 'Люди и правила'],
} satisfies Record<string, Sentence>
