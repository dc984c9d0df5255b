/** What stands around every page: rail, bar A, the sentence under it, and for agents the call slot B and the call bar E. */
import { useMediaQuery } from '@mantine/hooks'
import { Component, type ReactNode, Suspense, useEffect, useMemo, useState } from 'react'
import { Link, Redirect, Route, Switch, useLocation } from 'wouter'
import { acts } from '../agent/acts'
import { Early } from '../agent/Early'
import { type Me, may } from '../api/session'
import { sentences, useSay, useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Button, Empty, Icon, ProblemNote, Waiting } from '../ui'
import { defineActs, useAct } from './keys'
import { MeMenu } from './MeMenu'
import { MeContext } from './me'
import { homeOf, routes, routesFor } from './pages'
import { part } from './part'
import { SentenceLine } from './SentenceLine'
import css from './shell.module.css'

const palettePart = () => import('./Palette')
const Palette = part(palettePart)
const KeyMap = part(() => import('./KeyMap'))
const frame = () => import('../agent/frame')
const AgentBar = part(() => frame().then((one) => ({ default: one.AgentBar })))
const CallSlot = part(() => frame().then((one) => ({ default: one.CallSlot })))
const CallBar = part(() => frame().then((one) => ({ default: one.CallBar })))
const AgentLife = part(() => frame().then((one) => ({ default: one.AgentLife })))

const words = sentences({
  nowhere: ['There is no such page', 'Nie ma takiej strony', 'Такой страницы нет'],
  nowhereWhy: [
    'The link may be old, or your roles don’t show it.',
    'Odnośnik może być stary albo role użytkownika jej nie pokazują.',
    'Ссылка устарела, или ваши роли её не показывают.',
  ],
  home: ['To the first page', 'Do pierwszej strony', 'На первую страницу'],
  empty: ['Nothing to see yet', 'Na razie nic tu nie ma', 'Пока ничего нет'],
  emptyWhy: [
    'Your account has no role with a page. Ask your administrator.',
    'Konto nie ma roli, która ma jakąś stronę. Proszę zapytać administratora.',
    'У учётной записи нет роли со страницей. Обратитесь к администратору.',
  ],
})

export const appActs = defineActs({
  palette: { key: 'Ctrl+KeyK', everywhere: true, title: ['Find anything', 'Znajdź cokolwiek', 'Найти что угодно'] },
  keys: { key: 'Shift+Slash', title: ['Show the keys', 'Pokaż skróty', 'Показать клавиши'] },
})

/** One page that fails doesn't take the call bar with it. */
class Fence extends Component<{ children: ReactNode; place: string }, { problem: unknown }> {
  override state = { problem: null as unknown }
  static getDerivedStateFromError(problem: unknown) {
    return { problem }
  }
  override componentDidUpdate(before: { place: string }) {
    if (before.place !== this.props.place && this.state.problem) this.setState({ problem: null })
  }
  override render() {
    if (!this.state.problem) return this.props.children
    return (
      <div style={{ padding: 24 }}>
        <ProblemNote problem={this.state.problem} retry={() => this.setState({ problem: null })} />
      </div>
    )
  }
}

export default function Shell({ me }: { me: Me }) {
  const say = useSay()
  const t = useWords(words)
  const s = useWords(shared)
  const [path] = useLocation()
  const mine = useMemo(() => routesFor(me), [me])
  const home = homeOf(me)
  const rail = mine.filter((one) => one.rail)
  const here = mine.find((one) => {
    const base = one.path.replace(/\/\*$/, '')
    return path === base || path.startsWith(`${base}/`)
  })
  const agent = me.agent !== null && may(me, 'desk')
  const frame = here?.frame ?? 'wide'
  const small = useMediaQuery('(max-width: 700px)', false, { getInitialValueInEffect: false })
  const [palette, setPalette] = useState(false)
  const [keyMap, setKeyMap] = useState(false)
  useAct(appActs.palette, () => setPalette((one) => !one))
  const [, go] = useLocation()
  useAct(
    acts.customers,
    () => go('/customers'),
    mine.some((one) => one.path === '/customers/*'),
  )
  useAct(appActs.keys, () => setKeyMap((one) => !one))
  // Ready before it is asked for: letters typed right behind Ctrl+K are meant for it.
  useEffect(() => {
    const timer = setTimeout(() => void palettePart().catch(() => {}), 1500)
    return () => clearTimeout(timer)
  }, [])
  const title = here ? say(here.title) : 'Centrala'
  useEffect(() => {
    if (!agent) document.title = `${title} – Centrala`
  }, [title, agent])

  const content = (
    <Fence place={path}>
      <Suspense fallback={<Waiting />}>
        <Switch>
          {mine.map((one) => (
            <Route key={one.path} path={one.path.replace(/\/\*$/, '/*?')}>
              <one.View />
            </Route>
          ))}
          {path === '/' || path === '/sign-up' ? (
            home ? (
              <Route>
                <Redirect to={home.path.replace(/\/\*$/, '')} replace />
              </Route>
            ) : (
              <Route>
                <Empty title={t('empty')} why={t('emptyWhy')} />
              </Route>
            )
          ) : (
            <Route>
              <Empty title={t('nowhere')} why={t('nowhereWhy')}>
                <Button component={Link} href="/" variant="default">
                  {t('home')}
                </Button>
              </Empty>
            </Route>
          )}
        </Switch>
      </Suspense>
    </Fence>
  )

  if (frame === 'bare') return <MeContext.Provider value={me}>{content}</MeContext.Provider>
  return (
    <MeContext.Provider value={me}>
      <div
        className={css.shell}
        data-rail={rail.length > 1 || undefined}
        data-frame={frame}
        data-agent={agent || undefined}
      >
        <a href="#content" className={css.skip}>
          {s('skip')}
        </a>
        {rail.length > 1 && (
          <nav className={css.rail} aria-label={s('pages')}>
            {rail.map((one) => {
              const base = one.path.replace(/\/\*$/, '')
              return (
                <Link
                  key={one.path}
                  href={base}
                  className={css.area}
                  aria-current={one === here ? 'page' : undefined}
                  title={say(one.title)}
                >
                  <Icon name={one.icon} size={22} />
                  <span className={small ? css.areaName : 'hidden-label'}>{say(one.title)}</span>
                </Link>
              )
            })}
          </nav>
        )}
        <header className={css.bar}>
          {agent ? (
            <Suspense
              fallback={
                <span className={css.grow}>
                  <Early />
                </span>
              }
            >
              <AgentBar />
            </Suspense>
          ) : (
            <span className={css.where}>{title}</span>
          )}
          <button
            type="button"
            className={css.find}
            onClick={() => setPalette(true)}
            aria-keyshortcuts="Control+K"
            aria-label={s('search')}
          >
            <Icon name="search" />
            <span className={css.findKey} data-text="Ctrl+K" />
          </button>
          <MeMenu me={me} showKeys={() => setKeyMap(true)} />
        </header>
        <SentenceLine agent={agent ? me.agent : null} />
        {agent && frame === 'desk' && (
          <aside className={css.slot} aria-label={s('calls')}>
            <Suspense fallback={null}>
              <CallSlot />
            </Suspense>
          </aside>
        )}
        <main className={css.content} id="content" tabIndex={-1}>
          {content}
        </main>
        {agent && (
          <footer className={css.calls} aria-label={s('call')}>
            <Suspense fallback={null}>
              <CallBar />
              <AgentLife />
            </Suspense>
          </footer>
        )}
        <Suspense fallback={null}>
          {palette && <Palette me={me} close={() => setPalette(false)} />}
          {keyMap && <KeyMap close={() => setKeyMap(false)} />}
        </Suspense>
      </div>
    </MeContext.Provider>
  )
}

export { routes }
