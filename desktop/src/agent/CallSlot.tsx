/** B, the call slot: who rings or talks and how long, lanes of a consultation, people of a conference; below it my day. */
import { Button, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, Suspense, useEffect, useRef, useState } from 'react'
import { api } from '../api/client'
import { useCentre } from '../api/session'
import { useAct } from '../app/keys'
import { part } from '../app/part'
import type { Customer, Row } from '../customers/types'
import { useLanguage, useWords } from '../i18n'
import { clock, dayOf, percent, phoneNumber, span, timeOf } from '../i18n/format'
import { shared } from '../i18n/shared'
import { useEntity, useEvery } from '../live/store'
import { now } from '../live/time'
import type { AgentLive, ContactLive, Party } from '../live/types'
import { Clock, Icon, Kbd, StateShape, TimeBar } from '../ui'
import { acts } from './acts'
import css from './agent.module.css'
import { NextCallbacks } from './Callbacks'
import type { Conversation } from './conversation'
import { command, useDesk, useNextName, usePending, useWho } from './desk'
import { useDay } from './figures'
import { useAutoAnswer } from './phone'
import { words } from './words'

const HandedOn = part(() => import('./HandedOn'))
const Message = part(() => import('./Message'))

export default function CallSlot() {
  const t = useWords(words)
  const { agent, talk } = useDesk()
  return (
    <div className={css.slot}>
      <h2 className={css.slotHead}>{t('callHead')}</h2>
      <div className={css.slotCall} data-phase={talk.phase}>
        {talk.phase === 'ringing' && talk.contact ? (
          <Offer contact={talk.contact} />
        ) : talk.phase === 'wrap_up' && talk.contact && agent ? (
          <WrapUp agent={agent} contact={talk.contact} />
        ) : talk.phase !== 'none' && talk.contact ? (
          <Talk talk={talk} contact={talk.contact} />
        ) : (
          <Nobody />
        )}
      </div>
      <Messages />
      <Mine />
    </div>
  )
}

/** An offer: what to know before the answer, in the order of need. */
function Offer({ contact }: { contact: ContactLive }) {
  const t = useWords(words)
  const who = useWho()
  const centre = useCentre()
  const name = who.customer(contact)
  const { customer } = contact
  const { agent } = useDesk()
  const missed = agent?.missed ?? 0
  useEffect(() => noteOffer(contact, missed), [contact, missed])
  const queue = useEntity('queue', contact.queue)
  const behind = queue ? queue.waiting - 1 : 0
  const rule = contact.why?.split(/[ :]/)[0] ?? ''
  return (
    <div className={css.offer} aria-live="assertive">
      <p className={css.offerName}>
        <StateShape state="offered" size={16} pulse />
        <span>{name}</span>
        {customer?.badges?.map((one) => (
          <span key={one} className={css.badge}>
            {one}
          </span>
        ))}
      </p>
      {customer?.company && <p>{customer.company}</p>}
      {contact.number && name !== phoneNumber(contact.number) && <p className="num">{phoneNumber(contact.number)}</p>}
      <p className={css.waitRow}>
        <span>{centre.queueName(contact.queue) || t('direct')}</span>
        {contact.since ? <Clock since={contact.since} className={css.talkClock} /> : null}
      </p>
      <Owed contact={contact} />
      {rule in words && (
        <p className={css.whyMe}>
          {t('whyMe')}: {t(rule as keyof typeof words)}
          {rule === 'relaxed' ? ` (${eased(contact.why ?? '')})` : ''}
        </p>
      )}
      {behind > 0 && <p className={css.whyMe}>{t('behind', { n: behind })}</p>}
      <FromOthers contact={contact} />
      <Way contact={contact} />
      {customer && <Before id={customer.id} />}
      <span className={css.bottom}>
        <OfferBar key={contact.id} contact={contact} />
      </span>
    </div>
  )
}

/** A callback, or a message that was left: what was promised to them. */
function Owed({ contact }: { contact: ContactLive }) {
  const t = useWords(words)
  const language = useLanguage()
  const { zone } = useCentre()
  const { owed, promise } = contact
  if (!owed || !promise) return null
  const at = promise.at ?? now()
  if (owed === 'message') {
    return (
      <div className={css.whyMe}>
        <strong>{t('owedMessage', { clock: clock(contact.seconds ?? 0), time: timeOf(language, at, zone) })}</strong>
        <Suspense fallback={null}>
          <Message contact={contact} />
        </Suspense>
      </div>
    )
  }
  const waited = Math.max(0, at - (promise.since ?? at))
  const sentence = promise.why === 'abandoned' ? 'owedLost' : waited < 1 ? 'owedPromised' : 'owedCallback'
  return (
    <p className={css.whyMe}>
      <strong>{t(sentence, { waited: span(language, waited), time: timeOf(language, at, zone) })}</strong>
      {promise.attempt > 1 && ` ${t('owedAttempt', { n: promise.attempt, all: promise.attempts })}`}
    </p>
  )
}

/** Whoever left the message is called into the same conversation. */
function CallThem({ contact }: { contact: ContactLive }) {
  const t = useWords(words)
  const pending = usePending((one) => one.names)
  if (contact.owed !== 'message' || contact.state !== 'active' || contact.hears?.[contact.id]) return null
  return (
    <Button
      size="xs"
      loading={pending.has('call-customer')}
      onClick={() => void command('call-customer')}
      leftSection={<Icon name="phone" size={14} />}
      style={{ alignSelf: 'flex-start' }}
    >
      {t('callThem')}
    </Button>
  )
}

/** What isn't asked for any more, out of "relaxed after 60 s: english 3, first in line, …". */
export function eased(why: string): string {
  return why.replace(/^relaxed [^:]*: /, '').replace(/, (first in line|preferred queue first|\w+ of \d+ idle).*$/, '')
}

/** Who has handed the customer on to me, and why. */
function FromOthers({ contact }: { contact: ContactLive }) {
  if (!contact.handed?.length) return null
  return (
    <Suspense fallback={null}>
      <HandedOn contact={contact} />
    </Suspense>
  )
}

/** Through which menus the customer came. */
function Way({ contact }: { contact: ContactLive }) {
  const t = useWords(words)
  if (!contact.path?.length) return null
  return (
    <p className={css.whyMe}>
      {t('way')}: {contact.path.join(' → ')}
    </p>
  )
}

/** What they answered there. */
function Answers({ contact }: { contact: ContactLive }) {
  const t = useWords(words)
  const s = useWords(shared)
  const answers = Object.entries(contact.answers ?? {})
  if (!answers.length) return null
  const said = (value: string | number | boolean | null) =>
    typeof value === 'boolean' ? s(value ? 'yes' : 'no') : value === null || value === '' ? '–' : String(value)
  return (
    <dl className={css.facts} aria-label={t('answers')}>
      {answers.map(([name, value]) => (
        <div key={name} className={css.answer}>
          <dt>{name}</dt>
          <dd>{said(value)}</dd>
        </div>
      ))}
    </dl>
  )
}

/** What was last, and what was promised; fetched while it rings, so that the card is there at the answer. */
function Before({ id }: { id: string }) {
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const centre = useCentre()
  const card = useQuery({
    queryKey: ['customer', id],
    queryFn: () => api.get<Customer>(`/customers/${id}`),
    staleTime: 5_000,
  })
  const last = useQuery({
    queryKey: ['timeline-last', id],
    queryFn: () => api.get<{ items: Row[] }>(`/customers/${id}/timeline`, { limit: 3 }),
    staleTime: 5_000,
  })
  const promise = card.data?.promises.find((one) => !one.done)
  const before = last.data?.items.find((one) => one.contact && one.contact.outcome !== null)
  const record = before?.contact as { disposition?: string | null; outcome?: string; agent?: string | null } | undefined
  const outcome = record?.outcome && record.outcome in shared ? s(record.outcome as keyof typeof shared) : ''
  return (
    <>
      {before && record && (
        <p className={css.whyMe}>
          {t('lastContact', {
            day: dayOf(language, before.at, centre.zone),
            what: [
              record.disposition ? centre.dispositionName(record.disposition) : outcome,
              centre.agentName(record.agent),
            ]
              .filter(Boolean)
              .join(', '),
          })}
        </p>
      )}
      {promise && (
        <p className={css.whyMe}>
          <strong>
            {promise.due
              ? t('promised', { text: promise.text, day: dayOf(language, promise.due, centre.zone) })
              : promise.text}
          </strong>
        </p>
      )}
    </>
  )
}

/** How long it rings here: counted from when this page saw it. */
function OfferBar({ contact }: { contact: ContactLive }) {
  const { agent } = useDesk()
  const t = useWords(words)
  const since = agent?.since ?? contact.since ?? now()
  const seconds = useAutoAnswer(contact)
  const until = seconds ? since + seconds : agent?.until && agent.until > since ? agent.until : since + 15
  return (
    <>
      {seconds !== null && <span className={css.whyMe}>{t('answersItself')}</span>}
      <TimeBar since={since} until={until} tone="amber" />
    </>
  )
}

function Talk({ talk, contact }: { talk: Conversation; contact: ContactLive }) {
  useEffect(forgetOffer, [])
  const t = useWords(words)
  const s = useWords(shared)
  const who = useWho()
  const centre = useCentre()
  const name = who.customer(contact)
  const held = talk.phase === 'hold' || (talk.phase === 'consult' && talk.lane === 'asked')
  const dialling = talk.phase === 'dialling'
  return (
    <div className={css.talk}>
      <p className={css.talkName}>
        <StateShape state={held ? 'held' : dialling ? 'offered' : 'on_contact'} size={16} />
        <span>{name}</span>
      </p>
      <p className={css.talkLine}>
        <span>
          {dialling
            ? t('dialling')
            : centre.queueName(contact.queue) || (contact.direction === 'outbound' ? t('outboundTo') : '')}
        </span>
        <Clock since={contact.talk_since ?? null} className={css.talkClock} />
      </p>
      {contact.recorded && contact.recording?.state !== 'paused' && (
        <p className={css.recorded}>
          <i aria-hidden="true" />
          {t('recorded')}
        </p>
      )}
      {dialling && talk.mine?.state === 'ringing' && <p className="dim">{t('dialPickUp')}</p>}
      <Owed contact={contact} />
      {talk.owner && <CallThem contact={contact} />}
      {(talk.phase === 'hold' || (talk.phase === 'consult' && held)) && contact.hold_since && (
        <p className={css.lane} data-held>
          <span>{t('onHoldFor')}</span>
          <Clock since={contact.hold_since} limit={60} />
        </p>
      )}
      {talk.phase === 'consult' && talk.asked && (
        <ul className={css.lanes}>
          <li data-on={talk.lane === 'customer' || undefined}>
            <strong>{name}</strong>
            <span>{talk.lane === 'customer' ? t('hearsYou') : t('hearsMusic')}</span>
          </li>
          <li data-on={talk.lane === 'asked' || undefined}>
            <strong>{who.party(talk.asked)}</strong>
            <span>
              {talk.asked.state === 'ringing' ? t('rings') : talk.lane === 'asked' ? t('hearsYou') : t('hearsMusic')}
            </span>
          </li>
        </ul>
      )}
      {(talk.phase === 'conference' || talk.phase === 'joined') && (
        <ul className={css.lanes}>
          {talk.phase === 'joined' ? null : (
            <li data-on={contact.state === 'active' || undefined}>
              <strong>{name}</strong>
              <span>{contact.state === 'active' ? t('hearsYou') : t('hearsMusic')}</span>
            </li>
          )}
          {talk.others.map((one) => (
            <Member key={one.leg} party={one} removable={talk.owner} />
          ))}
        </ul>
      )}
      {talk.supervisors.map((one) => (
        <p key={one.leg} className={css.supervisor}>
          <Icon name="listen" size={16} />
          {t('supervisorHere', { who: who.party(one), mode: one.mode ?? 'other' })}
        </p>
      ))}
      <FromOthers contact={contact} />
      <Way contact={contact} />
      <Answers contact={contact} />
      <span className="hidden-label">{s('call')}</span>
    </div>
  )
}

function Member({ party, removable }: { party: Party; removable: boolean }) {
  const t = useWords(words)
  const who = useWho()
  const name = who.party(party)
  return (
    <li data-on={party.state === 'talking' || undefined}>
      <strong>{name}</strong>
      <span>{party.state === 'ringing' ? t('rings') : party.state === 'held' ? t('hearsMusic') : t('hearsYou')}</span>
      {removable && (
        <button
          type="button"
          className={css.chipX}
          aria-label={t('remove', { who: name })}
          onClick={() => void command('drop', { leg: party.leg })}
        >
          <Icon name="close" size={14} />
        </button>
      )}
    </li>
  )
}

function WrapUp({ agent, contact }: { agent: AgentLive; contact: ContactLive }) {
  useEffect(forgetOffer, [])
  const t = useWords(words)
  const s = useWords(shared)
  const who = useWho()
  const nextName = useNextName()
  const pending = usePending((one) => one.names)
  const until = agent.until ?? agent.since
  const [over, setOver] = useState(false)
  useEffect(() => {
    const left = (until - now()) * 1000
    setOver(left <= 0)
    if (left <= 0) return
    const timer = setTimeout(() => setOver(true), left)
    return () => clearTimeout(timer)
  }, [until])
  return (
    <div className={css.wrap}>
      <p className={css.talkName}>
        <StateShape state="wrap_up" size={16} />
        <span>{who.customer(contact)}</span>
      </p>
      <p className={css.waitRow}>
        <span>{s('wrap_up')}</span>
        {over ? <Clock since={until} className={css.talkClock} /> : <Clock until={until} className={css.talkClock} />}
      </p>
      <TimeBar since={agent.since} until={until} tone="iris" />
      <p className="dim">
        {over ? t('wrapOver') : t('wrapNext', { what: agent.next ? nextName(agent.next) : t('readyAct') })}
      </p>
      <Button
        size="xs"
        variant="default"
        loading={pending.has('extend')}
        onClick={() => void command('extend', { seconds: 30 })}
        style={{ alignSelf: 'flex-start' }}
      >
        {t('more30')}
      </Button>
    </div>
  )
}

interface Gone {
  text: string
  until: number
}

/** Nobody: what has just happened here, and the field to call somebody. */
function Nobody() {
  const t = useWords(words)
  const { agent } = useDesk()
  const gone = useGone()
  const [number, setNumber] = useState('')
  const pending = usePending((one) => one.names)
  const field = useRef<HTMLInputElement>(null)
  const can = agent !== undefined && !['on_contact', 'held', 'offered', 'wrap_up'].includes(agent.state)
  useAct(
    acts.answer,
    () => (number.trim() && document.activeElement === field.current ? void dial() : field.current?.focus()),
    can,
  )
  async function dial(event?: FormEvent) {
    event?.preventDefault()
    const to = number.replace(/[\s()./-]/g, '')
    if (to && (await command('dial', { number: to }))) setNumber('')
  }
  return (
    <div className={css.nobody}>
      <p className={css.gone} role="status">
        {gone ?? t('noCallNow')}
      </p>
      <form onSubmit={dial} className={css.dial}>
        <TextInput
          ref={field}
          size="sm"
          label={
            <>
              {t('dialLabel')} <Kbd>F2</Kbd>
            </>
          }
          value={number}
          onChange={(event) => setNumber(event.currentTarget.value)}
          inputMode="tel"
          autoComplete="off"
          disabled={!can}
        />
        <button
          type="submit"
          className={css.dialGo}
          disabled={!can || !number.trim() || pending.has('dial')}
          aria-label={t('dialAct')}
        >
          <Icon name="phone" size={18} />
        </button>
      </form>
    </div>
  )
}

/** What became of an offer that is over without a conversation: said for a while where it stood. */
function useGone(): string | null {
  const t = useWords(words)
  const language = useLanguage()
  const centre = useCentre()
  const { agent } = useDesk()
  const who = useWho()
  const [gone, setGone] = useState<Gone | null>(lastGone)
  const said = { t, who, language, zone: centre.zone }
  const latest = useRef(said)
  latest.current = said
  useEffect(() => {
    if (!lastOffer || !agent || agent.state === 'offered') return
    const offer = lastOffer
    lastOffer = null
    if (agent.state === 'on_contact' || agent.state === 'held') return
    const words_ = latest.current
    const name = words_.who.customer(offer.contact)
    const missed = agent.missed > offer.missed || agent.state === 'resting'
    const text = missed
      ? `${words_.t('missedAt', { time: timeOf(words_.language, now(), words_.zone), who: name })}${agent.missed >= 2 ? ` ${words_.t('missedThird')}` : ''}`
      : words_.t('hungUpAfter', { who: name, clock: clock(now() - (offer.contact.since ?? now())) })
    lastGone = { text, until: now() + (missed ? 60 : 5) }
    setGone(lastGone)
  }, [agent])
  useEffect(() => {
    if (!gone) return
    const timer = setTimeout(
      () => {
        lastGone = null
        setGone(null)
      },
      Math.max(0, gone.until - now()) * 1000,
    )
    return () => clearTimeout(timer)
  }, [gone])
  return gone?.text ?? null
}

let lastOffer: { contact: ContactLive; missed: number } | null = null
let lastGone: Gone | null = null

/** Remember the offer that stands in the slot, for what to say when it is gone. */
function noteOffer(contact: ContactLive, missed: number): void {
  lastOffer = { contact, missed }
}

/** It was answered. */
function forgetOffer(): void {
  lastOffer = null
}

function Messages() {
  const t = useWords(words)
  const centre = useCentre()
  const { me } = useDesk()
  const messages = useEvery('message')
  const named = (queues: string[]) => queues.map((one) => centre.queueName(one)).join(', ')
  const movedText = (who: string, { into, out_of: out }: { into: string[]; out_of: string[] }) => {
    if (!out.length) return t('movedInto', { who, queues: named(into) })
    if (!into.length) return t('movedOut', { who, queues: named(out) })
    return t('movedBoth', { who, queues: named(into), others: named(out) })
  }
  const [read, setRead] = useState<ReadonlySet<string>>(readMessages)
  const fresh = messages.filter(
    (one) => !read.has(one.key) && one.at > now() - 8 * 3600 && (!one.moved || one.moved.agent === me),
  )
  if (!fresh.length) return null
  return (
    <ul className={css.messages} aria-live="polite">
      {fresh.slice(-3).map((one) => (
        <li key={one.key}>
          {one.moved ? (
            <p className="strong">{movedText(one.from, one.moved)}</p>
          ) : (
            <>
              <strong>{t('message', { who: one.from })}</strong>
              <p>{one.text}</p>
            </>
          )}
          <button
            type="button"
            className={css.textButton}
            onClick={() => {
              const next = new Set([...read, one.key])
              setRead(next)
              try {
                sessionStorage.setItem(READ, JSON.stringify([...next].slice(-200)))
              } catch {
                // It stays read for this page.
              }
            }}
          >
            {t('read')}
          </button>
        </li>
      ))}
    </ul>
  )
}

const READ = 'centrala.read'

function readMessages(): ReadonlySet<string> {
  try {
    return new Set(JSON.parse(sessionStorage.getItem(READ) ?? '[]') as string[])
  } catch {
    return new Set()
  }
}

function Mine() {
  const t = useWords(words)
  const language = useLanguage()
  const { data } = useDay()
  const { agent } = useDesk()
  const centre = useCentre()
  if (!data) return null
  const named = (queues: string[]) => queues.map((one) => centre.queueName(one)).join(', ')
  const spent = data.talk_s + data.hold_s + data.wrap_up_s
  return (
    <section className={css.mine}>
      <h2 className={css.slotHead}>{t('mine')}</h2>
      <NextCallbacks />
      <dl className={css.facts}>
        <dt>{t('contactsToday')}</dt>
        <dd className="num">{data.contacts}</dd>
        <dt>{t('average')}</dt>
        <dd className="num">{data.contacts ? clock(spent / data.contacts) : '–'}</dd>
        <dt>{t('missedToday')}</dt>
        <dd className="num">{data.missed}</dd>
      </dl>
      {!!agent?.plus?.length && (
        <p className={css.lent}>
          {t('lentNow')}: <strong>{named(agent.plus)}</strong>
        </p>
      )}
      {agent?.loans?.map((one) => (
        <p key={one.queue} className={css.lent}>
          {t('alsoServe', {
            queue: centre.queueName(one.queue),
            at: timeOf(language, one.since, centre.zone),
            without: percent(language, one.without),
            with: percent(language, one.with),
          })}
        </p>
      ))}
      {!!agent?.minus?.length && (
        <p className={css.lent}>
          {t('outNow')}: <strong>{named(agent.minus)}</strong>
        </p>
      )}
    </section>
  )
}
