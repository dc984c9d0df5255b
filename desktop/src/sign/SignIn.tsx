/** Signing in, and the first sign-up with the code that the server printed. */
import { Button, PasswordInput, SegmentedControl, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useLocation } from 'wouter'
import { passkeysWhyNot, signInWithPasskey } from '../account/passkeys'
import { ApiProblem, api } from '../api/client'
import { become, type Me } from '../api/session'
import { LANGUAGE_NAMES, LANGUAGES, type Language, sentences, setLanguage, useLanguage, useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { useProblemText } from '../ui'
import css from './sign.module.css'

const words = sentences({
  title: ['Sign in', 'Logowanie', 'Вход'],
  first: ['First start', 'Pierwsze uruchomienie', 'Первый запуск'],
  firstWhy: [
    'This makes the first user: administrator and supervisor. The code was printed where the centre was started.',
    'Tak powstaje pierwszy użytkownik: administrator i supervisor. Kod wypisano tam, gdzie uruchomiono centrum.',
    'Так создаётся первый пользователь: администратор и супервизор. Код напечатан там, где запущен контакт-центр.',
  ],
  name: ['Name', 'Nazwa użytkownika', 'Имя пользователя'],
  password: ['Password', 'Hasło', 'Пароль'],
  newPassword: ['Password (10 characters or more)', 'Hasło (co najmniej 10 znaków)', 'Пароль (не менее 10 знаков)'],
  tenant: ['Centre', 'Centrum', 'Контакт-центр'],
  tenantWhy: ['Only where there are several', 'Tylko gdy jest ich kilka', 'Только если их несколько'],
  code: ['Code of the authenticator', 'Kod z aplikacji uwierzytelniającej', 'Код из приложения-аутентификатора'],
  signUpCode: ['Sign-up code', 'Kod rejestracji', 'Код регистрации'],
  make: ['Make the first user', 'Utwórz pierwszego użytkownika', 'Создать первого пользователя'],
  toFirst: [
    'First start? Sign up with the code',
    'Pierwsze uruchomienie? Zarejestruj się kodem',
    'Первый запуск? Регистрация по коду',
  ],
  toSignIn: ['Sign in instead', 'Przejdź do logowania', 'Перейти ко входу'],
  passkey: ['Sign in with a passkey', 'Zaloguj kluczem dostępu', 'Войти ключом доступа'],
  passkeyRefused: [
    'The device gave no passkey of this centre.',
    'Urządzenie nie podało klucza do tego centrum.',
    'Устройство не дало ключа этого контакт-центра.',
  ],
  several: ['More than one centre runs here', 'Działa tu kilka centrów', 'Здесь несколько контакт-центров'],
})

export default function SignIn({ why = null }: { why?: unknown }) {
  const [path, go] = useLocation()
  const t = useWords(words)
  const s = useWords(shared)
  const problemText = useProblemText()
  const language = useLanguage()
  const queries = useQueryClient()
  const first = path === '/sign-up'
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState(() => (first ? decodeURIComponent(location.hash.slice(1)) : ''))
  const [tenant, setTenant] = useState('')
  const [asksCode, setAsksCode] = useState(false)
  const [asksTenant, setAsksTenant] = useState(false)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>(why)

  async function send(event: FormEvent) {
    event.preventDefault()
    setBusy(true)
    setProblem(null)
    try {
      const me = first
        ? await api.post<Me>('/sign-up', { code: code.trim(), name: name.trim(), password })
        : await api.post<Me>('/session', {
            ...(tenant.trim() ? { tenant: tenant.trim() } : {}),
            name: name.trim(),
            password,
            code: code.trim(),
          })
      if (first) go('/', { replace: true })
      become(queries, me)
    } catch (caught) {
      const found = caught instanceof ApiProblem ? caught.code : ''
      if (found === 'CODE-NEEDED') setAsksCode(true)
      if (found !== 'CODE-NEEDED' || asksCode) setProblem(caught)
    } finally {
      setBusy(false)
    }
  }

  async function byPasskey() {
    setBusy(true)
    setProblem(null)
    try {
      become(queries, await signInWithPasskey())
    } catch (caught) {
      setProblem(caught instanceof DOMException ? t('passkeyRefused') : caught)
    } finally {
      setBusy(false)
    }
  }

  return (
    <main className={css.page}>
      <form className={css.box} onSubmit={send}>
        <div className={css.head}>
          <svg width="28" height="28" viewBox="0 0 32 32" aria-hidden="true">
            <circle cx="16" cy="16" r="11" fill="none" stroke="var(--primary)" strokeWidth="5" />
          </svg>
          <span className={css.brand}>Centrala</span>
        </div>
        <h1 className={css.title}>{first ? t('first') : t('title')}</h1>
        {first && <p className={css.why}>{t('firstWhy')}</p>}
        {first && (
          <TextInput
            label={t('signUpCode')}
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
            required
            autoFocus={!code}
            autoComplete="one-time-code"
            spellCheck={false}
          />
        )}
        {!first && asksTenant && (
          <TextInput
            label={t('tenant')}
            description={t('tenantWhy')}
            value={tenant}
            onChange={(event) => setTenant(event.currentTarget.value)}
            spellCheck={false}
            autoCapitalize="none"
          />
        )}
        <TextInput
          label={t('name')}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          required
          autoFocus={!first || code !== ''}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
        />
        <PasswordInput
          label={first ? t('newPassword') : t('password')}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          required
          minLength={first ? 10 : undefined}
          autoComplete={first ? 'new-password' : 'current-password'}
        />
        {!first && asksCode && (
          <TextInput
            label={t('code')}
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
            required
            autoFocus
            inputMode="numeric"
            autoComplete="one-time-code"
          />
        )}
        <div className={css.problem} role="alert">
          {typeof problem === 'string' ? problem : problem ? problemText(problem) : null}
        </div>
        <Button type="submit" loading={busy} size="md" fullWidth>
          {first ? t('make') : s('signIn')}
        </Button>
        {!first && !passkeysWhyNot() && (
          <Button variant="default" fullWidth disabled={busy} onClick={() => void byPasskey()}>
            {t('passkey')}
          </Button>
        )}
        <div className={css.ways}>
          <button type="button" className={css.way} onClick={() => go(first ? '/' : '/sign-up')}>
            {first ? t('toSignIn') : t('toFirst')}
          </button>
          {!first && !asksTenant && (
            <button type="button" className={css.way} onClick={() => setAsksTenant(true)}>
              {t('several')}
            </button>
          )}
        </div>
      </form>
      <SegmentedControl
        size="sm"
        aria-label={s('language')}
        value={language}
        onChange={(value) => setLanguage(value as Language)}
        data={LANGUAGES.map((one) => ({ value: one, label: LANGUAGE_NAMES[one] }))}
      />
    </main>
  )
}
