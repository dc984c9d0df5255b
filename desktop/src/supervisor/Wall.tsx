/** Wall mode: nothing but 4 × 3 queues in sizes that are read from five metres; dark; pages turn by themselves. */
import { type CSSProperties, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { useLocation, useSearch } from 'wouter'
import { useCentre } from '../api/session'
import { useLanguage, useWords } from '../i18n'
import { timeOf } from '../i18n/format'
import { shared } from '../i18n/shared'
import { live, useEntity, useLine } from '../live/store'
import { everySecond, now } from '../live/time'
import { Clock, Icon } from '../ui'
import { unlock, useAlarms } from './alarms'
import board from './board.module.css'
import { farClock, firstPage, layoutOf, levelOf, pagesOf, useGathered } from './figures'
import { Plot } from './Plot'
import { LevelMark, useWatch } from './parts'
import { People, usePercent } from './Tile'
import { useBoard } from './Wallboard'
import css from './wall.module.css'
import { words } from './words'

const SIZE = 12
const TURN = 15_000
const HIDE_AFTER = 4000

/** The page is dark here whatever the user's scheme is, and as before afterwards. */
function useDark(): void {
  useLayoutEffect(() => {
    const root = document.documentElement
    const before = root.getAttribute('data-mantine-color-scheme')
    const darken = () => {
      if (root.getAttribute('data-mantine-color-scheme') !== 'dark')
        root.setAttribute('data-mantine-color-scheme', 'dark')
    }
    darken()
    const watch = new MutationObserver(darken)
    watch.observe(root, { attributes: true, attributeFilter: ['data-mantine-color-scheme'] })
    return () => {
      watch.disconnect()
      if (before) root.setAttribute('data-mantine-color-scheme', before)
    }
  }, [])
}

/** The screen stays on for as long as the wall is shown. */
function useAwake(): void {
  useEffect(() => {
    let lock: { release: () => Promise<void> } | null = null
    const ask = () => {
      if (document.hidden || !('wakeLock' in navigator)) return
      navigator.wakeLock.request('screen').then(
        (got) => {
          lock = got
        },
        () => {},
      )
    }
    ask()
    document.addEventListener('visibilitychange', ask)
    return () => {
      document.removeEventListener('visibilitychange', ask)
      void lock?.release().catch(() => {})
    }
  }, [])
}

export default function Wall() {
  useWatch()
  useDark()
  useAwake()
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const [, go] = useLocation()
  const search = useSearch()
  const { shown } = useBoard()
  const { zone } = useCentre()
  const line = useLine()
  const silent = useAlarms((one) => one.silent)
  const pages = useMemo(() => pagesOf(shown, SIZE), [shown])
  const [page, setPage] = useState(0)
  const [still, setStill] = useState(false)
  const [busy, setBusy] = useState(true)
  const box = useRef<HTMLDivElement>(null)

  const worst = useCallback(() => firstPage(pages, (id) => levelOf(live.get('queue', id))), [pages])
  const alarmed = useGathered(['queue'], worst)
  // A page that gets an alarm is turned to at once; from there on the pages turn as ever.
  useEffect(() => setPage(alarmed), [alarmed])
  // biome-ignore lint/correctness/useExhaustiveDependencies: a page that was just turned to stays its whole time
  useEffect(() => {
    if (still || pages.length < 2) return
    const timer = setInterval(() => setPage((one) => (one + 1) % pages.length), TURN)
    return () => clearInterval(timer)
  }, [still, pages.length, alarmed])
  useEffect(() => {
    let timer = setTimeout(() => setBusy(false), HIDE_AFTER)
    const stir = () => {
      setBusy(true)
      clearTimeout(timer)
      timer = setTimeout(() => setBusy(false), HIDE_AFTER)
    }
    window.addEventListener('pointermove', stir)
    window.addEventListener('keydown', stir)
    return () => {
      clearTimeout(timer)
      window.removeEventListener('pointermove', stir)
      window.removeEventListener('keydown', stir)
    }
  }, [])

  const leave = () => {
    if (document.fullscreenElement) void document.exitFullscreen()
    go(`/wallboard${search ? `?${search}` : ''}`)
  }
  // As the fullest page is divided, so are all: nothing changes its size when they turn.
  const { columns, rows, scale } = layoutOf(pages[0]?.length ?? 0)
  const here = pages[Math.min(page, pages.length - 1)] ?? []
  return (
    <div ref={box} className={css.wall} data-busy={busy || undefined} data-old={line.line === 'lost' || undefined}>
      <main
        className={css.grid}
        aria-label={t('wall')}
        style={{ '--columns': columns, '--rows': rows, '--scale': scale } as CSSProperties}
      >
        <h1 className="hidden-label">{t('wallboard')}</h1>
        {here.map((id, place) => (
          // By place: a page that turns changes what the tiles say, not the tiles.
          <Screen key={place} id={id} />
        ))}
      </main>
      <footer className={css.foot}>
        <span className={css.legend}>
          {t('waiting')} · {t('longest')} · {t('service')} / {s('today')}
        </span>
        {line.line === 'lost' && (
          <strong className={css.old} role="status">
            {t('old')} {timeOf(language, line.since, zone)} (<Clock since={line.since} />)
          </strong>
        )}
        <span className={css.tools}>
          {silent && (
            <button type="button" onClick={() => void unlock()}>
              <Icon name="bell" /> {t('soundOn')}
            </button>
          )}
          {pages.length > 1 && (
            <button type="button" onClick={() => setStill(!still)} aria-pressed={still}>
              <Icon name={still ? 'play' : 'pause'} /> {still ? t('turn') : t('hold')}
            </button>
          )}
          <button
            type="button"
            onClick={() => {
              if (document.fullscreenElement) void document.exitFullscreen()
              else void document.documentElement.requestFullscreen().catch(() => {})
              void unlock()
            }}
          >
            <Icon name="full" /> {t('full')}
          </button>
          <button type="button" onClick={leave}>
            <Icon name="close" /> {t('leaveWall')}
          </button>
        </span>
        {pages.length > 1 && (
          <span className="num">{t('pageOf', { n: Math.min(page, pages.length - 1) + 1, all: pages.length })}</span>
        )}
        <Time zone={zone} />
      </footer>
    </div>
  )
}

function Time({ zone }: { zone: string | undefined }) {
  const language = useLanguage()
  const where = useRef<HTMLElement>(null)
  useEffect(() => {
    const write = () => {
      if (where.current) where.current.textContent = timeOf(language, now(), zone)
    }
    write()
    return everySecond(write)
  }, [language, zone])
  return <strong ref={where} className="num" />
}

/** The longest wait, short enough for the figure's size. */
function Far({ since }: { since: number | null }) {
  const where = useRef<HTMLSpanElement>(null)
  useEffect(() => {
    const write = () => {
      if (where.current) where.current.textContent = since === null ? '–' : farClock(now() - since)
    }
    write()
    return everySecond(write)
  }, [since])
  return <span ref={where} className="num" role="timer" aria-live="off" />
}

function Screen({ id }: { id: string }) {
  const t = useWords(words)
  const share = usePercent()
  const queue = useEntity('queue', id)
  if (!queue) return null
  const level = levelOf(queue)
  const name = queue.name ?? id
  return (
    <article
      className={`${css.screen} ${level === 'alarm' ? board.inked : ''}`}
      data-level={level}
      data-queue={id}
      aria-label={name}
    >
      <div className={css.top}>
        <h2>
          <LevelMark level={level} size="0.8em" />
          <span>{name}</span>
        </h2>
        <div className={css.low}>
          <People queue={queue} counts={false} />
          <Plot queue={id} height={24} />
        </div>
      </div>
      <p className={css.figures}>
        <span className="num" title={t('waiting')}>
          {queue.waiting}
        </span>
        <Far since={queue.waiting ? queue.waiting_since : null} />
      </p>
      <p className={css.service}>
        <span className="num">
          {queue.now.service_level === null && 'SL '}
          {share(queue.now.service_level)}
        </span>
        <span className={`num ${css.today}`}>{share(queue.today.service_level)}</span>
      </p>
    </article>
  )
}
