/** Parts that several of the supervisor's pages use: a level's shape, a cause's sentence, a proposal with its button. */
import { Button, Popover, Select, Textarea } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'
import { api } from '../api/client'
import { may, useCentre } from '../api/session'
import { useUser } from '../app/me'
import { say, useLanguage, useWords } from '../i18n'
import { explain } from '../i18n/explain'
import { clock, percent, span, timeOf } from '../i18n/format'
import { shared } from '../i18n/shared'
import { live } from '../live/store'
import { now, useSecond } from '../live/time'
import type { Why } from '../live/types'
import { Icon, useProblemText } from '../ui'
import { attend } from './alarms'
import css from './board.module.css'
import { type Cause, type Level, type Proposal, proposalFor, sameJson, useGathered } from './figures'
import { collect } from './history'
import { theirs, words } from './words'

/** What every page of the supervisor does while it is open. */
export function useWatch(): void {
  useEffect(() => {
    const ends = [attend(), collect()]
    return () => {
      for (const end of ends) end()
    }
  }, [])
}

/** ▲ warn, ■ alarm; normal has none. The shape and the ink tell the level, the colour only repeats it. */
export function LevelMark({ level, size = 14 }: { level: Level; size?: number | string }) {
  const t = useWords(words)
  if (level === 'normal') return null
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" role="img" aria-label={t(level)} className={css.mark}>
      {level === 'alarm' ? (
        <path d="M1.500 1.500h13v13h-13z" fill="currentColor" />
      ) : (
        <path d="M8 1 15.500 15H.500z" fill="currentColor" />
      )}
    </svg>
  )
}

/** Names that don't change with each call: made once for a page, not in each row. */
export function useNames() {
  const centre = useCentre()
  const { data } = centre
  // biome-ignore lint/correctness/useExhaustiveDependencies: made anew when the names are
  return useMemo(() => {
    const queues = new Map((data?.queues ?? []).map((one) => [one.id, one.name || one.id]))
    const teams = new Map((data?.teams ?? []).map((one) => [one.id, one.name || one.id]))
    return {
      queue: (id: string | null | undefined) => (id ? (queues.get(id) ?? live.get('queue', id)?.name ?? id) : ''),
      team: (id: string | null | undefined) => (id ? (teams.get(id) ?? id) : ''),
      teams: (data?.teams ?? []).map((one) => one.id),
      agent: (id: string | null | undefined) => (id ? (live.get('agent', id)?.name ?? id) : ''),
      client: (id: string | null | undefined) => (id ? centre.clientName(id) : ''),
      reason: centre.reasonName,
      zone: centre.zone,
    }
  }, [data])
}

export type Names = ReturnType<typeof useNames>

/** Why somebody else gets no calls, in words. */
export function useTheirWhy(): (why: Why) => string {
  const language = useLanguage()
  const names = useNames()
  return (why) => {
    if (!(why.code in theirs)) return say(explain.UNKNOWN, { code: why.code }, language)
    const values: Record<string, string | number | null> = { ahead: 0, level: 1, have: 0, missed: 0 }
    for (const [name, value] of Object.entries(why.values ?? {})) {
      if (typeof value === 'number' && value > 1e9) values[name] = timeOf(language, value, names.zone)
      else if (name === 'queue') values[name] = names.queue(String(value ?? ''))
      else if (name === 'reason') values[name] = names.reason(String(value ?? '')) || '–'
      else if (name === 'queues' && Array.isArray(value)) values[name] = (value as unknown[]).length
      else values[name] = value === null ? '–' : value
    }
    return say(theirs[why.code as keyof typeof theirs], values, language)
  }
}

export function useCauseText(): (cause: Cause) => string {
  const t = useWords(words)
  const language = useLanguage()
  return ({ code, limit }) => {
    if (code === 'service_level') return t('causeService', { limit: percent(language, limit) })
    if (code === 'longest_wait') return t('causeWait', { limit: clock(limit) })
    return t('causeWaiting', { limit })
  }
}

// --- proposals ---

const UNDO_FOR = 30

interface Done {
  text: string
  failed: string | null
  undo: (() => void) | null
}

/** What would help this queue most, and its button. */
export function ProposalLine({ queue, compact = false }: { queue: string; compact?: boolean }) {
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const names = useNames()
  const me = useUser()
  const problem = useProblemText()
  useSecond()
  const find = useMemo(() => () => proposalFor(queue), [queue])
  const found = useGathered(['queue', 'agent', 'contact'], find, sameJson, 1000)
  const [done, setDone] = useState<Done | null>(null)
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null)
  useEffect(
    () => () => {
      if (timer.current) clearTimeout(timer.current)
    },
    [],
  )
  const show = (said: Done) => {
    setDone(said)
    if (timer.current) clearTimeout(timer.current)
    timer.current = setTimeout(() => setDone(null), UNDO_FOR * 1000)
  }
  const act = useMutation({
    mutationFn: async (proposal: Proposal) => {
      const jobs =
        proposal.kind === 'move'
          ? proposal.contacts.map((id) => ({
              id,
              ask: () => api.post(`/floor/contacts/${encodeURIComponent(id)}/move`, { queue: proposal.to }),
            }))
          : proposal.agents.map((id) => ({
              id,
              ask: () =>
                api.post('/floor/message', {
                  to: `agent:${id}`,
                  text: t('askText', { queue: names.queue(queue), n: live.get('queue', queue)?.waiting ?? 0 }),
                }),
            }))
      const said = await Promise.allSettled(jobs.map((job) => job.ask()))
      const failed = said.filter((one) => one.status === 'rejected')
      const went = jobs.filter((_, index) => said[index]!.status === 'fulfilled').map((job) => job.id)
      return { proposal, went, failed: failed.length, why: failed[0] ? problem(failed[0].reason) : '' }
    },
    onSuccess: ({ proposal, went, failed, why }) =>
      show({
        text: went.length
          ? proposal.kind === 'move'
            ? t('movedN', { n: went.length, queue: names.queue(proposal.to) })
            : t('askedN', { n: went.length })
          : '',
        failed: failed ? t('someFailed', { n: failed, why }) : null,
        undo:
          proposal.kind === 'move' && went.length
            ? () => {
                setDone(null)
                for (const id of went)
                  void api.post(`/floor/contacts/${encodeURIComponent(id)}/move`, { queue }).catch(() => {})
              }
            : null,
      }),
  })
  if (done) {
    return (
      <div className={css.proposal} role="status">
        <p>{[done.text, done.failed].filter(Boolean).join(' ')}</p>
        {done.undo && (
          <Button size="xs" variant="default" onClick={done.undo}>
            {s('undo')}
          </Button>
        )}
      </div>
    )
  }
  if (!found) return compact ? null : <p className={css.proposalNone}>{t('proposeNone')}</p>
  const allowed = may(me, 'steer')
  return (
    <div className={css.proposal}>
      <p>{sentence(found)}</p>
      <Button
        size="xs"
        variant="default"
        loading={act.isPending}
        disabled={!allowed}
        title={allowed ? undefined : s('notAllowed')}
        onClick={() => act.mutate(found)}
      >
        {t('doIt')}
      </Button>
    </div>
  )

  function sentence(proposal: Proposal): string {
    if (proposal.kind === 'move') {
      return t('proposeMove', {
        n: proposal.contacts.length,
        queue: names.queue(proposal.to),
        free: proposal.free,
        waiting: proposal.waiting,
        left: proposal.left,
        before: clock(now() - proposal.since),
        after: proposal.next === null ? '0:00' : clock(now() - proposal.next),
      })
    }
    const much = (seconds: number | null) => (seconds === null ? '?' : span(language, seconds))
    return t('proposeAsk', { n: proposal.agents.length, before: much(proposal.before), after: much(proposal.after) })
  }
}

// --- messages to the floor ---

/** A button with a small form; `to` fixes whom it goes to. */
export function MessageButton({ to, name }: { to?: string; name?: string }) {
  const t = useWords(words)
  const s = useWords(shared)
  const me = useUser()
  const { data } = useCentre()
  const problem = useProblemText()
  const [open, setOpen] = useState(false)
  const [whom, setWhom] = useState(to ?? 'all')
  const [text, setText] = useState('')
  const send = useMutation({
    mutationFn: () => api.post<{ id: string; agents: number }>('/floor/message', { to: to ?? whom, text: text.trim() }),
    onSuccess: () => setText(''),
  })
  const allowed = may(me, 'steer')
  const choices = [
    { value: 'all', label: t('messageAll') },
    ...(data?.teams ?? []).map((one) => ({
      value: `team:${one.id}`,
      label: t('messageTeam', { name: one.name || one.id }),
    })),
  ]
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" trapFocus withinPortal width={320}>
      <Popover.Target>
        <Button
          variant="default"
          leftSection={<Icon name="message" size={16} />}
          disabled={!allowed}
          title={allowed ? undefined : s('notAllowed')}
          onClick={() => {
            send.reset()
            setOpen(!open)
          }}
        >
          {t('message')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('message')}>
        <form
          className={css.form}
          onSubmit={(event) => {
            event.preventDefault()
            if (text.trim()) send.mutate()
          }}
        >
          {to ? (
            <p>
              {t('messageTo')} <strong>{name}</strong>
            </p>
          ) : (
            <Select
              label={t('messageTo')}
              data={choices}
              value={whom}
              onChange={(value) => setWhom(value ?? 'all')}
              allowDeselect={false}
              comboboxProps={{ withinPortal: false }}
            />
          )}
          <Textarea
            label={t('messageText')}
            value={text}
            onChange={(event) => {
              setText(event.currentTarget.value)
              if (send.isSuccess) send.reset()
            }}
            autosize
            minRows={2}
            maxLength={500}
            data-autofocus
          />
          {send.isError && (
            <p role="alert" className={css.bad}>
              {problem(send.error)}
            </p>
          )}
          {send.isSuccess && <p role="status">{t('sentTo', { n: send.data.agents })}</p>}
          <div className={css.formEnd}>
            <Button variant="default" onClick={() => setOpen(false)}>
              {s('close')}
            </Button>
            <Button type="submit" loading={send.isPending} disabled={!text.trim()}>
              {t('send')}
            </Button>
          </div>
        </form>
      </Popover.Dropdown>
    </Popover>
  )
}
