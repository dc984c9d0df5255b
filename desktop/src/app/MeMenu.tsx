import { type MantineColorScheme, Menu, useMantineColorScheme } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useLocation } from 'wouter'
import { api } from '../api/client'
import { become, type Me } from '../api/session'
import { LANGUAGE_NAMES, LANGUAGES, type Language, setLanguage, useLanguage, useSay, useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Icon } from '../ui'
import css from './menu.module.css'
import { routesFor } from './pages'

const initials = (name: string): string => {
  const parts = name.split(/[\s._-]+/).filter(Boolean)
  return (parts.length > 1 ? parts[0]![0]! + parts[1]![0]! : name.slice(0, 2)).toUpperCase()
}

export function MeMenu({ me, showKeys }: { me: Me; showKeys: () => void }) {
  const t = useWords(shared)
  const say = useSay()
  const language = useLanguage()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const queries = useQueryClient()
  const [, go] = useLocation()
  async function signOut() {
    try {
      await api.delete('/session')
    } catch {
      // The cookie may be gone already; the page forgets in any case.
    }
    become(queries, null)
    go('/', { replace: true })
  }
  return (
    <Menu position="bottom-end" width={240} closeOnItemClick={false}>
      <Menu.Target>
        <button type="button" className={css.me} aria-label={`${t('me')}: ${me.name}`} data-text={initials(me.name)} />
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{me.name}</Menu.Label>
        {routesFor(me)
          .filter((one) => one.path.startsWith('/account'))
          .map((one) => (
            <Menu.Item
              key={one.path}
              leftSection={<Icon name={one.icon} />}
              closeMenuOnClick
              onClick={() => go(one.path)}
            >
              {say(one.title)}
            </Menu.Item>
          ))}
        <Menu.Item leftSection={<Icon name="help" />} rightSection={<kbd>?</kbd>} closeMenuOnClick onClick={showKeys}>
          {t('keys')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>{t('language')}</Menu.Label>
        <Menu.RadioGroup value={language} onChange={(one) => setLanguage(one as Language)}>
          {LANGUAGES.map((one) => (
            <Menu.RadioItem key={one} value={one} lang={one}>
              {LANGUAGE_NAMES[one]}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Label>{t('appearance')}</Menu.Label>
        <Menu.RadioGroup value={colorScheme} onChange={(one) => setColorScheme(one as MantineColorScheme)}>
          {(['light', 'dark', 'auto'] as const).map((one) => (
            <Menu.RadioItem key={one} value={one}>
              {t(one)}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item closeMenuOnClick onClick={() => void signOut()}>
          {t('signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
