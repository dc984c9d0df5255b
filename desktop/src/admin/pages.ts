import { may } from '../api/session'
import { finders } from '../app/finders'
import type { Page } from '../app/pages'
import { say } from '../i18n'
import { titles } from './titles'

export const pages: Page[] = [
  {
    path: '/settings/*',
    title: titles.settings,
    icon: 'settings',
    rail: true,
    for: (me) => may(me, 'settings') || may(me, 'users'),
    words: 'administration users queues numbers agents użytkownicy kolejki numery пользователи очереди номера',
    load: () => import('./Settings'),
  },
  {
    path: '/audit',
    title: titles.audit,
    icon: 'audit',
    rail: true,
    for: (me) => may(me, 'audit') && me.scopes.includes('tenant'),
    words: 'log history dziennik historia журнал история',
    load: () => import('./Audit'),
  },
]

const SECTIONS = [
  'users',
  'agents',
  'teams',
  'queues',
  'numbers',
  'tiers',
  'calendars',
  'sounds',
  'trunks',
  'reasons',
  'dispositions',
  'house',
  'clients',
  'history',
] as const

finders.push(async (text, me) => {
  if (!may(me, 'settings')) return []
  const { words } = await import('./words')
  const wanted = text.trim().toLowerCase()
  return SECTIONS.filter((one) => `${say(words[one])} ${one}`.toLowerCase().includes(wanted)).map((one) => ({
    id: `settings/${one}`,
    name: say(words[one]),
    note: say(titles.settings),
    icon: 'settings' as const,
    go: `/settings/${one}`,
  }))
})
