import { api } from '../api/client'
import { may } from '../api/session'
import { finders } from '../app/finders'
import type { Page } from '../app/pages'
import { say } from '../i18n'
import { titles } from './titles'

const sees: Page['for'] = (me) => (may(me, 'settings') || may(me, 'steer')) && me.scopes.includes('tenant')

export const pages: Page[] = [
  {
    path: '/flows/*',
    title: titles.flows,
    icon: 'flow',
    rail: true,
    for: sees,
    words: 'ivr voice menu menu głosowe scenariusz голосовое меню сценарий',
    load: () => import('./Flows'),
  },
]

finders.push(async (text, me, signal) => {
  if (!sees(me)) return []
  const { items } = await api.get<{ items: { id: string; name: string }[] }>('/flows', {}, { signal })
  const wanted = text.toLowerCase()
  return items
    .filter((one) => `${one.name} ${one.id}`.toLowerCase().includes(wanted))
    .slice(0, 8)
    .map((one) => ({
      id: `flows/${one.id}`,
      name: one.name || one.id,
      note: say(titles.flows),
      icon: 'flow' as const,
      go: `/flows/${encodeURIComponent(one.id)}`,
    }))
})
