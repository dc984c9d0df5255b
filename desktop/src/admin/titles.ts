/** Titles of the administrator's pages; apart, as every page's rail has them and few have the other sentences. */
import { sentences } from '../i18n'

export const titles = sentences({
  settings: ['Settings', 'Ustawienia', 'Настройки'],
  audit: ['Audit trail', 'Dziennik zmian', 'Журнал действий'],
})
