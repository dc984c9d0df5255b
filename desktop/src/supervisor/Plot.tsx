/** A line of a queue's last hour or two. uPlot comes only with the first plot; a hidden page draws nothing. */
import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import type uPlot from 'uplot'
import { useCentre } from '../api/session'
import { useLanguage, useWords } from '../i18n'
import { clock, percent, timeOf } from '../i18n/format'
import { now } from '../live/time'
import { ui } from '../ui'
import css from './board.module.css'
import { type Figure, lineOf, STEP, subscribe, versionOf } from './history'
import { words } from './words'

interface Props {
  queue: string
  figure?: Figure
  seconds?: number
  height: number
  /** With axes: for a whole page; without: a line in a tile. */
  axes?: boolean
}

type Library = typeof uPlot

let library: Promise<Library> | null = null

function load(): Promise<Library> {
  library ??= Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]).then(([made]) => made.default)
  return library
}

const useVersion = () => useSyncExternalStore(subscribe, versionOf)

export function Plot({ queue, figure = 'waiting', seconds = 3600, height, axes = false }: Props) {
  const t = useWords(words)
  const language = useLanguage()
  const { zone } = useCentre()
  const where = useRef<HTMLDivElement>(null)
  const version = useVersion()
  const line = lineOf(queue, figure, seconds)
  // Another queue in the same place (the wall turns) is drawn by the plot that is there.
  const of = useRef(queue)
  const draw = useRef<() => void>(() => {})
  useEffect(() => {
    of.current = queue
    draw.current()
  }, [queue])

  useEffect(() => {
    const at = where.current
    if (!at) return
    let gone = false
    let plot: uPlot | null = null
    let ends: (() => void)[] = []
    void load().then((UPlot) => {
      if (gone) return
      const colour = () => getComputedStyle(at).color
      const grid = () => getComputedStyle(at).getPropertyValue('--line').trim() || '#888'
      const label = figure === 'waiting' ? String : figure === 'level' ? (n: number) => percent(language, n) : clock
      plot = new UPlot(
        {
          width: Math.max(40, at.clientWidth),
          height,
          padding: axes ? [8, 20, 0, 0] : [2, 1, 1, 1],
          legend: { show: false },
          cursor: { show: axes, x: axes, y: false, points: { show: false }, drag: { x: false, y: false } },
          scales: {
            x: { time: false, range: () => [now() - seconds, now()] },
            y: {
              range: (_, __, most) =>
                figure === 'level' ? [0, 1] : [0, Math.max(figure === 'wait' ? 60 : 4, (most ?? 0) * 1.1)],
            },
          },
          axes: axes
            ? [
                {
                  stroke: colour,
                  font: '12px system-ui',
                  grid: { stroke: grid, width: 1 },
                  ticks: { show: false },
                  size: 26,
                  values: (_, all) => all.map((one) => timeOf(language, one, zone)),
                  incrs: [300, 600, 900, 1800, 3600],
                  space: 70,
                },
                {
                  stroke: colour,
                  font: '12px system-ui',
                  size: 52,
                  grid: { stroke: grid, width: 1 },
                  ticks: { show: false },
                  incrs:
                    figure === 'level'
                      ? [0.25, 0.5, 1]
                      : figure === 'wait'
                        ? [15, 30, 60, 120, 300, 600, 1800, 3600]
                        : [1, 2, 5, 10, 20, 50, 100, 200, 500],
                  values: (_, all) => all.map((one) => label(one)),
                  space: 28,
                },
              ]
            : [{ show: false }, { show: false }],
          series: [
            {},
            {
              stroke: colour,
              width: axes ? 2 : 1.5,
              paths: UPlot.paths.stepped!({ align: -1 }),
              points: { show: false },
              spanGaps: false,
            },
          ],
        },
        [[], []],
        at,
      )
      const show = () => {
        if (document.hidden) return
        const { times, values } = lineOf(of.current, figure, seconds)
        plot?.setData([times, values])
      }
      draw.current = show
      show()
      const size = new ResizeObserver(() => {
        if (at.clientWidth) plot?.setSize({ width: at.clientWidth, height })
      })
      size.observe(at)
      // The canvas knows no variables: another scheme, or another level of the tile, is drawn anew.
      const looks = new MutationObserver(() => plot?.redraw(false))
      looks.observe(document.documentElement, { attributes: true, attributeFilter: ['data-mantine-color-scheme'] })
      const tile = at.closest('[data-level]')
      if (tile) looks.observe(tile, { attributes: true, attributeFilter: ['data-level'] })
      document.addEventListener('visibilitychange', show)
      ends = [
        subscribe(show),
        () => size.disconnect(),
        () => looks.disconnect(),
        () => document.removeEventListener('visibilitychange', show),
      ]
    })
    return () => {
      gone = true
      for (const end of ends) end()
      plot?.destroy()
      draw.current = () => {}
    }
  }, [figure, seconds, height, axes, language, zone])

  const values = line.values.filter((one) => one !== null)
  const since = line.since === null ? '' : timeOf(language, line.since, zone)
  const said =
    line.since === null
      ? t('recordingStarts')
      : figure === 'waiting'
        ? t('plotMost', { most: Math.max(...values), last: values.at(-1) ?? 0, since })
        : t('recordedSince', { since })
  // Whoever can't see the line is told what it says; a version that isn't read would never be asked again.
  return (
    <div className={css.plot} data-axes={axes || undefined} data-version={version}>
      <div ref={where} role="img" aria-label={axes ? said : `${t('plotWaiting')}: ${said}`} style={{ height }} />
      {axes && <small className={css.honest}>{said}</small>}
    </div>
  )
}

/** A plot with its figures one press away. */
export function PlotWithTable(props: Props & { title: string }) {
  const t = useWords(words)
  const language = useLanguage()
  const { zone } = useCentre()
  const [table, setTable] = useState(false)
  useVersion()
  return (
    <figure className={css.figure} aria-label={props.title}>
      <figcaption>
        <strong>{props.title}</strong>
        <button type="button" className={css.link} onClick={() => setTable(!table)}>
          {table ? t('asPlot') : t('asTable')}
        </button>
      </figcaption>
      {table ? <Table {...props} language={language} zone={zone} /> : <Plot {...props} axes />}
    </figure>
  )
}

function Table({
  queue,
  figure = 'waiting',
  seconds = 3600,
  height,
  title,
  language,
  zone,
}: Props & { title: string; language: ReturnType<typeof useLanguage>; zone: string | undefined }) {
  const t = useWords(words)
  const { times, values } = lineOf(queue, figure, seconds)
  // One row for five minutes, with the worst of them.
  const rows = new Map<number, number>()
  times.forEach((at, index) => {
    const value = values[index]
    if (value == null) return
    const from = Math.floor(at / 300) * 300
    const before = rows.get(from)
    rows.set(
      from,
      before === undefined ? value : figure === 'level' ? Math.min(before, value) : Math.max(before, value),
    )
  })
  const text = (value: number) =>
    figure === 'waiting' ? String(value) : figure === 'level' ? percent(language, value) : clock(value)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and nothing in it takes the focus
    <div className={css.tableBox} style={{ maxHeight: height + STEP }} tabIndex={0} role="region" aria-label={title}>
      <table className={ui.table}>
        <thead>
          <tr>
            <th>{t('time')}</th>
            <th>{title}</th>
          </tr>
        </thead>
        <tbody>
          {[...rows].reverse().map(([at, value]) => (
            <tr key={at}>
              <td className="num">{timeOf(language, at, zone)}</td>
              <td className="num">{text(value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
