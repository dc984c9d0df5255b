/** The frame of the settings: sections on the left, the section, and the bar with what isn't saved. */
import { Select } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useEffect } from 'react'
import { Link, Redirect, useLocation } from 'wouter'
import { may } from '../api/session'
import { useUser } from '../app/me'
import { useWords } from '../i18n'
import { ProblemNote, Waiting } from '../ui'
import css from './admin.module.css'
import { Bar } from './Bar'
import type { FormName } from './fields'
import { History } from './History'
import { House } from './House'
import { Dispositions, Reasons } from './Lists'
import { Numbers } from './Numbers'
import { SettingsContext } from './parts'
import { Review } from './Review'
import { Sounds } from './Sounds'
import { sectionOf } from './say'
import { discard, type Shown, useDraft, useShown, useTree } from './store'
import { Things, type ThingTable } from './Things'
import { Tiers } from './Tiers'
import { titles } from './titles'
import { Users } from './Users'
import { words } from './words'

const SECTIONS = [
  ['people', ['users', 'agents', 'teams']],
  ['routing', ['queues', 'numbers', 'tiers', 'calendars', 'sounds', 'trunks']],
  ['lists', ['reasons', 'dispositions']],
  ['house', ['house', 'clients', 'history']],
] as const
const THINGS: readonly string[] = ['queues', 'agents', 'teams', 'clients', 'trunks', 'calendars']

export default function Settings() {
  const me = useUser()
  const shown = useShown()
  const settings = may(me, 'settings')
  // What another person left in this tab isn't this one's.
  useEffect(() => {
    const name = 'centrala.settings.who'
    try {
      const before = sessionStorage.getItem(name)
      if (before !== null && before !== me.id) discard()
      sessionStorage.setItem(name, me.id)
    } catch {
      // A browser that keeps nothing has nothing of anybody.
    }
  }, [me.id])
  if (!settings) {
    return (
      <div className={css.alone}>
        <Users tree={{}} />
      </div>
    )
  }
  if (shown.isError) return <ProblemNote problem={shown.error} retry={() => void shown.refetch()} />
  if (!shown.data) return <Waiting />
  return <Frame shown={shown.data} users={may(me, 'users')} />
}

function Frame({ shown, users }: { shown: Shown; users: boolean }) {
  const t = useWords(words)
  const say = useWords(titles)
  const tree = useTree(shown)
  const edits = useDraft((one) => one.edits)
  const [path, go] = useLocation()
  const narrow = useMediaQuery('(max-width: 900px)', false, { getInitialValueInEffect: false })
  const [, , section = '', chosen] = path.split('/')
  useEffect(() => {
    if (section && section !== 'review') useDraft.setState({ place: path })
  }, [path, section])
  if (!section) return <Redirect to={`/settings/${users ? 'users' : 'queues'}`} replace />
  const parts = SECTIONS.map(
    ([title, all]) => [title, (all as readonly string[]).filter((one) => one !== 'users' || users)] as const,
  )
  const touched = new Set(
    Object.values(edits).map((one) => (one.path.length === 1 ? sectionOf(one.path[0]!) : one.path[0])),
  )
  const nameOf = (one: string) => (one === 'house' ? t('tenant') : t(one as 'queues'))
  const id = chosen ? decodeURIComponent(chosen) : null
  return (
    <SettingsContext.Provider value={tree}>
      <div className={css.frame}>
        {narrow ? (
          <Select
            className={css.sectionChoice}
            aria-label={t('sections')}
            value={section}
            allowDeselect={false}
            onChange={(one) => one && go(`/settings/${one}`)}
            data={parts.map(([title, all]) => ({
              group: t(title),
              items: all.map((one) => ({ value: one, label: nameOf(one) })),
            }))}
          />
        ) : (
          <nav className={css.sections} aria-label={say('settings')}>
            {parts.map(([title, all]) => (
              <div key={title}>
                <h2>{t(title)}</h2>
                {all.map((one) => (
                  <Link
                    key={one}
                    href={`/settings/${one}`}
                    className={css.section}
                    aria-current={section === one ? 'page' : undefined}
                  >
                    {nameOf(one)}
                    {touched.has(one) && <i className={css.dot} role="img" aria-label={t('isChanged')} />}
                  </Link>
                ))}
              </div>
            ))}
          </nav>
        )}
        <div className={css.body}>
          {THINGS.includes(section) ? (
            <Things key={section} table={section as ThingTable & FormName} chosen={id} />
          ) : section === 'users' && users ? (
            <Users tree={tree.tree} chosen={id} />
          ) : section === 'numbers' ? (
            <Numbers />
          ) : section === 'tiers' ? (
            <Tiers />
          ) : section === 'sounds' ? (
            <Sounds />
          ) : section === 'reasons' ? (
            <Reasons />
          ) : section === 'dispositions' ? (
            <Dispositions />
          ) : section === 'house' ? (
            <House />
          ) : section === 'history' ? (
            <History />
          ) : section === 'review' ? (
            <Review />
          ) : (
            <Redirect to="/settings" replace />
          )}
        </div>
        <Bar />
      </div>
    </SettingsContext.Provider>
  )
}
