/** Editing a card in the place of its timeline; two people at once see both values and choose for each field. */
import { SegmentedControl, Select, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { ApiProblem, api } from '../api/client'
import { useCentre } from '../api/session'
import { useLanguage, useWords } from '../i18n'
import { dayAndTime } from '../i18n/format'
import { shared } from '../i18n/shared'
import { Button, Icon, ProblemNote } from '../ui'
import { languageName } from './Card'
import css from './customers.module.css'
import type { Conflict, Customer, Identity } from './types'
import { words } from './words'

const LANGUAGES = ['pl', 'en', 'ru', 'uk', 'de', 'cs', 'sk', 'lt', 'be', 'fr', 'es', 'it', 'ro', 'tr', 'vi']
const KINDS = ['phone', 'email', 'messenger', 'address'] as const

interface Draft {
  given: string
  middle: string
  family: string
  name: string
  language: string | null
  preferred_agent: string | null
  badges: string
  calls: string
  ads: string
  identities: { id: string | null; kind: string; value: string; label: string }[]
}

const consent = (value: { allowed: boolean } | null): string =>
  value === null ? 'unknown' : value.allowed ? 'yes' : 'no'

function draftOf(customer: Customer): Draft {
  return {
    given: customer.given ?? '',
    middle: customer.middle ?? '',
    family: customer.family ?? '',
    name: customer.kind === 'company' ? customer.name : '',
    language: customer.language,
    preferred_agent: customer.preferred_agent ?? null,
    badges: customer.badges.join(', '),
    calls: consent(customer.consents.calls),
    ads: consent(customer.consents.ads),
    identities: customer.identities.map((one) => ({
      id: one.id,
      kind: one.kind,
      value: one.value ?? '',
      label: one.label,
    })),
  }
}

/** Only what differs is sent, so that two people who change different fields don't meet. */
function difference(customer: Customer, draft: Draft): Record<string, unknown> {
  const was = draftOf(customer)
  const body: Record<string, unknown> = {}
  const text = (name: 'given' | 'middle' | 'family' | 'name') => {
    if (draft[name].trim() !== was[name]) body[name] = draft[name].trim() || null
  }
  if (customer.kind === 'company') text('name')
  else for (const name of ['given', 'middle', 'family'] as const) text(name)
  if (draft.language !== was.language) body.language = draft.language
  if (draft.preferred_agent !== was.preferred_agent) body.preferred_agent = draft.preferred_agent
  if (draft.badges !== was.badges) {
    body.badges = draft.badges
      .split(',')
      .map((one) => one.trim())
      .filter(Boolean)
  }
  const consents: Record<string, boolean | null> = {}
  for (const one of ['calls', 'ads'] as const) {
    if (draft[one] !== was[one]) consents[one] = draft[one] === 'unknown' ? null : draft[one] === 'yes'
  }
  if (Object.keys(consents).length) body.consents = consents
  const before = new Map(customer.identities.map((one: Identity) => [one.id, one]))
  const identities = draft.identities.filter((one) => {
    if (!one.value.trim()) return false
    const old = one.id ? before.get(one.id) : undefined
    return !old || old.value !== one.value.trim() || old.label !== one.label || old.kind !== one.kind
  })
  if (identities.length) {
    body.identities = identities.map((one) => ({
      ...(one.id ? { id: one.id } : {}),
      kind: one.kind,
      value: one.value.trim(),
      label: one.label,
    }))
  }
  const left = new Set(draft.identities.filter((one) => one.value.trim()).map((one) => one.id))
  const removed = customer.identities.filter((one) => one.value !== null && !left.has(one.id)).map((one) => one.id)
  if (removed.length) body.remove_identities = removed
  return body
}

export function EditCard({ customer, close }: { customer: Customer; close: () => void }) {
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const { zone, data: centre, agentName } = useCentre()
  const queries = useQueryClient()
  const [base] = useState(customer)
  const [draft, setDraft] = useState(() => draftOf(customer))
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>(null)
  const [race, setRace] = useState<{ version: number; conflicts: Conflict[] } | null>(null)
  const [choice, setChoice] = useState<Record<string, 'yours' | 'theirs'>>({})
  const set = (next: Partial<Draft>) => setDraft((before) => ({ ...before, ...next }))

  async function send(event?: FormEvent) {
    event?.preventDefault()
    const body = difference(base, draft)
    if (race) {
      for (const one of race.conflicts) {
        if (choice[one.field] !== 'theirs') continue
        const [head, key] = one.field.split('.') as [string, string | undefined]
        if (head === 'consent' && body.consents) delete (body.consents as Record<string, unknown>)[key!]
        else if (head === 'identity') {
          body.identities = ((body.identities as { id?: string }[]) ?? []).filter(
            (it) => it.id !== one.field && it.id !== key,
          )
          body.remove_identities = ((body.remove_identities as string[]) ?? []).filter(
            (it) => it !== one.field && it !== key,
          )
        } else delete body[head]
      }
    }
    const empty = Object.values(body).every((one) => one === undefined || (Array.isArray(one) && !one.length))
    if (!Object.keys(body).length || (empty && !('language' in body))) {
      void queries.invalidateQueries({ queryKey: ['customer', base.id] })
      close()
      return
    }
    setBusy(true)
    setProblem(null)
    try {
      const made = await api.patch<Customer>(`/customers/${base.id}`, {
        version: race?.version ?? base.version,
        ...body,
      })
      queries.setQueryData(['customer', base.id], made)
      void queries.invalidateQueries({ queryKey: ['history', base.id] })
      close()
    } catch (caught) {
      if (caught instanceof ApiProblem && caught.code === 'EDIT-RACE') {
        setRace({ version: Number(caught.body.version), conflicts: (caught.body.conflicts as Conflict[]) ?? [] })
        setChoice({})
      } else setProblem(caught)
    } finally {
      setBusy(false)
    }
  }

  const consents = (name: 'calls' | 'ads') => (
    <div className={css.consents}>
      <span id={`consent-${name}`}>{t(name)}</span>
      <SegmentedControl
        size="xs"
        aria-labelledby={`consent-${name}`}
        value={draft[name]}
        onChange={(value) => set({ [name]: value } as Partial<Draft>)}
        data={[
          { value: 'yes', label: t('allowed') },
          { value: 'no', label: t('forbidden') },
          { value: 'unknown', label: t('notAsked') },
        ]}
      />
    </div>
  )
  const chosen = race?.conflicts.every((one) => choice[one.field]) ?? true

  return (
    <form className={css.form} onSubmit={(event) => void send(event)}>
      {race && (
        <div className={css.race} role="alert">
          <p className="strong">{t('race')}</p>
          {race.conflicts.map((one) => (
            <fieldset key={one.field}>
              <legend>
                {fieldName(t, one.field)} · {t('changedBy', { who: one.by, when: dayAndTime(language, one.at, zone) })}
              </legend>
              {(['yours', 'theirs'] as const).map((side) => (
                <label key={side} className={css.side} data-on={choice[one.field] === side || undefined}>
                  <input
                    type="radio"
                    name={one.field}
                    checked={choice[one.field] === side}
                    onChange={() => setChoice((before) => ({ ...before, [one.field]: side }))}
                  />
                  <span className="dim">{t(side)}</span>
                  <strong>{valueText(one[side]) || t('empty')}</strong>
                </label>
              ))}
            </fieldset>
          ))}
        </div>
      )}
      <div className={css.fields}>
        {customer.kind === 'company' ? (
          <TextInput
            label={t('name')}
            value={draft.name}
            onChange={(event) => set({ name: event.currentTarget.value })}
            maxLength={200}
          />
        ) : (
          <>
            <TextInput
              label={t('given')}
              value={draft.given}
              onChange={(event) => set({ given: event.currentTarget.value })}
              maxLength={200}
              autoFocus
            />
            <TextInput
              label={t('middle')}
              value={draft.middle}
              onChange={(event) => set({ middle: event.currentTarget.value })}
              maxLength={200}
            />
            <TextInput
              label={t('family')}
              value={draft.family}
              onChange={(event) => set({ family: event.currentTarget.value })}
              maxLength={200}
            />
          </>
        )}
        <Select
          label={t('language')}
          value={draft.language}
          onChange={(value) => set({ language: value })}
          clearable
          clearButtonProps={{ 'aria-label': t('empty') }}
          data={[...new Set([...(draft.language ? [draft.language] : []), ...LANGUAGES])].map((one) => ({
            value: one,
            label: languageName(language, one),
          }))}
        />
        <Select
          label={t('preferred_agent')}
          value={draft.preferred_agent}
          onChange={(value) => set({ preferred_agent: value })}
          clearable
          searchable
          limit={100}
          clearButtonProps={{ 'aria-label': t('empty') }}
          data={[
            ...new Set([
              ...(draft.preferred_agent ? [draft.preferred_agent] : []),
              ...(centre?.agents ?? []).map((one) => one.id),
            ]),
          ].map((one) => ({ value: one, label: agentName(one) }))}
        />
        <TextInput
          label={t('badges')}
          placeholder={t('badgesWhy')}
          value={draft.badges}
          onChange={(event) => set({ badges: event.currentTarget.value })}
        />
      </div>
      <fieldset className={css.identities}>
        <legend>{t('phones')}</legend>
        {draft.identities.map((one, index) => (
          <div key={one.id ?? `new${index}`} className={css.identity}>
            <Select
              aria-label={t('kind')}
              value={one.kind}
              allowDeselect={false}
              disabled={one.id !== null}
              data={KINDS.map((kind) => ({ value: kind, label: t(kind) }))}
              onChange={(kind) =>
                set({
                  identities: draft.identities.map((it, at) => (at === index ? { ...it, kind: kind ?? 'phone' } : it)),
                })
              }
            />
            <TextInput
              aria-label={t(one.kind as 'phone')}
              value={one.value}
              onChange={(event) => {
                const value = event.currentTarget.value
                set({ identities: draft.identities.map((it, at) => (at === index ? { ...it, value } : it)) })
              }}
            />
            <button
              type="button"
              className={css.remove}
              aria-label={s('delete')}
              onClick={() => set({ identities: draft.identities.filter((_, at) => at !== index) })}
            >
              <Icon name="close" size={16} />
            </button>
          </div>
        ))}
        <button
          type="button"
          className={css.textButton}
          onClick={() => set({ identities: [...draft.identities, { id: null, kind: 'phone', value: '', label: '' }] })}
        >
          {t('addIdentity')}
        </button>
      </fieldset>
      {consents('calls')}
      {consents('ads')}
      {problem != null && <ProblemNote problem={problem} />}
      <div className={css.formEnd}>
        <Button type="submit" loading={busy} disabled={!chosen}>
          {s('save')}
        </Button>
        <Button variant="default" onClick={close}>
          {s('cancel')}
        </Button>
      </div>
    </form>
  )
}

type T = (key: keyof typeof words) => string

export function fieldName(t: T, field: string): string {
  const [head, key] = field.split('.') as [string, string | undefined]
  if (head === 'consent') return t(key === 'ads' ? 'ads' : 'calls')
  if (head === 'identity') return t('phones')
  if (head === 'promise') return t('promise')
  if (head === 'custom') return key ?? head
  if (head === 'companies') return t('company')
  return head in words ? t(head as keyof typeof words) : head
}

export function valueText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.map(valueText).join(', ')
  if (typeof value === 'object') {
    const known = value as { value?: unknown; text?: unknown; allowed?: unknown; name?: unknown }
    const inner = known.value ?? known.text ?? known.name
    if (inner !== undefined) return valueText(inner)
    if (typeof known.allowed === 'boolean') return known.allowed ? '✓' : '✕'
    return JSON.stringify(value)
  }
  return String(value)
}
