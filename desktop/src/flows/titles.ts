/** Title of the pages of flows; apart, as every page's rail has it and few have the other sentences. */
import { sentences } from '../i18n'

export const titles = sentences({
  flows: ['Flows', 'Scenariusze', 'Сценарии'],
})
