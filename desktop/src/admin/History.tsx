/** Who saved what and when; any version can be brought back, as a new one. */
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../api/client'
import { useCentre } from '../api/session'
import type { Schema } from '../api/types'
import { useLanguage, useWords } from '../i18n'
import { dayAndTime } from '../i18n/format'
import { shared } from '../i18n/shared'
import { Button, Empty, ProblemNote, ui, useProblemText, Waiting } from '../ui'
import css from './admin.module.css'
import { useSettings, Wide } from './parts'
import { pathText, valueText } from './say'
import { HISTORY, useActs } from './store'
import { words } from './words'

type Page = Schema<'History'>

export function History() {
  const { shown } = useSettings()
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const { zone } = useCentre()
  const acts = useActs()
  const text = useProblemText()
  const [problem, setProblem] = useState<unknown>(null)
  const pages = useInfiniteQuery({
    queryKey: HISTORY,
    queryFn: ({ pageParam }) => api.get<Page>('/admin/settings/history', { cursor: pageParam, limit: 20 }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  })
  if (pages.isError) return <ProblemNote problem={pages.error} retry={() => void pages.refetch()} />
  if (!pages.data) return <Waiting />
  const items = pages.data.pages.flatMap((one) => one.items)
  const back = (to: number) => {
    setProblem(null)
    acts.back(shown.version, to).catch(setProblem)
  }
  return (
    <div className={css.scrolled}>
      <div className={css.sheet}>
        <div className={css.sheetHead}>
          <h1>{t('history')}</h1>
          <p className={css.hint}>{t('historyWhy')}</p>
          {problem ? <p className={css.wrong}>{text(problem)}</p> : null}
        </div>
        {items.length === 0 && <Empty title={t('noneYet')} why={t('historyWhy')} />}
        <ol className={css.versions}>
          {items.map((one) => {
            const undo = /^undo: back to (\d+)$/.exec(one.comment)
            return (
              <li key={one.version}>
                <div className={css.versionHead}>
                  <h2>{t('version', { n: one.version })}</h2>
                  <span className="dim">
                    {dayAndTime(language, one.at, zone)} · {one.by}
                  </span>
                  {one.comment && <q>{undo ? t('undoOf', { n: undo[1]! }) : one.comment}</q>}
                  <span className={css.grow} />
                  {one.version === shown.version ? (
                    <span className={css.markNow}>{t('versionNow')}</span>
                  ) : (
                    <Button
                      size="xs"
                      variant="default"
                      aria-label={`${t('restore')}: ${t('version', { n: one.version })}`}
                      onClick={() => back(one.version)}
                    >
                      {t('restore')}
                    </Button>
                  )}
                </div>
                <DifferenceTable label={t('version', { n: one.version })} differences={one.differences} />
              </li>
            )
          })}
          {items.length > 0 && !pages.hasNextPage && shown.version > 0 && (
            <li>
              <div className={css.versionHead}>
                <h2>{t('fileAlone')}</h2>
                <span className={css.grow} />
                <Button
                  size="xs"
                  variant="default"
                  aria-label={`${t('restore')}: ${t('fileAlone')}`}
                  onClick={() => back(0)}
                >
                  {t('restore')}
                </Button>
              </div>
            </li>
          )}
        </ol>
        {pages.hasNextPage && (
          <Button variant="default" size="xs" onClick={() => void pages.fetchNextPage()}>
            {s('more')}
          </Button>
        )}
      </div>
    </div>
  )
}

function DifferenceTable({ label, differences }: { label: string; differences: Schema<'Difference'>[] }) {
  const { tree } = useSettings()
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const yes = (key: string) => s(key as 'yes')
  return (
    <Wide label={label}>
      <table className={`${ui.table} ${css.changes}`}>
        <thead>
          <tr>
            <th scope="col">{t('what')}</th>
            <th scope="col">{t('before')}</th>
            <th scope="col">{t('after')}</th>
          </tr>
        </thead>
        <tbody>
          {differences.map((one) => {
            const named = pathText(language, tree, one.path, (key) => t(key as 'queues'))
            return (
              <tr key={one.path.join('/')}>
                <th scope="row">
                  <span className="dim">{named.of}</span> {named.key}
                </th>
                <td data-gone={(one.before !== null && one.after === null) || undefined}>
                  {valueText(language, tree, one.path, one.before, yes)}
                </td>
                <td data-new={one.after !== null || undefined}>
                  {valueText(language, tree, one.path, one.after, yes)}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </Wide>
  )
}
