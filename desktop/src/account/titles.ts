/** The title of one's own account; apart, as every page's menu has it and few have the other sentences. */
import { sentences } from '../i18n'

export const titles = sentences({
  account: ['My account', 'Moje konto', 'Моя учётная запись'],
})
