/** How many went which way, and where they hung up: on the drawing, and as a table. */
import { Select, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useCentre } from '../api/session'
import { useLanguage, useWords } from '../i18n'
import { number, percent } from '../i18n/format'
import { now } from '../live/time'
import { ProblemNote, ui, Waiting } from '../ui'
import { FLOWS, pathsOf } from './api'
import css from './flows.module.css'
import { exitName, nodeName } from './nodeWords'
import { flowed } from './path'
import { goTo, useEditor } from './store'
import { words } from './words'

/** As 2026-11-22, in the centre's zone. */
const day = (at: number, zone?: string): string =>
  new Intl.DateTimeFormat('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit', timeZone: zone }).format(
    at * 1000,
  )

export function Figures() {
  const t = useWords(words)
  const language = useLanguage()
  const { zone } = useCentre()
  const { id, graph, paths } = useEditor()
  const [from, setFrom] = useState(() => day(now() - 6 * 86_400, zone))
  const [to, setTo] = useState(() => day(now(), zone))
  const [version, setVersion] = useState<number | null>(null)
  const right = /^\d{4}-\d\d-\d\d$/
  const { data, error, refetch, isPending } = useQuery({
    queryKey: [...FLOWS, id, 'paths', version, from, to],
    queryFn: () => pathsOf(id, version, from, to),
    enabled: right.test(from) && right.test(to) && from <= to,
    staleTime: 10_000,
    placeholderData: (before) => before,
  })
  useEffect(() => {
    if (data) useEditor.setState({ paths: data })
  }, [data])
  useEffect(() => () => useEditor.setState({ paths: null }), [])
  const found = paths && flowed(paths)
  const rows = paths
    ? [...paths.nodes].filter((one) => one.entered || one.left).sort((a, b) => b.entered - a.entered)
    : []
  return (
    <div className={css.stack}>
      <h2 className={css.sideTitle}>{t('figures')}</h2>
      <div className={css.row}>
        <TextInput
          type="date"
          label={t('figuresFrom')}
          value={from}
          max={to}
          onChange={(event) => setFrom(event.currentTarget.value)}
        />
        <TextInput
          type="date"
          label={t('figuresTo')}
          value={to}
          min={from}
          onChange={(event) => setTo(event.currentTarget.value)}
        />
      </div>
      <Select
        label={t('ofVersion')}
        data={[
          { value: '', label: t('everyVersion') },
          ...(data?.versions ?? []).map((one) => ({ value: String(one), label: t('versionN', { n: one }) })),
        ]}
        value={version === null ? '' : String(version)}
        allowDeselect={false}
        onChange={(next) => setVersion(next ? Number(next) : null)}
      />
      {error ? (
        <ProblemNote problem={error} retry={() => void refetch()} />
      ) : isPending ? (
        <Waiting />
      ) : paths && found ? (
        <>
          <p role="status">
            <strong>{paths.calls ? t('nCalls', { n: paths.calls }) : t('noFigures')}</strong>
          </p>
          {rows.length > 0 && (
            <table className={`${ui.table} ${css.figuresTable}`}>
              <thead>
                <tr>
                  <th scope="col">{t('wentBy')}</th>
                  <th scope="col" className={ui.right}>
                    {t('came')}
                  </th>
                  <th scope="col" className={ui.right}>
                    {t('hungUp')}
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows.map((one) => (
                  <tr key={one.node}>
                    <th scope="row">
                      <button type="button" className={css.link} onClick={() => goTo(one.node)}>
                        {nodeName(one.node, graph?.nodes[one.node], language)}
                      </button>
                      {one.exits.map(({ exit, count }) => (
                        <small key={exit}>
                          {exitName(exit, language)}: {number(language, count)} (
                          {percent(language, count / (one.entered || 1))})
                        </small>
                      ))}
                    </th>
                    <td className={`${ui.right} num`}>{number(language, one.entered)}</td>
                    <td className={`${ui.right} num`}>
                      {one.left
                        ? `${number(language, one.left)} (${percent(language, one.left / (one.entered || 1))})`
                        : '–'}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </>
      ) : null}
    </div>
  )
}
