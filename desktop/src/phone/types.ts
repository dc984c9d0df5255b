// What the pages know of the browser phone. Everything that can go wrong is a code; the words belong to the pages.

export type PhoneStatus = 'off' | 'connecting' | 'registered' | 'failed'

/**
 * MIC-DENIED: the browser or the person refused the microphone. MIC-GONE: it isn't there, or was pulled out.
 * NET-LOST: no way to the server at present. TAB-2: another tab of this browser has the phone.
 * REGISTER-REFUSED: the server doesn't take this phone. MEDIA-FAILED: no sound gets through.
 * SIGNED-OUT: the session is over. NO-WEBRTC: this browser can't, or the page isn't a secure one.
 */
export type ProblemCode =
  | 'MIC-DENIED'
  | 'MIC-GONE'
  | 'NET-LOST'
  | 'TAB-2'
  | 'REGISTER-REFUSED'
  | 'MEDIA-FAILED'
  | 'SIGNED-OUT'
  | 'NO-WEBRTC'

export type Problem = { code: ProblemCode }

export type CallShown = {
  /** The contact it belongs to, as in the live updates. */
  contact: string | null
  direction: 'in' | 'out'
  state: 'ringing' | 'active'
  /** Asked for by the person (dial, listen in): it is answered without being asked. */
  auto: boolean
  muted: boolean
}

export type Levels = { mic: number; ear: number }

/** Over the last seconds. `loss`: share of packets that didn't reach us, 0 to 1. */
export type Quality = { loss: number; jitterMs: number; rttMs: number }

export type Device = { id: string; name: string }
export type DeviceKind = 'mic' | 'speaker' | 'ringer'

export type Devices = {
  mics: Device[]
  speakers: Device[]
  ringers: Device[]
  /** Ids of those in use; "" is the system's own choice. */
  chosen: Record<DeviceKind, string>
  /** Whether this browser lets a page choose where sound comes out. */
  canChooseSpeaker: boolean
}

/** The agent's own greeting in this browser: its length, null where there is none. */
export type GreetingShown = { seconds: number | null; doing: 'recording' | 'playing' | null }

export type PhoneState = {
  status: PhoneStatus
  problem?: Problem
  call: CallShown | null
  /** 0 to 1, as loud as a person hears it; both 0 without a call or test. */
  levels: Levels
  quality: Quality | null
  devices: Devices
  testing: boolean
  greeting: GreetingShown
}

export type LineTest = {
  /** Everything was as it should be. */
  good: boolean
  problem?: Problem
  mic: 'ok' | 'silent' | 'denied' | 'gone'
  /** The loudest of two seconds, 0 to 1. */
  micLevel: number
  registered: boolean
  /** Our own sound, sent to the server and back; null if no call came about. */
  echo: { heard: boolean; delayMs: number | null; quality: Quality | null } | null
}

export type PhoneConfig = {
  /** Of `GET /me/phone`: `/api/v1/sip`, or a whole ws: or wss: address. */
  ws: string
  user: string
  domain: string
  name?: string
  /** Rings by itself when somebody calls. */
  ring?: boolean
  /** Echo and noise are taken out by the browser, unless false: for headsets that do it themselves. */
  processing?: boolean
}

export interface Phone {
  state(): PhoneState
  subscribe(listener: () => void): () => void
  start(): Promise<void>
  stop(): void
  answer(): Promise<void>
  hangUp(): void
  setMuted(muted: boolean): void
  digits(digits: string): void
  choose(kind: DeviceKind, id: string): Promise<void>
  /** Names of devices are known once the microphone was allowed: asks for it. */
  askForDevices(): Promise<void>
  test(): Promise<LineTest>
  /** Say the recorded greeting into the call; nothing where there is none. */
  greet(): Promise<void>
  /** Not in a call: record it anew until `stop`, hear it, forget it. */
  greeting: { record(): Promise<void>; stop(): void; hear(): Promise<void>; drop(): Promise<void> }
}
