import type { Page } from '../app/pages'
import { titles } from './titles'

export const pages: Page[] = [
  {
    path: '/account',
    title: titles.account,
    icon: 'user',
    for: () => true,
    words: 'password passkey authenticator token session language hasło klucz język пароль ключ язык сеанс токен',
    load: () => import('./Account'),
  },
]
