// The browser phone: JsSIP for the signalling, the browser for the sound, and what keeps a call alive over a page that
// is loaded again, a network that changes and a server that is restarted.

import { UA, WebSocketInterface } from 'jssip'
import { Greeting } from './greeting'
import { identity, type Kept, keepCall, keptCall } from './memory'
import { Gauge } from './quality'
import { Meter, Sound, SoundProblem } from './sound'
import { OneTab } from './tab'
import { delayOf, loudest, pause, pips } from './test'
import type {
  CallShown,
  DeviceKind,
  Levels,
  LineTest,
  Phone,
  PhoneConfig,
  PhoneState,
  PhoneStatus,
  ProblemCode,
  Quality,
} from './types'

type Session = ReturnType<UA['call']>
type Request = { getHeader(name: string): string | undefined; call_id: string }

const REGISTER_EXPIRES = 120
const LEVELS_MS = 100
const STATS_MS = 2000
const HEARTBEAT_MS = 1000
/** A call without sound for so long after its answer has failed. */
const MEDIA_MS = 10_000
/** ICE may find back by itself (RFC 8445); then we help. */
const PATIENCE_MS = 1500
const ALIVE_MS = 3000
const SESSION_OVER = 4401
const SILENT: Levels = { mic: 0, ear: 0 }

/** A socket that can be declared dead: after a change of network nobody tells it so for minutes. */
class Wire extends WebSocketInterface {
  /** When the server said something last. */
  heardAt = 0

  /** Called by the library for each message. */
  _onMessage(event: MessageEvent): void {
    this.heardAt = performance.now()
    ;(WebSocketInterface.prototype as unknown as Wire)._onMessage.call(this, event)
  }

  drop(): void {
    this.disconnect()
    const told = (this as unknown as { ondisconnect?: (error: boolean, code: number, reason: string) => void })
      .ondisconnect
    told?.call(this, true, 1006, 'silent')
  }
}

export function createPhone(config: PhoneConfig): Phone {
  return new BrowserPhone(config)
}

class BrowserPhone implements Phone {
  private readonly listeners = new Set<() => void>()
  private readonly tab = new OneTab()
  private sound: Sound
  readonly greeting: Greeting
  private shown: PhoneState
  private ua: UA | null = null
  private wire: Wire | null = null
  private session: Session | null = null
  private line: RTCPeerConnection | null = null
  private mic: MediaStream | null = null
  private micMeter: Meter | null = null
  private earMeter: Meter | null = null
  private gauge = new Gauge()
  private timers: ReturnType<typeof setInterval>[] = []
  private kept: Kept | null = null
  private refusals = 0
  private retry: ReturnType<typeof setTimeout> | null = null
  private repairing = false
  private pendingTest: ((session: Session | null) => void) | null = null

  constructor(private readonly config: PhoneConfig) {
    this.sound = this.newSound()
    this.greeting = new Greeting(
      `${config.user}@${config.domain}`,
      () => this.sound,
      () => this.show({ greeting: this.greeting.shown() }),
    )
    this.shown = {
      status: 'off',
      call: null,
      levels: SILENT,
      quality: null,
      devices: this.sound.devices(),
      testing: false,
      greeting: this.greeting.shown(),
    }
    void this.greeting.load()
  }

  state(): PhoneState {
    return this.shown
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  private show(change: Partial<PhoneState>): void {
    this.shown = { ...this.shown, ...change }
    for (const listener of this.listeners) listener()
  }

  private status(status: PhoneStatus, code?: ProblemCode): void {
    this.show({ status, problem: code ? { code } : undefined })
  }

  private problem(code: ProblemCode): void {
    this.show({ problem: { code } })
  }

  private solved(...codes: ProblemCode[]): void {
    if (this.shown.problem && codes.includes(this.shown.problem.code)) this.show({ problem: undefined })
  }

  // --- registration ---

  async start(): Promise<void> {
    if (this.ua || this.shown.status === 'connecting') return
    if (typeof RTCPeerConnection === 'undefined' || !window.isSecureContext) {
      this.status('failed', 'NO-WEBRTC')
      return
    }
    this.status('connecting')
    this.tab.take(
      () => this.connect(),
      () => this.status('failed', 'TAB-2'),
    )
    window.addEventListener('online', this.networkChanged)
    document.addEventListener('visibilitychange', this.woken)
    document.addEventListener('resume', this.woken)
    void this.sound.look()
  }

  stop(): void {
    window.removeEventListener('online', this.networkChanged)
    document.removeEventListener('visibilitychange', this.woken)
    document.removeEventListener('resume', this.woken)
    if (this.retry) clearTimeout(this.retry)
    keepCall(null)
    this.over()
    this.ua?.stop()
    this.ua = null
    this.tab.release()
    this.sound.close()
    this.sound = this.newSound()
    this.status('off')
  }

  private newSound(): Sound {
    return new Sound(() => this.show({ devices: this.sound.devices() }), this.config.processing)
  }

  private connect(): void {
    const { config } = this
    const url = config.ws.startsWith('/')
      ? `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${config.ws}`
      : config.ws
    this.status('connecting')
    this.kept = keptCall(config.user)
    const me = identity()
    this.wire = new Wire(url)
    const ua = new UA({
      sockets: [this.wire],
      uri: `sip:${config.user}@${config.domain}`,
      display_name: config.name ?? '',
      contact_uri: me.contact,
      instance_id: me.instance,
      register: true,
      register_expires: REGISTER_EXPIRES,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 8,
      // The server refreshes: a refresh of ours that a broken socket swallows would end the call.
      session_timers: false,
    })
    this.ua = ua
    ua.on('registered', () => this.registered())
    ua.on('registrationFailed', (event) => this.refused(event.response?.status_code ?? 0))
    ua.on('disconnected', (event) => {
      if (this.ua !== ua) return
      if (event.code === SESSION_OVER) {
        this.stop()
        this.status('failed', 'SIGNED-OUT')
        return
      }
      this.status('connecting', 'NET-LOST')
    })
    ua.on('newRTCSession', (event: { originator: string; session: Session; request: unknown }) => {
      if (event.originator === 'remote') this.rung(event.session, event.request as Request)
    })
    ua.start()
  }

  private registered(): void {
    this.refusals = 0
    this.show({ status: 'registered' })
    this.solved('NET-LOST', 'REGISTER-REFUSED', 'TAB-2')
    const kept = this.kept
    this.kept = null
    if (kept) void this.resume(kept)
    else if (this.line && !flows(this.line)) void this.repair()
  }

  private refused(status: number): void {
    if (!this.ua) return
    if (status) {
      this.refusals += 1
      this.status('failed', 'REGISTER-REFUSED')
    } else {
      this.status('connecting', 'NET-LOST')
    }
    // Each time twice as long, and not all phones at once.
    const wait = Math.min(60_000, 1000 * 2 ** this.refusals) * (0.75 + Math.random() / 2)
    if (this.retry) clearTimeout(this.retry)
    this.retry = setTimeout(() => {
      if (this.ua?.isConnected()) this.ua.register()
    }, wait)
  }

  /** Whatever may have been missed while the page slept: the server learns that it's awake. */
  private woken = (): void => {
    if (document.visibilityState === 'visible' && this.ua) void this.alive()
  }

  private networkChanged = (): void => {
    if (this.ua) void this.repair()
  }

  /** Whether the server answers over the socket; one that is silent is given up and opened anew. */
  private async alive(): Promise<boolean> {
    const ua = this.ua
    const wire = this.wire
    if (!ua?.isConnected() || !wire) return false
    const asked = performance.now()
    const heard = () => wire.heardAt >= asked
    ua.register()
    while (!heard() && performance.now() - asked < ALIVE_MS && ua.isConnected()) await pause(50)
    if (!heard() && ua === this.ua && ua.isConnected()) wire.drop()
    return heard()
  }

  // --- calls ---

  private rung(session: Session, request: Request): void {
    if (this.session) {
      session.terminate({ status_code: 486 })
      return
    }
    this.session = session
    const auto = /^auto/i.test(request.getHeader('Answer-Mode') ?? '')
    const contact = request.getHeader('X-Centrala-Contact') ?? request.call_id.split(/[.@]/)[0] ?? null
    this.show({ call: { contact, direction: 'in', state: 'ringing', auto, muted: false } })
    session.on('peerconnection', (event) => this.watch(event.peerconnection))
    this.follow(session)
    if (auto) void this.answer()
    else if (this.config.ring !== false) this.sound.ring()
  }

  private follow(session: Session): void {
    const over = () => {
      if (this.session === session) {
        keepCall(null)
        this.over()
      }
    }
    session.on('ended', over)
    session.on('failed', over)
    session.on('icecandidate', (event) => event.ready())
    session.on('confirmed', () => this.active(session))
  }

  private active(session: Session): void {
    if (this.session !== session || !this.shown.call) return
    this.sound.stopRinging()
    this.changeCall({ state: 'active' })
    this.remember()
  }

  private changeCall(change: Partial<CallShown>): void {
    if (this.shown.call) this.show({ call: { ...this.shown.call, ...change } })
  }

  /** What a page that is loaded again needs to go on with the call. */
  private remember(): void {
    const dialog = (this.session as unknown as { _dialog?: { id: Record<string, string> } } | null)?._dialog
    const { call } = this.shown
    if (!dialog || !call || this.shown.testing) return
    keepCall({
      callId: dialog.id.call_id ?? '',
      toTag: dialog.id.remote_tag ?? '',
      fromTag: dialog.id.local_tag ?? '',
      contact: call.contact,
      direction: call.direction,
      muted: call.muted,
      user: this.config.user,
      at: Date.now(),
    })
  }

  async answer(): Promise<void> {
    const session = this.session
    if (!session || this.shown.call?.state !== 'ringing' || this.mic) return
    try {
      const mic = await this.openMic()
      if (this.session !== session || session.isEnded()) {
        this.closeMic()
        return
      }
      session.answer({ mediaStream: mic, pcConfig: { iceServers: [] } })
    } catch (error) {
      this.closeMic()
      this.problem(error instanceof SoundProblem ? error.code : 'MEDIA-FAILED')
      // Nobody is asked again about a call that was to be answered by itself.
      if (this.shown.call?.auto && this.session === session) session.terminate({ status_code: 480 })
    }
  }

  hangUp(): void {
    const session = this.session
    if (!session) return
    keepCall(null)
    if (!session.isEnded()) session.terminate(session.isEstablished() ? {} : { status_code: 603 })
    if (this.session === session) this.over()
  }

  setMuted(muted: boolean): void {
    for (const track of this.mic?.getAudioTracks() ?? []) track.enabled = !muted
    this.changeCall({ muted })
    this.remember()
  }

  digits(digits: string): void {
    const clean = digits.replace(/[^0-9*#A-D,]/gi, '')
    if (clean && this.session?.isEstablished()) {
      this.session.sendDTMF(clean, { transportType: 'RFC2833' as never, duration: 120, interToneGap: 80 })
    }
  }

  /** The call that was there before the page was loaded again takes its place (RFC 3891). */
  private async resume(kept: Kept): Promise<void> {
    if (!this.ua || this.session) return
    this.show({
      call: { contact: kept.contact, direction: kept.direction, state: 'active', auto: false, muted: kept.muted },
    })
    try {
      const mic = await this.openMic()
      for (const track of mic.getAudioTracks()) track.enabled = !kept.muted
      this.session = this.dial('resume', mic, [
        `Replaces: ${kept.callId};to-tag=${kept.toTag};from-tag=${kept.fromTag}`,
      ])
    } catch (error) {
      keepCall(null)
      this.over()
      this.problem(error instanceof SoundProblem ? error.code : 'MEDIA-FAILED')
    }
  }

  private dial(target: string, mediaStream: MediaStream, extraHeaders: string[] = []): Session {
    if (!this.ua) throw new Error('there is no phone')
    const session = this.ua.call(`sip:${target}@${this.config.domain}`, {
      mediaStream,
      extraHeaders,
      pcConfig: { iceServers: [] },
      eventHandlers: { peerconnection: (event) => this.watch(event.peerconnection) },
    })
    this.session = session
    this.follow(session)
    return session
  }

  private over(): void {
    for (const timer of this.timers) clearInterval(timer)
    this.timers = []
    this.session = null
    this.line = null
    this.sound.stopRinging()
    this.sound.listen(null)
    this.greeting.stop()
    this.earMeter?.close()
    this.earMeter = null
    this.closeMic()
    this.show({ call: null, levels: SILENT, quality: null })
    if (this.shown.status === 'registered') this.solved('NET-LOST', 'MEDIA-FAILED', 'MIC-GONE')
    this.pendingTest?.(null)
    this.pendingTest = null
  }

  // --- sound ---

  private async openMic(): Promise<MediaStream> {
    const mic = await this.sound.microphone()
    this.closeMic()
    this.mic = mic
    this.micMeter = new Meter(this.sound.audio(), mic)
    for (const track of mic.getAudioTracks()) {
      track.addEventListener('ended', () => {
        if (this.mic === mic) void this.micGone()
      })
    }
    this.solved('MIC-DENIED', 'MIC-GONE')
    return mic
  }

  private closeMic(): void {
    this.micMeter?.close()
    this.micMeter = null
    const mic = this.mic
    this.mic = null
    for (const track of mic?.getTracks() ?? []) track.stop()
  }

  /** Pulled out in mid-call: go on with the system's own, or say so. */
  private async micGone(): Promise<void> {
    this.problem('MIC-GONE')
    if (this.line) await this.renewMic().catch(() => undefined)
  }

  private async renewMic(): Promise<void> {
    const { muted = false } = this.shown.call ?? {}
    const mic = await this.openMic()
    for (const track of mic.getAudioTracks()) track.enabled = !muted
    await this.sends(mic.getAudioTracks()[0] ?? null)
  }

  private async sends(track: MediaStreamTrack | null): Promise<void> {
    const sender = this.line?.getSenders().find((one) => one.track?.kind === 'audio' || one.track === null)
    await sender?.replaceTrack(track)
  }

  // --- the greeting ---

  async greet(): Promise<void> {
    const { line, mic } = this
    if (!line || !mic || !this.session?.isEstablished()) return
    const said = await this.greeting.say(mic)
    if (!said || this.line !== line || this.mic !== mic) return
    await this.sends(said.track)
    await said.ended
    if (this.line === line) await this.sends(this.mic?.getAudioTracks()[0] ?? null)
  }

  async choose(kind: DeviceKind, id: string): Promise<void> {
    await this.sound.choose(kind, id)
    if (kind !== 'mic' || !this.line || this.shown.testing) return
    try {
      await this.renewMic()
    } catch (error) {
      this.problem(error instanceof SoundProblem ? error.code : 'MIC-GONE')
    }
  }

  async askForDevices(): Promise<void> {
    try {
      const stream = await this.sound.microphone()
      for (const track of stream.getTracks()) track.stop()
      this.solved('MIC-DENIED', 'MIC-GONE')
      await this.sound.look()
    } catch (error) {
      this.problem(error instanceof SoundProblem ? error.code : 'MIC-GONE')
    }
  }

  private watch(line: RTCPeerConnection): void {
    this.line = line
    this.gauge = new Gauge()
    const testing = this.shown.testing
    line.addEventListener('track', (event) => {
      const stream = new MediaStream([event.track])
      if (testing) {
        this.pendingTest?.(this.session)
        return
      }
      this.sound.listen(stream)
      this.earMeter?.close()
      this.earMeter = new Meter(this.sound.audio(), stream)
    })
    line.addEventListener('iceconnectionstatechange', () => this.iceChanged(line))
    const born = performance.now()
    this.timers.push(
      setInterval(() => {
        if (this.line !== line) return
        if (!flows(line) && performance.now() - born > MEDIA_MS && !this.repairing) this.problem('MEDIA-FAILED')
        this.show({ levels: { mic: this.micMeter?.level() ?? 0, ear: this.earMeter?.level() ?? 0 } })
      }, LEVELS_MS),
      setInterval(async () => {
        const quality: Quality | null = this.line === line ? await this.gauge.read(line).catch(() => null) : null
        if (quality && this.line === line) this.show({ quality })
      }, STATS_MS),
      setInterval(() => {
        if (this.session?.isEstablished()) this.remember()
      }, HEARTBEAT_MS),
    )
  }

  private iceChanged(line: RTCPeerConnection): void {
    if (this.line !== line) return
    if (flows(line)) {
      this.solved('MEDIA-FAILED')
      if (this.shown.status === 'registered') this.solved('NET-LOST')
    } else if (line.iceConnectionState === 'disconnected' || line.iceConnectionState === 'failed') {
      this.problem('NET-LOST')
      setTimeout(() => {
        if (this.line === line && !flows(line)) void this.repair()
      }, PATIENCE_MS)
    }
  }

  /** Another network: the socket first, then an ICE restart over it (RFC 8445, 2.4). */
  private async repair(): Promise<void> {
    if (this.repairing) return
    this.repairing = true
    try {
      const until = performance.now() + 25_000
      while (performance.now() < until) {
        if (!(await this.alive())) {
          await pause(500)
          continue
        }
        const { line, session } = this
        if (!line || !session?.isEstablished() || flows(line)) return
        session.renegotiate({ rtcOfferConstraints: { iceRestart: true } })
        for (let k = 0; k < 50 && !flows(line); k++) await pause(100)
      }
    } finally {
      this.repairing = false
    }
  }

  // --- line test ---

  async test(): Promise<LineTest> {
    const result: LineTest = { good: false, mic: 'ok', micLevel: 0, registered: false, echo: null }
    if (this.session || this.shown.testing) return { ...result, problem: this.shown.problem }
    this.show({ testing: true })
    const context = this.sound.audio()
    const tone = pips(context)
    try {
      try {
        const mic = await this.sound.microphone()
        result.micLevel = await loudest(context, mic, 2)
        for (const track of mic.getTracks()) track.stop()
        if (result.micLevel < 0.05) result.mic = 'silent'
      } catch (error) {
        const code = error instanceof SoundProblem ? error.code : 'MIC-GONE'
        result.mic = code === 'MIC-DENIED' ? 'denied' : 'gone'
        result.problem = { code }
      }
      result.registered = await this.alive()
      if (!result.registered) {
        result.problem ??= { code: this.shown.problem?.code ?? 'NET-LOST' }
        return result
      }
      result.echo = await this.echo(context, tone)
      if (!result.echo?.heard) result.problem ??= { code: 'MEDIA-FAILED' }
      result.good = result.mic === 'ok' && result.echo?.heard === true
      return result
    } finally {
      tone.close()
      this.show({ testing: false })
    }
  }

  private async echo(context: AudioContext, tone: ReturnType<typeof pips>): Promise<LineTest['echo']> {
    const connected = new Promise<Session | null>((resolve) => {
      this.pendingTest = resolve
      setTimeout(() => resolve(null), MEDIA_MS)
    })
    const session = this.dial('echo', tone.stream)
    const heard = await connected
    this.pendingTest = null
    const line = this.line
    try {
      if (!heard || !line) return null
      const until = performance.now() + MEDIA_MS
      while (!flows(line) && performance.now() < until) await pause(50)
      const track = line.getReceivers()[0]?.track
      if (!flows(line) || !track) return { heard: false, delayMs: null, quality: null }
      const stream = new MediaStream([track])
      const mute = new Audio() // Chromium feeds a stream to Web Audio only if an element plays it as well
      mute.muted = true
      mute.srcObject = stream
      void mute.play().catch(() => undefined)
      await pause(300)
      const delayMs = await delayOf(context, stream, tone.start())
      const quality = await new Gauge().read(line).catch(() => null)
      mute.srcObject = null
      return { heard: delayMs !== null, delayMs, quality }
    } finally {
      if (!session.isEnded()) session.terminate()
      if (this.session === session) this.over()
    }
  }
}

const flows = (line: RTCPeerConnection): boolean =>
  line.iceConnectionState === 'connected' || line.iceConnectionState === 'completed'
