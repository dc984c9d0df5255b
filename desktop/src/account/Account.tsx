/** One's own: password, authenticator, passkeys, sessions, tokens, language. */
import {
  Checkbox,
  type MantineColorScheme,
  PasswordInput,
  SegmentedControl,
  Switch,
  TextInput,
  useMantineColorScheme,
} from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, lazy, type ReactNode, Suspense, useState } from 'react'
import { Once } from '../admin/parts'
import { ApiProblem, api } from '../api/client'
import { may, useCentre } from '../api/session'
import type { Schema } from '../api/types'
import { setKeys, useKeys } from '../app/keys'
import { useUser } from '../app/me'
import { LANGUAGE_NAMES, LANGUAGES, type Language, setLanguage, useLanguage, useWords } from '../i18n'
import { dayAndTime, dayOf } from '../i18n/format'
import { shared } from '../i18n/shared'
import { Button, Page, ProblemNote, useProblemText, Waiting } from '../ui'
import css from './account.module.css'
import { NewPassword } from './NewPassword'
import { makePasskey, passkeysWhyNot } from './passkeys'
import { titles } from './titles'
import { words } from './words'

const Qr = lazy(() => import('./Qr'))

const SECURITY = ['account', 'security'] as const
const PASSKEYS = ['account', 'passkeys'] as const
const TOKENS = ['tokens'] as const

export default function Account() {
  const me = useUser()
  const t = useWords(words)
  const own = useWords(titles)
  const [changed, setChanged] = useState(false)
  const security = useQuery({ queryKey: SECURITY, queryFn: () => api.get<Schema<'Security'>>('/me/security') })
  return (
    <Page title={own('account')}>
      <div className={css.page}>
        <p className="dim">{t('signedInAs', { name: me.name })}</p>
        <Section title={t('password')} why={t('passwordWhy')}>
          <NewPassword tokens={may(me, 'tokens')} done={() => setChanged(true)} />
          <p role="status" className={css.good}>
            {changed ? t('changed') : ''}
          </p>
        </Section>
        {security.isError ? (
          <ProblemNote problem={security.error} retry={() => void security.refetch()} />
        ) : security.data ? (
          <>
            <Totp on={security.data.totp} />
            <Passkeys />
            <Sessions sessions={security.data.sessions} />
          </>
        ) : (
          <Waiting />
        )}
        {may(me, 'tokens') && <Tokens />}
        <Looks />
      </div>
    </Page>
  )
}

function Section({ title, why, children }: { title: string; why?: string; children: ReactNode }) {
  return (
    <section className={css.card} aria-label={title}>
      <div>
        <h2>{title}</h2>
        {why && <p className="dim">{why}</p>}
      </div>
      {children}
    </section>
  )
}

/** Runs a request; keeps what went wrong for its own section. */
function useRun() {
  const text = useProblemText()
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  return {
    busy,
    problem,
    tell: setProblem,
    run: async (work: () => Promise<void>) => {
      setBusy(true)
      setProblem(null)
      try {
        await work()
      } catch (caught) {
        setProblem(text(caught))
      } finally {
        setBusy(false)
      }
    },
  }
}

const Wrong = ({ text }: { text: string | null }) => (
  <p role="alert" className={css.wrong}>
    {text}
  </p>
)

function Totp({ on }: { on: boolean }) {
  const t = useWords(words)
  const queries = useQueryClient()
  const { busy, problem, run } = useRun()
  const [begun, setBegun] = useState<Schema<'Totp'> | null>(null)
  const [code, setCode] = useState('')
  const [password, setPassword] = useState('')
  const [leaving, setLeaving] = useState(false)
  const fresh = () => queries.invalidateQueries({ queryKey: [...SECURITY] })
  const confirm = (event: FormEvent) => {
    event.preventDefault()
    void run(async () => {
      await api.put('/me/totp', { code: code.replace(/\s/g, '') })
      setBegun(null)
      setCode('')
      await fresh()
    })
  }
  const remove = (event: FormEvent) => {
    event.preventDefault()
    void run(async () => {
      await api.post('/me/totp/remove', { password })
      setPassword('')
      setLeaving(false)
      await fresh()
    })
  }
  return (
    <Section title={t('totp')} why={t('totpWhy')}>
      <p role="status" className={on ? css.good : undefined}>
        {on ? t('totpOn') : t('totpOff')}
      </p>
      {begun ? (
        <div className={css.qr}>
          <Suspense fallback={<span style={{ width: 184, height: 184 }} />}>
            <Qr text={begun.uri} label={t('scan')} />
          </Suspense>
          <div>
            <p>{t('scan')}</p>
            <p>
              {t('secret')}: <span className={css.secret}>{begun.secret.replace(/(.{4})/g, '$1 ')}</span>
            </p>
            <form onSubmit={confirm}>
              <TextInput
                label={t('code')}
                value={code}
                autoFocus
                inputMode="numeric"
                autoComplete="one-time-code"
                onChange={(event) => setCode(event.currentTarget.value)}
              />
              <Button type="submit" loading={busy}>
                {t('switchOn')}
              </Button>
            </form>
          </div>
        </div>
      ) : leaving ? (
        <form onSubmit={remove}>
          <PasswordInput
            label={t('offPassword')}
            value={password}
            autoFocus
            autoComplete="current-password"
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <Button type="submit" loading={busy}>
            {t('switchOff')}
          </Button>
        </form>
      ) : (
        <div className={css.line}>
          {on ? (
            <Button variant="default" onClick={() => setLeaving(true)}>
              {t('switchOff')}
            </Button>
          ) : (
            <Button
              variant="default"
              loading={busy}
              onClick={() => void run(async () => setBegun(await api.post<Schema<'Totp'>>('/me/totp')))}
            >
              {t('setUp')}
            </Button>
          )}
        </div>
      )}
      <Wrong text={problem} />
    </Section>
  )
}

function Passkeys() {
  const t = useWords(words)
  const language = useLanguage()
  const { zone } = useCentre()
  const queries = useQueryClient()
  const { busy, problem, run, tell } = useRun()
  const [label, setLabel] = useState('')
  const [asked, setAsked] = useState(false)
  const [password, setPassword] = useState('')
  const whyNot = passkeysWhyNot()
  const { data } = useQuery({
    queryKey: PASSKEYS,
    queryFn: () => api.get<{ items: Schema<'PasskeyShown'>[] }>('/me/passkeys'),
  })
  const fresh = () => queries.invalidateQueries({ queryKey: [...PASSKEYS] })
  const add = (event: FormEvent) => {
    event.preventDefault()
    if (!label.trim()) return tell(t('needed'))
    void run(async () => {
      try {
        await makePasskey(label.trim(), password)
      } catch (caught) {
        if (caught instanceof ApiProblem && caught.code === 'PASSWORD-NEEDED') setAsked(true)
        if (caught instanceof DOMException) return tell(t('passkeyRefused'))
        throw caught
      }
      setLabel('')
      setPassword('')
      setAsked(false)
      await fresh()
    })
  }
  return (
    <Section title={t('passkeys')} why={t('passkeysWhy')}>
      <ul className={css.list}>
        {(data?.items ?? []).map((one) => (
          <li key={one.id}>
            <strong>{one.label}</strong>
            <span className="dim">
              {one.used_at === null ? t('unused') : t('used', { at: dayAndTime(language, one.used_at, zone) })}
            </span>
            <Button
              variant="subtle"
              color="gray"
              size="xs"
              aria-label={t('remove', { name: one.label })}
              onClick={() =>
                void run(async () => {
                  await api.delete(`/me/passkeys/${encodeURIComponent(one.id)}`)
                  await fresh()
                })
              }
            >
              {t('removeWord')}
            </Button>
          </li>
        ))}
      </ul>
      {whyNot ? (
        <p className="dim">{t(whyNot)}</p>
      ) : (
        <form onSubmit={add}>
          <TextInput
            label={t('passkeyName')}
            value={label}
            maxLength={80}
            onChange={(event) => setLabel(event.currentTarget.value)}
          />
          {asked && (
            <PasswordInput
              label={t('passkeyPassword')}
              value={password}
              autoComplete="current-password"
              autoFocus
              onChange={(event) => setPassword(event.currentTarget.value)}
            />
          )}
          <div>
            <Button type="submit" variant="default" loading={busy}>
              {t('passkeyAdd')}
            </Button>
          </div>
        </form>
      )}
      <Wrong text={problem} />
    </Section>
  )
}

function Sessions({ sessions }: { sessions: Schema<'OwnSession'>[] }) {
  const t = useWords(words)
  const language = useLanguage()
  const { zone } = useCentre()
  const queries = useQueryClient()
  const { busy, problem, run } = useRun()
  const [done, setDone] = useState(false)
  return (
    <Section title={t('sessions')}>
      <ul className={css.list}>
        {sessions.map((one) => (
          <li key={`${one.made_at} ${one.address}`}>
            <strong className="num">{one.address}</strong>
            {one.here && <span className={css.good}>{t('here')}</span>}
            <span className="dim">
              {t('since', {
                at: dayAndTime(language, one.made_at, zone),
                seen: dayAndTime(language, one.seen_at, zone),
              })}
            </span>
          </li>
        ))}
      </ul>
      <div className={css.line}>
        <Button
          variant="default"
          loading={busy}
          disabled={sessions.length < 2}
          onClick={() =>
            void run(async () => {
              await api.post('/me/sessions/end-others')
              setDone(true)
              await queries.invalidateQueries({ queryKey: [...SECURITY] })
            })
          }
        >
          {t('endOthers')}
        </Button>
        <span role="status" className={css.good}>
          {done ? t('ended') : ''}
        </span>
      </div>
      <Wrong text={problem} />
    </Section>
  )
}

function Tokens() {
  const me = useUser()
  const t = useWords(words)
  const language = useLanguage()
  const { zone } = useCentre()
  const queries = useQueryClient()
  const { busy, problem, run, tell } = useRun()
  const [label, setLabel] = useState('')
  const [days, setDays] = useState('')
  const [all, setAll] = useState(true)
  const [rights, setRights] = useState<string[]>([])
  const [secret, setSecret] = useState<string | null>(null)
  const { data } = useQuery({
    queryKey: TOKENS,
    queryFn: () => api.get<{ items: Schema<'TokenShown'>[] }>('/tokens'),
  })
  const fresh = () => queries.invalidateQueries({ queryKey: [...TOKENS] })
  const make = (event: FormEvent) => {
    event.preventDefault()
    if (!label.trim() || (!all && !rights.length)) return tell(t('needed'))
    void run(async () => {
      const made = await api.post<Schema<'TokenMade'>>('/tokens', {
        label: label.trim(),
        ...(days.trim() ? { days: Number(days) } : {}),
        ...(all ? {} : { permissions: rights }),
      })
      setSecret(made.secret)
      setLabel('')
      await fresh()
    })
  }
  return (
    <Section title={t('tokens')} why={t('tokensWhy')}>
      <ul className={css.list}>
        {(data?.items ?? []).map((one) => (
          <li key={one.id}>
            <strong>{one.label}</strong>
            <span className="dim">
              {one.permissions ? one.permissions.join(', ') : t('tokenAll')} ·{' '}
              {one.expires_at === null ? t('forEver') : t('until', { at: dayOf(language, one.expires_at, zone) })}
            </span>
            <Button
              variant="subtle"
              color="gray"
              size="xs"
              aria-label={t('remove', { name: one.label })}
              onClick={() =>
                void run(async () => {
                  await api.delete(`/tokens/${encodeURIComponent(one.id)}`)
                  await fresh()
                })
              }
            >
              {t('removeWord')}
            </Button>
          </li>
        ))}
      </ul>
      {secret && (
        <div className={css.once} role="status">
          <p>{t('tokenOnce')}</p>
          <Once text={secret} />
        </div>
      )}
      <form onSubmit={make}>
        <TextInput
          label={t('tokenLabel')}
          value={label}
          maxLength={80}
          onChange={(event) => setLabel(event.currentTarget.value)}
        />
        <TextInput
          label={t('tokenDays')}
          value={days}
          inputMode="numeric"
          onChange={(event) => setDays(event.currentTarget.value.replace(/\D/g, '').slice(0, 4))}
        />
        <Switch
          label={`${t('tokenRights')}: ${t('tokenAll')}`}
          checked={all}
          onChange={(event) => setAll(event.currentTarget.checked)}
        />
        {!all && (
          <fieldset className={css.rights} aria-label={t('tokenRights')}>
            {me.permissions.map((one) => (
              <Checkbox
                key={one}
                label={<code>{one}</code>}
                checked={rights.includes(one)}
                onChange={(event) =>
                  setRights(event.currentTarget.checked ? [...rights, one] : rights.filter((other) => other !== one))
                }
              />
            ))}
          </fieldset>
        )}
        <div>
          <Button type="submit" variant="default" loading={busy}>
            {t('tokenMake')}
          </Button>
        </div>
      </form>
      <Wrong text={problem} />
    </Section>
  )
}

function Looks() {
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const letters = useKeys((one) => one.letters)
  return (
    <Section title={`${s('language')}, ${s('appearance').toLowerCase()}, ${s('keys').toLowerCase()}`}>
      <div className={css.line}>
        <SegmentedControl
          aria-label={s('language')}
          value={language}
          onChange={(one) => setLanguage(one as Language)}
          data={LANGUAGES.map((one) => ({ value: one, label: LANGUAGE_NAMES[one] }))}
        />
        <SegmentedControl
          aria-label={s('appearance')}
          value={colorScheme}
          onChange={(one) => setColorScheme(one as MantineColorScheme)}
          data={(['light', 'dark', 'auto'] as const).map((one) => ({ value: one, label: s(one) }))}
        />
      </div>
      <Switch
        label={t('letters')}
        checked={letters}
        onChange={(event) => setKeys({ letters: event.currentTarget.checked })}
      />
    </Section>
  )
}
