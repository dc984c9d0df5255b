/** The customer's card, always of one height: name, badges, consents, numbers, the next promise. */
import { useCentre } from '../api/session'
import { useLanguage, useWords } from '../i18n'
import { dayAndTime, dayOf, phoneNumber } from '../i18n/format'
import { shared } from '../i18n/shared'
import { Button, Icon } from '../ui'
import css from './customers.module.css'
import type { Consent, Customer } from './types'
import { words } from './words'

export function languageName(page: string, code: string): string {
  try {
    return new Intl.DisplayNames([page], { type: 'language' }).of(code) ?? code
  } catch {
    return code
  }
}

function ConsentMark({ what, consent }: { what: 'calls' | 'ads'; consent: Consent | null }) {
  const t = useWords(words)
  const language = useLanguage()
  const { zone } = useCentre()
  const state = consent === null ? t('notAsked') : consent.allowed ? t('allowed') : t('forbidden')
  const title = consent
    ? t('consentOf', { what: t(what), state, by: consent.by, when: dayAndTime(language, consent.at, zone) })
    : `${t(what)}: ${state}`
  return (
    <span className={css.consent} data-off={consent?.allowed === false || undefined} title={title}>
      {t(what)} {consent === null ? '–' : <Icon name={consent.allowed ? 'check' : 'close'} size={14} label={state} />}
    </span>
  )
}

export function Card({ customer, edit, promise }: { customer: Customer; edit?: () => void; promise?: () => void }) {
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const { zone } = useCentre()
  const phones = customer.identities.filter((one) => one.kind === 'phone')
  const others = customer.identities.filter((one) => one.kind !== 'phone')
  const next = customer.promises.filter((one) => !one.done).sort((a, b) => (a.due ?? 9e15) - (b.due ?? 9e15))[0]
  return (
    <section className={css.card} aria-label={t('customers')}>
      <div className={css.top}>
        <h1 className={css.name}>{customer.name || (phones[0]?.value ? phoneNumber(phones[0].value) : '–')}</h1>
        {customer.badges.map((one) => (
          <span key={one} className={css.badge}>
            {one}
          </span>
        ))}
        {customer.companies.length > 0 && (
          <span className={css.company}>{customer.companies.map((one) => one.name).join(', ')}</span>
        )}
        {edit && (
          <Button
            size="xs"
            variant="default"
            onClick={edit}
            className={css.edit}
            leftSection={<Icon name="edit" size={16} />}
          >
            {s('edit')}
          </Button>
        )}
      </div>
      <p className={css.facts}>
        {phones.slice(0, 2).map((one) => (
          <span key={one.id} className="num" title={one.label}>
            {one.value ? phoneNumber(one.value) : '•••'}
          </span>
        ))}
        {others.slice(0, 2).map((one) => (
          <span key={one.id}>{one.value ?? '•••'}</span>
        ))}
        {customer.language && <span>{languageName(language, customer.language)}</span>}
        <ConsentMark what="calls" consent={customer.consents.calls} />
        <ConsentMark what="ads" consent={customer.consents.ads} />
      </p>
      <p className={css.promise}>
        {next ? (
          <>
            <strong>{t('promise')}:</strong>
            <span className={css.promiseText}>
              {next.due ? t('promiseBy', { text: next.text, when: dayOf(language, next.due, zone) }) : next.text}
            </span>
          </>
        ) : null}
        {promise && (
          <button type="button" className={css.textButton} onClick={promise}>
            {t('addPromise')}
          </button>
        )}
      </p>
    </section>
  )
}
