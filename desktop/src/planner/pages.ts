import { may } from '../api/session'
import type { Page } from '../app/pages'
import { titles } from './titles'

const sees: Page['for'] = (me) => may(me, 'plans')

export const pages: Page[] = [
  {
    path: '/plans/*',
    title: titles.plans,
    icon: 'day',
    rail: true,
    for: sees,
    words: 'planning schedule roster forecast grafik planowanie prognoza график планирование прогноз',
    load: () => import('./Plans'),
  },
  {
    path: '/planning/today',
    title: titles.today,
    icon: 'day',
    for: sees,
    words: 'adherence intraday advice requests wnioski dzień porady заявки сегодня советы',
    load: () => import('./Today'),
  },
  {
    path: '/planning/people',
    title: titles.people,
    icon: 'people',
    for: sees,
    words: 'contracts shifts hours rules costs umowy zmiany godziny zasady договоры смены часы правила',
    load: () => import('./People'),
  },
]
