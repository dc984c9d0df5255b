/** Published versions: any two compared on the drawing, any older one brought back as a new version. */
import { Select } from '@mantine/core'
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../api/client'
import { useCentre } from '../api/session'
import { useLanguage, useWords } from '../i18n'
import { dayAndTime } from '../i18n/format'
import { Button, ProblemNote, Waiting } from '../ui'
import { FLOWS, fresh, graphOf, pathOf, versionsOf } from './api'
import { Changes } from './Changes'
import css from './flows.module.css'
import type { Graph } from './model'
import { useEditor } from './store'
import { words } from './words'

const DRAFT = 'draft'

export function Versions({ mayEdit }: { mayEdit: boolean }) {
  const t = useWords(words)
  const language = useLanguage()
  const { zone } = useCentre()
  const queries = useQueryClient()
  const { id, version, compared, draft } = useEditor()
  const key = [...FLOWS, id, 'versions']
  const list = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => versionsOf(id, pageParam || undefined),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    staleTime: 0,
  })
  const all = list.data?.pages.flatMap((one) => one.items) ?? []
  const [from, setFrom] = useState<string | null>(null)
  const [to, setTo] = useState<string | null>(null)
  const [busy, setBusy] = useState<number | null>(null)
  const [done, setDone] = useState<{ n: number; to: number } | null>(null)
  const [failed, setFailed] = useState<unknown>(null)

  async function whole(name: string): Promise<Graph | null> {
    if (name === DRAFT) return useEditor.getState().graph
    return queries.fetchQuery({
      queryKey: [...FLOWS, id, 'version', name],
      queryFn: () => graphOf(id, Number(name)),
      staleTime: Number.POSITIVE_INFINITY,
    })
  }

  async function compare(one: string, other: string) {
    setFrom(one)
    setTo(other)
    setFailed(null)
    try {
      const [before, after] = await Promise.all([whole(one), whole(other)])
      if (before && after) useEditor.setState({ compared: { before, after }, chosen: new Set() })
    } catch (problem) {
      setFailed(problem)
    }
  }

  async function rollBack(to: number) {
    setBusy(to)
    setFailed(null)
    setDone(null)
    try {
      const made = await api.post<{ version: number }>(`${pathOf(id)}/rollback`, {
        base: version ?? 0,
        to,
        note: t('rollBackOf', { n: to }),
      })
      const graph = await graphOf(id, made.version)
      // A draft of one's own stays; without one the drawing shows what counts now.
      useEditor.setState({
        published: graph,
        version: made.version,
        compared: null,
        ...(draft ? {} : { graph, chosen: new Set<string>() }),
      })
      setDone({ n: made.version, to })
      await queries.invalidateQueries({ queryKey: key })
      await fresh(queries)
    } catch (problem) {
      setFailed(problem)
    } finally {
      setBusy(null)
    }
  }

  if (list.isPending) return <Waiting />
  if (list.isError) return <ProblemNote problem={list.error} retry={() => void list.refetch()} />
  const choices = [
    ...(draft ? [{ value: DRAFT, label: t('theDraft') }] : []),
    ...all.map((one) => ({ value: String(one.version), label: t('versionN', { n: one.version }) })),
  ]
  return (
    <div className={css.stack}>
      <h2 className={css.sideTitle}>{t('versions')}</h2>
      {done && (
        <p role="status" className={css.good}>
          {t('rolledBack', done)}
        </p>
      )}
      {failed !== null && <ProblemNote problem={failed} />}
      {all.length === 0 && <p className={css.hint}>{t('noVersions')}</p>}
      {choices.length > 1 && (
        <div className={css.row}>
          <Select
            label={t('compareFrom')}
            data={choices}
            value={from}
            onChange={(next) => {
              if (!next) return
              setFrom(next)
              if (to) void compare(next, to)
            }}
          />
          <Select
            label={t('compareTo')}
            data={choices}
            value={to}
            onChange={(next) => {
              if (!next) return
              setTo(next)
              if (from) void compare(from, next)
            }}
          />
        </div>
      )}
      {compared && (
        <>
          <div className={css.line}>
            <Button size="xs" variant="default" onClick={() => useEditor.setState({ compared: null })}>
              {t('endCompare')}
            </Button>
          </div>
          <Changes before={compared.before} after={compared.after} />
        </>
      )}
      <ul className={css.versions}>
        {all.map((one) => (
          <li key={one.version}>
            <div>
              <strong>{t('versionN', { n: one.version })}</strong>
              {one.version === version && <span className={css.badge}>{t('current')}</span>}
              <span className={css.dim}>
                {dayAndTime(language, one.at, zone)}
                {one.by ? ` · ${one.by}` : ''}
              </span>
              {one.note && <p>{one.note}</p>}
            </div>
            {one.version !== version && version !== null && (
              <div className={css.line}>
                <Button
                  size="xs"
                  variant="default"
                  aria-label={`${t('compare')}: ${t('versionN', { n: one.version })}`}
                  onClick={() => void compare(String(one.version), String(version))}
                >
                  {t('compare')}
                </Button>
                {mayEdit && (
                  <Button
                    size="xs"
                    variant="default"
                    loading={busy === one.version}
                    aria-label={`${t('rollBack')}: ${t('versionN', { n: one.version })}`}
                    onClick={() => void rollBack(one.version)}
                  >
                    {t('rollBack')}
                  </Button>
                )}
              </div>
            )}
          </li>
        ))}
      </ul>
      {list.hasNextPage && (
        <Button size="xs" variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          {t('older')}
        </Button>
      )}
    </div>
  )
}
