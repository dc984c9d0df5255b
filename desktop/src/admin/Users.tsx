/** Who may sign in: roles, for whom, as which agent; help in, block. Saved one by one, with an undo. */
import { Checkbox, MultiSelect, PasswordInput, SegmentedControl, Select, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useEffect, useState } from 'react'
import { useLocation } from 'wouter'
import { ApiProblem, api } from '../api/client'
import { useCentre } from '../api/session'
import type { Schema } from '../api/types'
import { useUser } from '../app/me'
import { useLanguage, useWords } from '../i18n'
import { dayAndTime } from '../i18n/format'
import { shared } from '../i18n/shared'
import { Button, Icon, ProblemNote, Waiting } from '../ui'
import css from './admin.module.css'
import { ids, nameOf, type Tree } from './draft'
import { fieldSay } from './fields'
import { Listing } from './Listing'
import { Once } from './parts'
import { type Conflict, UNDO_FOR } from './store'
import { words } from './words'

type User = Schema<'UserShown'>

const USERS = ['admin', 'users'] as const
const ROLES = [
  'agent',
  'supervisor',
  'administrator',
  'quality',
  'trainer',
  'planner',
  'technician',
  'client_viewer',
] as const

export function Users({ tree, chosen = null }: { tree: Tree; chosen?: string | null }) {
  const t = useWords(words)
  const language = useLanguage()
  const { zone } = useCentre()
  const [making, setMaking] = useState(false)
  const [, go] = useLocation()
  const { data, error, refetch } = useQuery({
    queryKey: USERS,
    queryFn: () => api.get<{ items: User[] }>('/admin/users'),
  })
  const [made, setMade] = useState<{ id: string; password: string } | null>(null)
  if (error) return <ProblemNote problem={error} retry={() => void refetch()} />
  if (!data) return <Waiting />
  const one = data.items.find((user) => user.id === chosen)
  return (
    <Listing
      title={t('users')}
      base="/settings/users"
      chosen={making ? '' : chosen}
      items={data.items.map((user) => ({
        id: user.id,
        name: user.name,
        dimmed: !user.active,
        note: (
          <>
            {user.roles.map((role) => t(`role_${role}` as 'role_agent')).join(', ')}
            {!user.active && ` · ${t('blocked')}`}
            {user.must_change && ` · ${t('temporary')}`}
          </>
        ),
      }))}
      add={
        <Button size="xs" leftSection={<Icon name="plus" size={14} />} onClick={() => setMaking(true)}>
          {t('newUser')}
        </Button>
      }
    >
      {making ? (
        <NewUser
          tree={tree}
          done={(user, password) => {
            setMaking(false)
            if (!user) return
            setMade(password ? { id: user.id, password } : null)
            go(`/settings/users/${user.id}`)
          }}
        />
      ) : one ? (
        <One key={one.id} user={one} tree={tree}>
          {made?.id === one.id && (
            <div className={css.made} role="status">
              <p>{t('userMade', { name: one.name })}</p>
              <Once text={made.password} />
            </div>
          )}
          <p className={css.hint}>
            {t('seen')}: {one.seen_at === null ? t('never') : dayAndTime(language, one.seen_at, zone)} ·{' '}
            {t('nSessions', { n: one.sessions })} · {t('secondFactor')}:{' '}
            {[one.totp ? t('authenticator') : '', one.passkeys ? t('nPasskeys', { n: one.passkeys }) : '']
              .filter(Boolean)
              .join(', ') || t('none')}
          </p>
        </One>
      ) : (
        <p className={css.choose}>{chosen ? t('gone') : t('usersWhy')}</p>
      )}
    </Listing>
  )
}

interface Draft {
  roles: string[]
  scopes: string[]
  agent: string | null
}

const draftOf = (user: User): Draft => ({ roles: user.roles, scopes: user.scopes, agent: user.agent })

function Access({ draft, set, tree }: { draft: Draft; set: (next: Partial<Draft>) => void; tree: Tree }) {
  const t = useWords(words)
  const whole = draft.scopes.includes('tenant')
  const agents = ids(tree, 'agents').map((one) => ({ value: one, label: nameOf(tree, 'agents', one) }))
  if (draft.agent && !agents.some((one) => one.value === draft.agent))
    agents.push({ value: draft.agent, label: draft.agent })
  const groups = (['clients', 'teams', 'queues'] as const).map((table) => ({
    group: t(table),
    items: ids(tree, table).map((one) => ({
      value: `${table.slice(0, -1)}:${one}`,
      label: nameOf(tree, table, one),
    })),
  }))
  return (
    <>
      <fieldset className={css.fieldset}>
        <legend>{t('roles')}</legend>
        <p className={css.hint}>{t('rolesWhy')}</p>
        <div className={css.roles}>
          {ROLES.map((role) => (
            <Checkbox
              key={role}
              checked={draft.roles.includes(role)}
              label={t(`role_${role}`)}
              description={t(`role_${role}_why`)}
              onChange={(event) =>
                set({
                  roles: event.currentTarget.checked
                    ? [...draft.roles, role].sort()
                    : draft.roles.filter((one) => one !== role),
                })
              }
            />
          ))}
        </div>
      </fieldset>
      <Select
        label={t('actsAs')}
        description={t('actsAsWhy')}
        placeholder={t('noAgent')}
        data={agents}
        value={draft.agent}
        clearable
        searchable
        limit={100}
        onChange={(agent) => set({ agent })}
      />
      <fieldset className={css.fieldset}>
        <legend>{t('scopes')}</legend>
        <p className={css.hint}>{t('scopesWhy')}</p>
        <SegmentedControl
          aria-label={t('scopes')}
          value={whole ? 'whole' : 'some'}
          data={[
            { value: 'whole', label: t('wholeHouse') },
            { value: 'some', label: t('onlySome') },
          ]}
          onChange={(how) => set({ scopes: how === 'whole' ? ['tenant'] : [] })}
        />
        {!whole && (
          <MultiSelect
            mt="sm"
            aria-label={t('onlySome')}
            data={groups}
            value={draft.scopes}
            searchable
            limit={100}
            onChange={(scopes) => set({ scopes })}
          />
        )}
      </fieldset>
    </>
  )
}

function One({ user, tree, children }: { user: User; tree: Tree; children: ReactNode }) {
  const me = useUser()
  const t = useWords(words)
  const s = useWords(shared)
  const queries = useQueryClient()
  const [base, setBase] = useState(user)
  const [draft, setDraft] = useState(() => draftOf(user))
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>(null)
  const [race, setRace] = useState<Conflict[] | null>(null)
  const [done, setDone] = useState<{ text: string; before?: Partial<User> } | null>(null)
  const [link, setLink] = useState<string | null>(null)
  const [password, setPassword] = useState<string | null>(null)
  const [factors, setFactors] = useState(false)
  const [keepTokens, setKeepTokens] = useState(false)
  useEffect(() => {
    if (!done) return
    const timer = setTimeout(() => setDone(null), UNDO_FOR * 1000)
    return () => clearTimeout(timer)
  }, [done])

  const changes: Partial<Draft> = {}
  if (draft.roles.join() !== base.roles.join()) changes.roles = draft.roles
  if ([...draft.scopes].sort().join() !== base.scopes.join()) changes.scopes = draft.scopes
  if (draft.agent !== base.agent) changes.agent = draft.agent
  const n = Object.keys(changes).length
  const needs = !draft.roles.length || !draft.scopes.length

  function take(next: User) {
    setBase(next)
    setDraft(draftOf(next))
    queries.setQueryData<{ items: User[] }>([...USERS], (all) =>
      all ? { items: all.items.map((one) => (one.id === next.id ? next : one)) } : all,
    )
  }
  async function run(work: () => Promise<void>) {
    setBusy(true)
    setProblem(null)
    try {
      await work()
    } catch (caught) {
      setProblem(caught)
    } finally {
      setBusy(false)
    }
  }
  async function send(body: Partial<User>, on: User): Promise<User | null> {
    try {
      return await api.patch<User>(`/admin/users/${user.id}`, { ...body, changed_at: on.changed_at })
    } catch (caught) {
      if (!(caught instanceof ApiProblem && caught.code === 'EDIT-RACE')) throw caught
      const { items } = await api.get<{ items: User[] }>('/admin/users')
      const now = items.find((one) => one.id === user.id)
      if (!now) throw caught
      // Only what somebody else changed as well is a conflict: a new password of theirs is none.
      const both = ((caught.body.conflicts ?? []) as Conflict[]).filter(
        (one) => String(one.theirs) !== String(on[one.field as keyof User]),
      )
      setBase(now)
      if (!both.length) return send(body, now)
      setRace(both)
      return null
    }
  }
  const patch = (body: Partial<User>, undoable = true) =>
    run(async () => {
      const before = Object.fromEntries(Object.keys(body).map((key) => [key, base[key as keyof User]]))
      const next = await send(body, base)
      if (!next) return
      take(next)
      setRace(null)
      setDone({ text: t('userSaved'), before: undoable ? before : undefined })
    })
  const save = (event: FormEvent) => {
    event.preventDefault()
    if (n && !needs) void patch(changes)
  }
  const path = `/admin/users/${user.id}`
  const url = link ? `${location.origin}/link#${link}` : ''
  return (
    <form className={css.form} onSubmit={save} noValidate>
      <header className={css.formHead}>
        <h1 className={css.formTitle}>{user.name}</h1>
        {user.id === me.id && <span className={css.mark}>{t('yourself')}</span>}
        {!base.active && <span className={css.mark}>{t('blocked')}</span>}
      </header>
      {children}
      {race && (
        <section className={css.problems} role="alert">
          <h2>{t('raceTitle')}</h2>
          <table className={css.limits}>
            <thead>
              <tr>
                <td />
                <th scope="col">{t('mine')}</th>
                <th scope="col">{t('theirs')}</th>
              </tr>
            </thead>
            <tbody>
              {race.map((one) => (
                <tr key={one.field}>
                  <th scope="row">
                    {one.field === 'roles' ? t('roles') : one.field === 'scopes' ? t('scopes') : t('actsAs')}
                  </th>
                  <td>{plain(one.yours)}</td>
                  <td>
                    {plain(one.theirs)}{' '}
                    <Button
                      size="compact-xs"
                      variant="default"
                      onClick={() => {
                        setDraft((now) => ({ ...now, [one.field]: one.theirs }))
                        setRace((all) => all?.filter((other) => other.field !== one.field) ?? null)
                      }}
                    >
                      {t('theirs')}
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          <code>EDIT-RACE</code>
        </section>
      )}
      <Access draft={draft} set={(next) => setDraft((now) => ({ ...now, ...next }))} tree={tree} />
      {needs && <p className={css.wrong}>{t(draft.roles.length ? 'scopesWhy' : 'rolesWhy')}</p>}
      <div className={css.actsLine}>
        <Button type="submit" loading={busy} disabled={!n || needs}>
          {t('save')}
        </Button>
        {n > 0 && (
          <Button variant="default" onClick={() => setDraft(draftOf(base))}>
            {t('discard')}
          </Button>
        )}
        <span role="status" className={css.line}>
          {done && (
            <>
              <Icon name="check" size={16} /> <span>{done.text}</span>
              {done.before && (
                <Button size="xs" variant="default" onClick={() => void patch(done.before!, false)}>
                  {s('undo')}
                </Button>
              )}
            </>
          )}
        </span>
      </div>
      {problem ? <ProblemNote problem={problem} /> : null}
      <section className={css.help}>
        <h2>{t('helpIn')}</h2>
        <div className={css.line}>
          <Button
            variant="default"
            disabled={!base.active}
            leftSection={<Icon name="link" size={16} />}
            onClick={() => void run(async () => setLink((await api.post<{ secret: string }>(`${path}/link`)).secret))}
          >
            {t('link')}
          </Button>
          {user.id !== me.id && (
            <>
              <Button
                variant="default"
                leftSection={<Icon name="key" size={16} />}
                onClick={() =>
                  void run(async () => {
                    const found = await api.post<{ password: string }>(`${path}/password`, {
                      second_factors: factors,
                      keep_tokens: keepTokens,
                    })
                    setPassword(found.password)
                    await queries.invalidateQueries({ queryKey: [...USERS] })
                  })
                }
              >
                {t('resetPassword')}
              </Button>
              <Checkbox
                label={t('alsoFactors')}
                checked={factors}
                onChange={(event) => setFactors(event.currentTarget.checked)}
              />
              <Checkbox
                label={t('keepTokens')}
                checked={keepTokens}
                onChange={(event) => setKeepTokens(event.currentTarget.checked)}
              />
            </>
          )}
        </div>
        {link && (
          <div className={css.made}>
            <p>{t('linkWhy', { name: user.name })}</p>
            <Once text={url} />
          </div>
        )}
        {password && (
          <div className={css.made}>
            <p>{t('resetWhy')}</p>
            <Once text={password} />
          </div>
        )}
        <div className={css.line}>
          <Button
            variant="default"
            disabled={!base.sessions}
            onClick={() =>
              void run(async () => {
                take(await api.post<User>(`${path}/sign-out`))
                setDone({ text: t('sessionsEnded') })
              })
            }
          >
            {t('endSessions')}
          </Button>
          {user.id !== me.id && (
            <Button variant="default" title={t('blockWhy')} onClick={() => void patch({ active: !base.active })}>
              {base.active ? t('block') : t('letIn')}
            </Button>
          )}
          {user.id !== me.id && base.active && <span className="dim">{t('blockWhy')}</span>}
        </div>
      </section>
    </form>
  )
}

const plain = (value: unknown): string => (Array.isArray(value) ? value.join(', ') : String(value ?? '–'))

function NewUser({ tree, done }: { tree: Tree; done: (user: User | null, password?: string | null) => void }) {
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const queries = useQueryClient()
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [draft, setDraft] = useState<Draft>({ roles: ['agent'], scopes: ['tenant'], agent: null })
  const [problem, setProblem] = useState<unknown>(null)
  const [tried, setTried] = useState(false)
  const [busy, setBusy] = useState(false)
  async function make(event: FormEvent) {
    event.preventDefault()
    setTried(true)
    if (!name.trim() || !draft.roles.length || !draft.scopes.length) return
    setBusy(true)
    setProblem(null)
    try {
      const made = await api.post<User & { password: string | null }>('/admin/users', {
        name: name.trim(),
        ...draft,
        ...(password ? { password } : {}),
      })
      await queries.invalidateQueries({ queryKey: [...USERS] })
      done(made, made.password)
    } catch (caught) {
      setProblem(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <form className={css.form} onSubmit={make} noValidate>
      <h1 className={css.formTitle}>{t('newUser')}</h1>
      <TextInput
        label={t('signInName')}
        value={name}
        autoFocus
        required
        autoComplete="off"
        spellCheck={false}
        autoCapitalize="none"
        maxLength={64}
        error={tried && !name.trim() ? fieldSay(language, 'wrong.needed') : null}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Access draft={draft} set={(next) => setDraft((now) => ({ ...now, ...next }))} tree={tree} />
      {tried && !draft.roles.length && <p className={css.wrong}>{fieldSay(language, 'wrong.needed')}</p>}
      <PasswordInput
        label={t('passwordNew')}
        description={t('passwordNewWhy')}
        value={password}
        autoComplete="new-password"
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      {problem ? <ProblemNote problem={problem} /> : null}
      <div className={css.actsLine}>
        <Button type="submit" loading={busy}>
          {t('make')}
        </Button>
        <Button variant="default" onClick={() => done(null)}>
          {s('cancel')}
        </Button>
      </div>
    </form>
  )
}
