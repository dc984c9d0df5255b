/** C: whose call this is. Known: card and timeline. Several: choose by digit. Nobody: make a card on the way. */
import { Select, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useEffect, useState } from 'react'
import { useDesk } from '../agent/desk'
import { api } from '../api/client'
import { useCentre } from '../api/session'
import { useWords } from '../i18n'
import { phoneNumber } from '../i18n/format'
import { shared } from '../i18n/shared'
import type { ContactLive } from '../live/types'
import { Button, Empty, Kbd, ProblemNote, Waiting } from '../ui'
import { Card } from './Card'
import css from './customers.module.css'
import { DateInputPlain } from './DateInputPlain'
import { EditCard } from './EditCard'
import { Timeline } from './Timeline'
import type { Customer, Found } from './types'
import { words } from './words'

export function CustomerPane({ contact }: { contact: ContactLive }) {
  const known = contact.customer?.id
  const [chosen, setChosen] = useState<{ contact: string; id: string } | null>(null)
  const id = chosen?.contact === contact.id ? chosen.id : known
  if (id) return <CustomerView key={id} id={id} contact={contact} />
  return <Unknown contact={contact} choose={(one) => setChosen({ contact: contact.id, id: one })} />
}

export function CustomerView({ id, contact }: { id: string; contact?: ContactLive }) {
  const s = useWords(shared)
  const [mode, setMode] = useState<'view' | 'edit' | 'promise'>('view')
  const query = useQuery({
    queryKey: ['customer', id],
    queryFn: () => api.get<Customer>(`/customers/${id}`),
    staleTime: 5_000,
  })
  if (query.isPending) return <Waiting />
  if (query.isError) {
    return (
      <div className={css.pane}>
        <ProblemNote problem={query.error} retry={() => void query.refetch()} />
      </div>
    )
  }
  const customer = query.data
  return (
    <div className={css.pane}>
      <Card
        customer={customer}
        edit={() => setMode(mode === 'edit' ? 'view' : 'edit')}
        promise={() => setMode(mode === 'promise' ? 'view' : 'promise')}
      />
      {mode === 'edit' ? (
        <EditCard key={customer.id} customer={customer} close={() => setMode('view')} />
      ) : mode === 'promise' ? (
        <Promises customer={customer} contact={contact} close={() => setMode('view')} />
      ) : (
        <Timeline customer={customer} contact={contact} />
      )}
      <span className="hidden-label">{s('customer')}</span>
    </div>
  )
}

interface PromisesProps {
  customer: Customer
  contact: ContactLive | undefined
  close: () => void
}

function Promises({ customer, contact, close }: PromisesProps) {
  const t = useWords(words)
  const s = useWords(shared)
  const queries = useQueryClient()
  const [text, setText] = useState('')
  const [due, setDue] = useState('')
  const [time, setTime] = useState('')
  const [keeper, setKeeper] = useState('')
  const centre = useCentre()
  const { me, agent } = useDesk()
  const queues = [...new Set([contact?.queue, ...(agent?.queues ?? [])].filter((one) => one != null))]
  const [problem, setProblem] = useState<unknown>(null)
  const take = async (made: Promise<Customer>) => {
    setProblem(null)
    try {
      queries.setQueryData(['customer', customer.id], await made)
      void queries.invalidateQueries({ queryKey: ['callbacks'] })
      return true
    } catch (caught) {
      setProblem(caught)
      return false
    }
  }
  async function send(event: FormEvent) {
    event.preventDefault()
    const at = due ? new Date(`${due}T${time || '18:00'}`).getTime() / 1000 : null
    const body = { text: text.trim(), due: at, queue: keeper || null }
    if (await take(api.post<Customer>(`/customers/${customer.id}/promises`, body))) close()
  }
  return (
    <form className={css.form} onSubmit={(event) => void send(event)}>
      {customer.promises
        .filter((one) => !one.done)
        .map((one) => (
          <div key={one.id} className={css.promiseRow}>
            <span>{one.text}</span>
            <Button
              size="xs"
              variant="default"
              onClick={() =>
                void take(
                  api.patch<Customer>(`/customers/${customer.id}/promises/${one.id}`, {
                    version: customer.version,
                    done: true,
                  }),
                )
              }
            >
              {t('kept')}
            </Button>
          </div>
        ))}
      <div className={css.fields}>
        <TextInput
          label={t('promise')}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          required
          maxLength={500}
          autoFocus
        />
        <DateInputPlain label={t('due')} value={due} change={setDue} />
        <TextInput
          type="time"
          label={t('dueTime')}
          value={time}
          disabled={!due}
          onChange={(event) => setTime(event.currentTarget.value)}
        />
        {me && queues.length > 0 && (
          <Select
            label={t('keeper')}
            value={keeper}
            allowDeselect={false}
            data={[
              { value: '', label: t('keeperMe') },
              ...queues.map((one) => ({ value: one, label: t('keeperQueue', { queue: centre.queueName(one) }) })),
            ]}
            onChange={(value) => setKeeper(value ?? '')}
          />
        )}
      </div>
      {problem != null && <ProblemNote problem={problem} />}
      <div className={css.formEnd}>
        <Button type="submit">{s('save')}</Button>
        <Button variant="default" onClick={close}>
          {s('cancel')}
        </Button>
      </div>
    </form>
  )
}

function Unknown({ contact, choose }: { contact: ContactLive; choose: (id: string) => void }) {
  const t = useWords(words)
  const number = contact.number
  const lookup = useQuery({
    queryKey: ['lookup', number],
    queryFn: () => api.get<{ items: Found[]; withheld: boolean }>('/customers/lookup', { number }),
    enabled: number !== null && contact.direction !== 'internal',
    staleTime: 5_000,
  })
  const several = lookup.data?.items ?? []
  async function take(id: string) {
    choose(id)
    await api.post(`/customers/${id}/contacts`, { contact: contact.id }).catch(() => {})
  }
  useEffect(() => {
    if (!several.length) return
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return
      if (event.target instanceof HTMLElement && event.target.matches('input, textarea, select')) return
      const one = several[Number(/^Digit([1-9])$/.exec(event.code)?.[1]) - 1]
      if (one) {
        event.preventDefault()
        event.stopPropagation()
        void take(one.id)
      }
    }
    window.addEventListener('keydown', press, { capture: true })
    return () => window.removeEventListener('keydown', press, { capture: true })
  })
  if (contact.direction === 'internal') {
    return (
      <div className={css.pane}>
        <Empty title={t('internal')} />
      </div>
    )
  }
  return (
    <div className={css.pane}>
      <section className={css.card}>
        <div className={css.top}>
          <h1 className={`${css.name} num`}>{number ? phoneNumber(number) : t('withheld')}</h1>
        </div>
        <p className="dim">
          {several.length ? t('several', { n: several.length }) : number ? t('newNumberWhy') : t('withheldWhy')}
        </p>
      </section>
      <div className={css.form}>
        {several.length > 0 ? (
          <FoundList items={several} choose={(id) => void take(id)} digits />
        ) : (
          <>
            {number && <p className="strong">{t('newNumber')}</p>}
            <NewCustomer number={number} made={(id) => void take(id)} />
          </>
        )}
        <Finder choose={(id) => void take(id)} />
      </div>
    </div>
  )
}

export function FoundList({
  items,
  choose,
  digits,
}: {
  items: Found[]
  choose: (id: string) => void
  digits?: boolean
}) {
  return (
    <ul className={css.found}>
      {items.map((one, index) => (
        <li key={one.id}>
          <button type="button" onClick={() => choose(one.id)}>
            {digits && index < 9 && <Kbd>{index + 1}</Kbd>}
            <strong>{one.name || (one.number ? phoneNumber(one.number) : '–')}</strong>
            {one.company && <span>{one.company}</span>}
            {one.badges.map((badge) => (
              <span key={badge} className={css.badge}>
                {badge}
              </span>
            ))}
            <span className="dim num">{one.number ? phoneNumber(one.number) : ''}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}

/** Find somebody else's card for this call. */
function Finder({ choose }: { choose: (id: string) => void }) {
  const t = useWords(words)
  const [text, setText] = useState('')
  const query = useQuery({
    queryKey: ['customers', text.trim()],
    queryFn: () => api.get<{ items: Found[] }>('/customers', { q: text.trim(), limit: 8 }),
    enabled: text.trim().length > 1,
    placeholderData: (before) => before,
  })
  return (
    <div>
      <TextInput
        label={t('anotherOne')}
        placeholder={t('find')}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      {text.trim().length > 1 && query.data && <FoundList items={query.data.items} choose={choose} />}
    </div>
  )
}

export function NewCustomer({ number, made }: { number: string | null; made: (id: string) => void }) {
  const t = useWords(words)
  const [given, setGiven] = useState('')
  const [family, setFamily] = useState('')
  const [phone, setPhone] = useState(number ?? '')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>(null)
  async function send(event: FormEvent) {
    event.preventDefault()
    setBusy(true)
    setProblem(null)
    try {
      const made_ = await api.post<Customer>('/customers', {
        given: given.trim() || null,
        family: family.trim() || null,
        identities: phone.trim() ? [{ kind: 'phone', value: phone.trim() }] : [],
      })
      made(made_.id)
    } catch (caught) {
      setProblem(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <form className={css.newOne} onSubmit={(event) => void send(event)}>
      <TextInput
        label={t('given')}
        value={given}
        onChange={(event) => setGiven(event.currentTarget.value)}
        maxLength={200}
      />
      <TextInput
        label={t('family')}
        value={family}
        onChange={(event) => setFamily(event.currentTarget.value)}
        maxLength={200}
      />
      {number === null && (
        <TextInput label={t('phone')} value={phone} onChange={(event) => setPhone(event.currentTarget.value)} />
      )}
      <Button type="submit" loading={busy} disabled={!given.trim() && !family.trim() && !phone.trim()}>
        {t('openCard')}
      </Button>
      {problem != null && <ProblemNote problem={problem} />}
    </form>
  )
}
