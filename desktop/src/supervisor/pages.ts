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
  {
    path: '/surveys',
    title: titles.surveys,
    icon: 'check',
    rail: true,
    for: queues,
    words: 'nps csat answers odpowiedzi ответы',
    load: () => import('./Surveys'),
  },
  {
    path: '/callbacks',
    title: titles.callbacks,
    icon: 'phone',
    rail: true,
    for: queues,
    words: 'messages abandoned voicemail porzucone wiadomości потерянные сообщения',
    load: () => import('./Owed'),
  },
  {
    path: '/balancing',
    title: titles.balancing,
    icon: 'floor',
    for: (me) => may(me, 'steer'),
    words: 'lent loans peaks wypożyczenia szczyty одолжены пики',
    load: () => import('./Balancing'),
  },
]
