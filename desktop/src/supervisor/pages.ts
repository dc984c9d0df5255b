import { may } from '../api/session'
import type { Page } from '../app/pages'
import { titles } from './titles'

const queues: Page['for'] = (me) => may(me, 'queues')

export const pages: Page[] = [
  {
    path: '/wallboard',
    title: titles.wallboard,
    icon: 'wallboard',
    rail: true,
    for: queues,
    words: 'board queues kolejki tablica табло очереди',
    load: () => import('./Wallboard'),
  },
  {
    path: '/wall',
    title: titles.wall,
    icon: 'full',
    frame: 'bare',
    for: queues,
    words: 'tv screen ekran экран',
    load: () => import('./Wall'),
  },
  {
    path: '/floor/*',
    title: titles.floor,
    icon: 'floor',
    rail: true,
    for: (me) => may(me, 'agents'),
    words: 'agents people konsultanci ludzie операторы listen whisper barge odsłuch прослушивание',
    load: () => import('./Floor'),
  },
  {
    path: '/queues/*',
    title: titles.queue,
    icon: 'queue',
    rail: true,
    for: queues,
    words: 'waiting czeka очередь ждут',
    load: () => import('./Queue'),
  },
  {
    path: '/alarms',
    title: titles.alarms,
    icon: 'alarms',
    rail: true,
    for: queues,
    words: 'thresholds progi тревоги пороги',
    load: () => import('./Alarms'),
  },
]
