/** Titles of the supervisor's pages; apart, as every page's rail has them and few have the other sentences. */
import type { Sentence } from '../i18n/index'

export const titles = {
  wallboard: ['Wallboard', 'Tablica', 'Табло'],
  wall: ['Wall', 'Duży ekran', 'Большой экран'],
  floor: ['Floor', 'Zespół', 'Операторы'],
  queue: ['Queue', 'Kolejka', 'Очередь'],
  alarms: ['Alarms', 'Alarmy', 'Тревоги'],
  surveys: ['Surveys', 'Ankiety', 'Опросы'],
  callbacks: ['Callbacks', 'Oddzwonienia', 'Обратные звонки'],
  balancing: ['Rebalancing', 'Równoważenie', 'Выравнивание'],
} satisfies Record<string, Sentence>
