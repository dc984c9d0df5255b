/** The phone of this page (src/phone), where the agent has chosen it; else they use the phone on their desk. */
import { useSyncExternalStore } from 'react'
import { create } from 'zustand'
import { ApiProblem, api } from '../api/client'
import type { Schema } from '../api/types'
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
}

export const usePhoneStore = create<Store>(() => ({
  phone: null,
  choice: typeof localStorage === 'undefined' ? 'desk' : chosen(),
  possible: true,
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

export async function startPhone(): Promise<void> {
  if (usePhoneStore.getState().phone) return
  const mine = ++attempt
  try {
    const [{ createPhone }, config] = await Promise.all([
      import('../phone'),
      api.get<Schema<'PhoneShown'>>('/me/phone'),
    ])
    if (mine !== attempt) return
    const phone = createPhone({ ...config, ring: true })
    usePhoneStore.setState({ phone, possible: true })
    await phone.start()
  } catch (problem) {
    // A centre without phones for pages: there is the desk phone.
    if (problem instanceof ApiProblem && problem.status === 404) usePhoneStore.setState({ possible: false })
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
