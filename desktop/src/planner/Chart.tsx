/** Courses over one time axis, one above the other: bands, areas, lines in steps, and bars of a share with their target. */
import { useState } from 'react'
import { useLanguage, useWords } from '../i18n'
import { number, percent } from '../i18n/format'
import { ui } from '../ui'
import type { Course } from './model'
import css from './planner.module.css'
import { words } from './words'

export type Values = readonly (number | null)[]

/** How something is drawn, and its key. */
type Look = 'band' | 'came' | 'line' | 'dim' | 'staffed' | 'required' | 'present'

interface Drawn {
  look: Look
  name: string
  values: Values
  /** Of a band: its lower edge. */
  low?: Values
}

interface PanelOf {
  name: string
  height: number
  drawn: readonly Drawn[]
  /** Bars of a share instead. */
  level?: Values
  target?: number | null
}

interface Column {
  name: string
  text: (index: number) => string
}

interface Props {
  title: string
  /** What the courses say, for whoever can't see them. */
  said: string
  panels: readonly PanelOf[]
  /** What stands under the axis, in intervals from its left end. */
  marks: readonly { at: number; label: string }[]
  /** The time of an interval, as people read it. */
  when: (index: number) => string
  readout: (index: number) => string
  columns: readonly Column[]
  length: number
  /** The interval that runs: what is left of it has happened. */
  now?: number | null
}

/** A line in steps through all that is known; a gap where nothing is. */
function steps(values: Values, top: number): string {
  let path = ''
  let pen = false
  values.forEach((value, index) => {
    if (value === null) {
      pen = false
      return
    }
    const y = top - value
    path += `${pen ? 'L' : 'M'}${index} ${y}L${index + 1} ${y}`
    pen = true
  })
  return path
}

function area(high: Values, low: Values | undefined, top: number): string {
  let path = ''
  high.forEach((to, index) => {
    const from = low ? low[index] : 0
    if (to === null || from === null || from === undefined) return
    path += `M${index} ${top - from}H${index + 1}V${top - to}H${index}Z`
  })
  return path
}

const AREAS: ReadonlySet<Look> = new Set(['band', 'came', 'staffed'])

/** Bars tell by their height; colours only repeat it. */
function Levels({ level, target }: { level: Values; target: number | null }) {
  return (
    <>
      {level.map((one, index) =>
        one === null ? null : (
          <rect
            key={index}
            x={index + 0.08}
            width={0.84}
            y={1 - Math.max(one, 0.03)}
            height={Math.max(one, 0.03)}
            className={
              target === null || one >= target ? css.levelGood : one < target - 0.1 ? css.levelBad : css.levelLow
            }
          />
        ),
      )}
      {target !== null && <path d={`M0 ${1 - target}H${level.length}`} className={css.target} />}
    </>
  )
}

export function Chart({ title, said, panels, marks, when, readout, columns, length, now = null }: Props) {
  const t = useWords(words)
  const language = useLanguage()
  const [at, setAt] = useState<number | null>(null)
  const [table, setTable] = useState(false)
  const n = Math.max(1, length)
  const grid = marks.map((one) => `M${one.at} 0V1000000`).join('')
  return (
    <figure className={css.chart} aria-label={title}>
      <figcaption>
        <strong>{title}</strong>
        <button type="button" className={css.link} onClick={() => setTable(!table)}>
          {t(table ? 'asPlot' : 'asTable')}
        </button>
      </figcaption>
      {table ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and nothing in it takes the focus
        <div className={css.tableBox} tabIndex={0} role="region" aria-label={title}>
          <table className={ui.table}>
            <thead>
              <tr>
                <th scope="col">{t('time')}</th>
                {columns.map((one) => (
                  <th key={one.name} scope="col">
                    {one.name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {Array.from({ length }, (_, index) => (
                <tr key={index}>
                  <th scope="row" className="num">
                    {when(index)}
                  </th>
                  {columns.map((one) => (
                    <td key={one.name} className="num">
                      {one.text(index)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <>
          <div
            className={css.plots}
            role="img"
            aria-label={said}
            onPointerLeave={() => setAt(null)}
            onPointerMove={(event) => {
              const box = event.currentTarget.querySelector('svg')?.getBoundingClientRect()
              if (!box?.width) return
              const share = (event.clientX - box.left) / box.width
              setAt(share >= 0 && share < 1 ? Math.floor(share * n) : null)
            }}
          >
            {panels.map((one) => {
              const most = Math.max(2, ...one.drawn.flatMap((part) => part.values.map((value) => value ?? 0)))
              const top = one.level ? 1 : most * 1.08
              return (
                <div key={one.name} className={css.panel}>
                  <div className={css.gutter}>
                    <span className={css.panelName}>{one.name}</span>
                    {one.drawn.map((part) => (
                      <small key={part.name}>
                        <i data-look={part.look} />
                        {part.name}
                      </small>
                    ))}
                    {one.level && one.target != null && (
                      <small>
                        <i data-look="target" />
                        {t('targetLine')} {percent(language, one.target)}
                      </small>
                    )}
                    <span className={css.top}>{one.level ? percent(language, 1) : number(language, most)}</span>
                  </div>
                  <svg
                    viewBox={`0 0 ${n} ${top}`}
                    preserveAspectRatio="none"
                    style={{ height: one.height }}
                    aria-hidden="true"
                  >
                    {now !== null && <rect x={0} width={Math.max(0, now)} y={0} height={top} className={css.over} />}
                    {at !== null && <rect x={at} width={1} y={0} height={top} className={css.cursor} />}
                    <path d={grid} className={css.grid} />
                    {one.drawn.map((part) => (
                      <path
                        key={part.name}
                        data-look={part.look}
                        className={AREAS.has(part.look) ? css.area : css.line}
                        d={AREAS.has(part.look) ? area(part.values, part.low, top) : steps(part.values, top)}
                      />
                    ))}
                    {one.level && <Levels level={one.level} target={one.target ?? null} />}
                  </svg>
                </div>
              )
            })}
            <div className={css.panel}>
              <div className={css.gutter} />
              <div className={css.axis}>
                {marks.map((one) => (
                  <span key={one.at} style={{ left: `${(100 * one.at) / n}%` }}>
                    {one.label}
                  </span>
                ))}
              </div>
            </div>
          </div>
          <p className={css.readout}>{at === null ? <span className="dim">{t('pointAt')}</span> : readout(at)}</p>
        </>
      )}
    </figure>
  )
}

export function useFigures() {
  const language = useLanguage()
  return {
    few: (value: number | null | undefined, digits = 1) =>
      value === null || value === undefined ? '–' : number(language, value, digits),
    share: (value: number | null | undefined, digits = 0) =>
      value === null || value === undefined ? '–' : percent(language, value, digits),
  }
}

export const sum = (values: Values): number => values.reduce<number>((all, one) => all + (one ?? 0), 0)

/** Of a plan: demand with its band, agents required and staffed, service level expected. */
export function CourseChart({
  course,
  title,
  marks,
  when,
  target,
}: Pick<Props, 'title' | 'marks' | 'when'> & { course: Course; target: number | null }) {
  const t = useWords(words)
  const { few, share } = useFigures()
  const values = (index: number) => ({
    at: when(index),
    contacts: few(course.contacts[index]),
    low: few(course.low[index]),
    high: few(course.high[index]),
    required: few(course.required[index]),
    staffed: few(course.staffed[index]),
    level: share(course.level[index]),
  })
  const most = (all: Values) => few(Math.max(0, ...all.map((one) => one ?? 0)))
  return (
    <Chart
      title={title}
      marks={marks}
      when={when}
      length={course.contacts.length}
      said={t('plotSaid', {
        contacts: few(sum(course.contacts), 0),
        required: most(course.required),
        staffed: most(course.staffed),
      })}
      readout={(index) => t('readout', values(index))}
      panels={[
        {
          name: t('contacts'),
          height: 66,
          drawn: [
            { look: 'band', name: t('bandLine'), values: course.high, low: course.low },
            { look: 'line', name: t('demandLine'), values: course.contacts },
          ],
        },
        {
          name: t('agentsPlot'),
          height: 84,
          drawn: [
            { look: 'staffed', name: t('staffed'), values: course.staffed },
            { look: 'required', name: t('required'), values: course.required },
          ],
        },
        { name: t('level'), height: 44, drawn: [], level: course.level, target },
      ]}
      columns={[
        { name: t('contacts'), text: (index) => values(index).contacts },
        { name: t('bandLine'), text: (index) => t('range', { low: values(index).low, high: values(index).high }) },
        { name: t('required'), text: (index) => values(index).required },
        { name: t('staffed'), text: (index) => values(index).staffed },
        { name: t('level'), text: (index) => values(index).level },
      ]}
    />
  )
}
