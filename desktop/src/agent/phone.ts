/** The phone of this page (src/phone), where the agent has chosen it; else they use the phone on their desk. */
import { useSyncExternalStore } from 'react'
import { create } from 'zustand'
import { ApiProblem, api } from '../api/client'
import { useCentre } from '../api/session'
import type { Schema } from '../api/types'
import { persist } from '../app/part'
import type { ContactLive } from '../live/types'
import type { Phone, PhoneState } from '../phone/types'

export type { Device, LineTest, Phone, PhoneState } from '../phone/types'

const OFF: PhoneState = {
  status: 'off',
  call: null,
  levels: { mic: 0, ear: 0 },
  quality: null,
  devices: {
    mics: [],
    speakers: [],
    ringers: [],
    chosen: { mic: '', speaker: '', ringer: '' },
    canChooseSpeaker: false,
  },
  testing: false,
  greeting: { seconds: null, doing: null },
}

export type Choice = 'page' | 'desk'
const CHOICE = 'centrala.phone'

function chosen(): Choice {
  try {
    return localStorage.getItem(CHOICE) === 'desk' ? 'desk' : 'page'
  } catch {
    return 'page'
  }
}

interface Store {
  phone: Phone | null
  choice: Choice
  /** This centre has phones for pages. */
  possible: boolean
  /** It couldn't be begun. */
  failed: boolean
}

export const usePhoneStore = create<Store>(() => ({
  phone: null,
  choice: typeof localStorage === 'undefined' ? 'desk' : chosen(),
  possible: true,
  failed: false,
}))

const idle = () => () => {}

/** The phone of this page as it is now; off where there is none. */
export function usePhone(): { phone: Phone | null; state: PhoneState } {
  const phone = usePhoneStore((one) => one.phone)
  const state = useSyncExternalStore(phone ? (tell) => phone.subscribe(tell) : idle, () =>
    phone ? phone.state() : OFF,
  )
  return { phone, state }
}

/** The phone of this page is on its way: nothing is wrong yet, and calls can't come yet. */
export function usePhoneStarts(): boolean {
  const { phone, choice, possible, failed } = usePhoneStore()
  const starts = useSyncExternalStore(phone ? (tell) => phone.subscribe(tell) : idle, () => {
    const now = phone?.state()
    return !now || (now.status === 'connecting' && !now.problem)
  })
  return choice === 'page' && possible && !failed && starts
}

/** The same without its levels and quality, which change ten times a second. */
export function usePhoneCall(): { phone: Phone | null; rings: boolean; muted: boolean | null; problem: string | null } {
  const phone = usePhoneStore((one) => one.phone)
  const told = useSyncExternalStore(phone ? (tell) => phone.subscribe(tell) : idle, () => {
    const now = phone?.state()
    return now ? `${now.call?.state ?? ''}|${now.call?.muted ?? ''}|${now.problem?.code ?? ''}` : '||'
  })
  const [state, muted, problem] = told.split('|')
  return { phone, rings: state === 'ringing', muted: muted ? muted === 'true' : null, problem: problem || null }
}

/** Seconds after which the phone of this page takes what rings by itself, as its queue says; null: the agent does. */
export function useAutoAnswer(contact: ContactLive | null | undefined): number | null {
  const centre = useCentre()
  const { rings } = usePhoneCall()
  // A colleague who asks, or hands over a conversation, is answered by hand.
  return rings && contact && contact.agent === null ? centre.autoAnswer(contact.queue) : null
}

export function choosePhone(choice: Choice): void {
  try {
    localStorage.setItem(CHOICE, choice)
  } catch {
    // It holds for this page.
  }
  usePhoneStore.setState({ choice })
}

const between = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('centrala.phone')
let attempt = 0

/** How often the start is tried, ever more slowly: minutes. */
const TRIES = 30

export async function startPhone(): Promise<void> {
  if (usePhoneStore.getState().phone) return
  const mine = ++attempt
  try {
    const [{ createPhone }, config] = await Promise.all([
      persist(() => import('../phone')),
      persist(() => (mine === attempt ? ask() : Promise.resolve(null)), TRIES),
    ])
    if (mine !== attempt) return
    // A centre without phones for pages: there is the desk phone.
    usePhoneStore.setState({ possible: config !== null, failed: false })
    if (config === null) return
    const phone = createPhone({ ...config, ring: true })
    usePhoneStore.setState({ phone })
    await phone.start()
  } catch {
    if (mine === attempt) usePhoneStore.setState({ failed: true })
  }
}

/** null: this centre has none. */
async function ask(): Promise<Schema<'PhoneShown'> | null> {
  try {
    return await api.get<Schema<'PhoneShown'>>('/me/phone')
  } catch (problem) {
    if (problem instanceof ApiProblem && [401, 403, 404].includes(problem.status)) return null
    throw problem
  }
}

export function stopPhone(): void {
  attempt++
  usePhoneStore.getState().phone?.stop()
  usePhoneStore.setState({ phone: null })
}

/** Calls live in one tab: ask the others to let go of the phone, which is given to who waits for it. */
export function movePhoneHere(): void {
  between?.postMessage('give')
}

between?.addEventListener('message', (event) => {
  const phone = usePhoneStore.getState().phone
  if (event.data === 'give' && phone && phone.state().problem?.code !== 'TAB-2') {
    phone.stop()
    // From now on this tab waits for its turn.
    void phone.start()
  }
})
