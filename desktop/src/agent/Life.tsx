/** What goes on beside the pages: the phone of this page, the tab's title and icon, notifications, troubles, messages. */
import { useEffect, useRef } from 'react'
import { useCentre } from '../api/session'
import { persist } from '../app/part'
import { raise, settle } from '../app/strip'
import { useSay } from '../i18n'
import { clock } from '../i18n/format'
import { shared } from '../i18n/shared'
import { everySecond, now } from '../live/time'
import { shapeMarkup, useStateName } from '../ui/State'
import { useReminder } from './callbacks'
import { useDesk, useWho } from './desk'
import { inHand } from './parts'
import {
  movePhoneHere,
  startPhone,
  stopPhone,
  useAutoAnswer,
  usePhoneCall,
  usePhoneStarts,
  usePhoneStore,
} from './phone'
import { words } from './words'

// Tabs have no scheme of ours: one green-grey that is seen on white and on black.
const INKS: Record<string, string> = {
  ready: 'tide',
  on_contact: 'sky',
  held: 'sky',
  offered: 'amber',
  wrap_up: 'iris',
  unreachable: 'red',
}
const MARKS: Record<string, string> = {
  ready: '○',
  on_contact: '●',
  held: '‖',
  offered: '◔',
  wrap_up: '◑',
  not_ready: '▬',
  unreachable: '✕',
}

export default function Life() {
  usePagePhone()
  useInHand()
  useTab()
  useNotification()
  useNudge()
  useReminder(note)
  useAnswersItself()
  useGreeting()
  return null
}

const PEACE = 8000

/** What a call needs is there before it is answered, and when the line is lost by then. */
function useInHand(): void {
  const { talk } = useDesk()
  const idle = talk.phase === 'none'
  useEffect(() => {
    const timer = setTimeout(() => void persist(inHand).catch(() => {}), idle ? PEACE : 0)
    return () => clearTimeout(timer)
  }, [idle])
}

function usePagePhone(): void {
  const choice = usePhoneStore((one) => one.choice)
  const { problem } = usePhoneCall()
  const failed = usePhoneStore((one) => one.failed)
  const { me, agent } = useDesk()
  const awaited = usePhoneStarts() && agent?.state === 'unreachable'
  useEffect(() => {
    if (!awaited) return
    raise({ code: 'PHONE-STARTS', sentence: words.phoneStarts, weight: 0 })
    return () => settle('PHONE-STARTS')
  }, [awaited])
  useEffect(() => {
    if (!failed) return
    raise({ code: 'NET-LOST', sentence: words.phoneProblem, values: { code: 'NET-LOST' }, weight: 2 })
    return () => settle('NET-LOST')
  }, [failed])
  useEffect(() => {
    if (choice !== 'page' || !me) return
    void startPhone()
    return stopPhone
  }, [choice, me])
  useEffect(() => {
    if (!problem || problem === 'NET-LOST' || problem === 'SIGNED-OUT') return
    if (problem === 'TAB-2') {
      raise({
        code: problem,
        sentence: words.secondTab,
        weight: 1,
        button: { word: words.moveHere, press: movePhoneHere },
      })
    } else if (problem === 'MIC-GONE') raise({ code: problem, sentence: words.micGone, weight: 3 })
    else if (problem === 'MIC-DENIED') raise({ code: problem, sentence: words.micDenied, weight: 2 })
    else if (problem === 'NO-WEBRTC') raise({ code: problem, sentence: words.noWebrtc, weight: 1 })
    else raise({ code: problem, sentence: words.phoneProblem, values: { code: problem }, weight: 2 })
    return () => settle(problem)
  }, [problem])
}

function useTab(): void {
  const { agent, contact, talk } = useDesk()
  const stateName = useStateName()
  const centre = useCentre()
  const who = useWho()
  const state = agent?.state ?? 'logged_out'
  const since = talk.phase === 'ringing' ? (contact?.since ?? agent?.since) : (contact?.talk_since ?? agent?.since)
  const name = contact && talk.phase !== 'none' ? who.customer(contact) : ''
  const queue = contact ? centre.queueName(contact.queue) : ''
  const word = stateName(state)
  useEffect(() => {
    const write = () => {
      const told = talk.phase === 'none' ? word : [queue, name].filter(Boolean).join(', ')
      const title = `${MARKS[state] ?? '◌'} ${told}${since && state !== 'logged_out' ? ` ${clock(now() - since)}` : ''}`
      if (document.title !== title) document.title = title
    }
    const first = behindFrame(write)
    const over = everySecond(write)
    return () => {
      first()
      over()
    }
  }, [state, since, name, queue, word, talk.phase])
  useEffect(() => {
    const icon = document.getElementById('favicon') as HTMLLinkElement | null
    if (!icon) return
    return behindFrame(() => {
      const ink = getComputedStyle(document.documentElement).getPropertyValue(
        `--mantine-color-${INKS[state] ?? 'gray'}-5`,
      )
      const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" color="${ink.trim() || 'gray'}">${shapeMarkup(state)}</svg>`
      icon.href = `data:image/svg+xml,${encodeURIComponent(drawing)}`
    })
  }, [state])
}

/** Who rings stands on the page first: title and icon cost as much as the frame. A hidden page has no frames. */
function behindFrame(write: () => void): () => void {
  if (document.hidden) {
    write()
    return () => {}
  }
  const timer = setTimeout(write)
  return () => clearTimeout(timer)
}

/** A hidden page says who rings, once; a click brings the page to the front and never answers. */
function useNotification(): void {
  const { talk, contact } = useDesk()
  const say = useSay()
  const who = useWho()
  const centre = useCentre()
  const shown = useRef<Notification | null>(null)
  const ringing = talk.phase === 'ringing' && !contact?.told ? contact?.id : null
  const title = contact ? who.customer(contact) : ''
  const body = contact ? `${say(shared.offered)} · ${centre.queueName(contact.queue)}` : ''
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each offer, with the name known by then
  useEffect(() => {
    if (!ringing || !document.hidden || typeof Notification === 'undefined' || Notification.permission !== 'granted')
      return
    const one = new Notification(title, { body, tag: 'centrala', requireInteraction: true })
    one.onclick = () => {
      window.focus()
      one.close()
    }
    shown.current = one
    return () => one.close()
  }, [ringing])
}

/** Where the queue says so: a beep, and the call is taken. */
function useAnswersItself(): void {
  const { talk } = useDesk()
  const { phone } = usePhoneCall()
  const contact = talk.phase === 'ringing' ? talk.contact : null
  const seconds = useAutoAnswer(contact)
  const id = contact?.id
  useEffect(() => {
    if (!phone || !id || seconds === null) return
    const timer = setTimeout(() => {
      note()
      void phone.answer()
    }, seconds * 1000)
    return () => clearTimeout(timer)
  }, [phone, id, seconds])
}

/** Who comes from a queue hears the agent's own greeting once both are connected, where there is one. */
function useGreeting(): void {
  const { talk } = useDesk()
  const { phone } = usePhoneCall()
  const rang = useRef<string | null>(null)
  const { contact, phase, owner } = talk
  useEffect(() => {
    if (phase === 'ringing') rang.current = contact?.id ?? null
    if (phase !== 'talk' || !contact || contact.id !== rang.current) return
    rang.current = null
    if (owner && contact.direction === 'inbound' && contact.queue && !contact.owed) void phone?.greet()
  }, [contact, phase, owner, phone])
}

const NUDGE_EVERY = 60

/** Each minute that somebody is on hold one soft note reminds of them. */
function useNudge(): void {
  const { talk, contact } = useDesk()
  const since = talk.phase === 'hold' ? contact?.hold_since : null
  useEffect(() => {
    if (!since) return
    let told = Math.floor((now() - since) / NUDGE_EVERY)
    return everySecond(() => {
      const minutes = Math.floor((now() - since) / NUDGE_EVERY)
      if (minutes <= told) return
      told = minutes
      note()
    })
  }, [since])
}

let audio: AudioContext | null = null

function note(): void {
  audio ??= new AudioContext()
  const at = audio.currentTime
  const tone = audio.createOscillator()
  const volume = audio.createGain()
  tone.frequency.value = 660
  volume.gain.setValueAtTime(0, at)
  volume.gain.linearRampToValueAtTime(0.12, at + 0.03)
  volume.gain.exponentialRampToValueAtTime(0.001, at + 0.5)
  tone.connect(volume).connect(audio.destination)
  tone.start(at)
  tone.stop(at + 0.6)
}
