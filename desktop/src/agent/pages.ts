import { may } from '../api/session'
import type { Page } from '../app/pages'

const works = (me: Parameters<Page['for']>[0]) => me.agent !== null && may(me, 'desk')

export const pages: Page[] = [
  {
    path: '/work',
    title: ['Work', 'Praca', 'Работа'],
    icon: 'work',
    rail: true,
    frame: 'desk',
    for: works,
    words: 'call połączenie звонок',
    load: () => import('./Work'),
  },
  {
    path: '/day',
    title: ['My day', 'Mój dzień', 'Мой день'],
    icon: 'day',
    rail: true,
    frame: 'desk',
    for: works,
    words: 'figures recordings statystyki nagrania показатели записи',
    load: () => import('./Day'),
  },
  {
    path: '/schedule',
    title: ['My schedule', 'Mój grafik', 'Мой график'],
    icon: 'history',
    rail: true,
    frame: 'desk',
    for: works,
    words: 'roster shifts swap days off zmiany urlop смены отгул',
    load: () => import('./Schedule'),
  },
  {
    path: '/customers/*',
    title: ['Customers', 'Klienci', 'Клиенты'],
    icon: 'customers',
    rail: true,
    frame: 'desk',
    for: (me) => may(me, 'customers') || works(me),
    words: 'card karta карточка',
    load: () => import('../customers/Customers'),
  },
]
