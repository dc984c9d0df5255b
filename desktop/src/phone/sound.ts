// Microphone, loudspeaker, ringer and what they measure. One audio context for the page.

import type { Device, DeviceKind, Devices, ProblemCode } from './types'

const KEPT = 'centrala.phone.devices'

export class SoundProblem extends Error {
  constructor(readonly code: ProblemCode) {
    super(code)
  }
}

type Sink = HTMLAudioElement & { setSinkId?: (id: string) => Promise<void> }

/** A level from 0 to 1 of what an analyser hears: -60 dB is 0, full scale is 1. */
function loudness(analyser: AnalyserNode, buffer: Float32Array<ArrayBuffer>): number {
  analyser.getFloatTimeDomainData(buffer)
  let sum = 0
  for (const sample of buffer) sum += sample * sample
  const db = 10 * Math.log10(sum / buffer.length + 1e-12)
  return Math.min(1, Math.max(0, 1 + (db + 3) / 60))
}

/** Listens to a stream without playing it. */
export class Meter {
  private readonly source: MediaStreamAudioSourceNode
  readonly analyser: AnalyserNode
  private readonly buffer: Float32Array<ArrayBuffer>

  constructor(context: AudioContext, stream: MediaStream, size = 1024) {
    this.source = context.createMediaStreamSource(stream)
    this.analyser = context.createAnalyser()
    this.analyser.fftSize = size
    this.analyser.smoothingTimeConstant = 0
    this.source.connect(this.analyser)
    this.buffer = new Float32Array(size)
  }

  level(): number {
    return loudness(this.analyser, this.buffer)
  }

  close(): void {
    this.source.disconnect()
  }
}

export class Sound {
  private context: AudioContext | null = null
  private readonly ear: Sink = new Audio()
  private readonly bell: Sink = new Audio()
  private readonly beside: Sink = new Audio()
  private ringing: { stop: () => void } | null = null
  private chosen: Record<DeviceKind, string>
  private list: MediaDeviceInfo[] = []

  constructor(
    private readonly changed: () => void,
    private readonly processing = true,
  ) {
    this.chosen = { mic: '', speaker: '', ringer: '', ...remembered() }
    this.ear.autoplay = true
    this.bell.autoplay = true
    this.beside.autoplay = true
    navigator.mediaDevices?.addEventListener?.('devicechange', this.look)
  }

  close(): void {
    navigator.mediaDevices?.removeEventListener?.('devicechange', this.look)
    this.stopRinging()
    this.listen(null)
    void this.context?.close()
    this.context = null
  }

  audio(): AudioContext {
    this.context ??= new AudioContext({ latencyHint: 'interactive' })
    if (this.context.state === 'suspended') void this.context.resume()
    return this.context
  }

  look = async (): Promise<void> => {
    this.list = (await navigator.mediaDevices?.enumerateDevices?.()) ?? []
    this.changed()
  }

  devices(): Devices {
    const of = (kind: MediaDeviceKind): Device[] =>
      this.list
        .filter((one) => one.kind === kind && one.deviceId && one.deviceId !== 'communications')
        .map((one) => ({ id: one.deviceId === 'default' ? '' : one.deviceId, name: one.label }))
    const outputs = of('audiooutput')
    return {
      mics: of('audioinput'),
      speakers: outputs,
      ringers: outputs,
      chosen: { ...this.chosen },
      canChooseSpeaker: typeof this.ear.setSinkId === 'function',
    }
  }

  /** The chosen microphone; the system's own if that is gone. Throws SoundProblem. */
  async microphone(): Promise<MediaStream> {
    if (!navigator.mediaDevices?.getUserMedia) throw new SoundProblem('NO-WEBRTC')
    const on = this.processing
    const wanted: MediaTrackConstraints = { echoCancellation: on, noiseSuppression: on, autoGainControl: on }
    const ask = (deviceId?: string) =>
      navigator.mediaDevices.getUserMedia({
        audio: deviceId ? { ...wanted, deviceId: { exact: deviceId } } : wanted,
      })
    try {
      let stream: MediaStream
      try {
        stream = await ask(this.chosen.mic)
      } catch (error) {
        const name = (error as DOMException).name
        if (!this.chosen.mic || name === 'NotAllowedError') throw error
        stream = await ask()
      }
      void this.look() // names are known from now on
      return stream
    } catch (error) {
      const name = (error as DOMException).name
      throw new SoundProblem(name === 'NotAllowedError' || name === 'SecurityError' ? 'MIC-DENIED' : 'MIC-GONE')
    }
  }

  /** Play this to the person; null: nothing any more. */
  listen(stream: MediaStream | null): void {
    this.ear.srcObject = stream
    if (stream) {
      void this.direct(this.ear, this.chosen.speaker)
      void this.ear.play().catch(() => undefined)
    }
  }

  /** Beside the call: what the person is to hear of their own greeting. */
  whisper = (stream: MediaStream | null): void => {
    this.beside.srcObject = stream
    if (stream) {
      void this.direct(this.beside, this.chosen.speaker)
      void this.beside.play().catch(() => undefined)
    }
  }

  async choose(kind: DeviceKind, id: string): Promise<void> {
    this.chosen = { ...this.chosen, [kind]: id }
    try {
      localStorage.setItem(KEPT, JSON.stringify(this.chosen))
    } catch {
      // A browser that keeps nothing: it counts for this page.
    }
    if (kind === 'speaker') await this.direct(this.ear, id)
    if (kind === 'ringer') await this.direct(this.bell, id)
    this.changed()
  }

  private async direct(sink: Sink, id: string): Promise<void> {
    try {
      await sink.setSinkId?.(id)
    } catch {
      await sink.setSinkId?.('').catch(() => undefined) // it was pulled out: better elsewhere than nowhere
    }
  }

  /** Two soft tones in turn, until `stopRinging`. */
  ring(): void {
    if (this.ringing) return
    const context = this.audio()
    const out = context.createMediaStreamDestination()
    const volume = context.createGain()
    volume.gain.value = 0
    volume.connect(out)
    const tones = [660, 880].map((hertz) => {
      const tone = context.createOscillator()
      tone.frequency.value = hertz
      tone.connect(volume)
      tone.start()
      return tone
    })
    const strike = () => {
      const now = context.currentTime
      for (const at of [0, 0.4]) {
        volume.gain.setTargetAtTime(0.16, now + at, 0.02)
        volume.gain.setTargetAtTime(0, now + at + 0.22, 0.06)
      }
    }
    strike()
    const again = setInterval(strike, 2400)
    this.bell.srcObject = out.stream
    void this.direct(this.bell, this.chosen.ringer)
    void this.bell.play().catch(() => undefined) // before the first click on a page browsers stay silent
    this.ringing = {
      stop: () => {
        clearInterval(again)
        for (const tone of tones) tone.stop()
        this.bell.srcObject = null
      },
    }
  }

  stopRinging(): void {
    this.ringing?.stop()
    this.ringing = null
  }
}

function remembered(): Partial<Record<DeviceKind, string>> {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? '{}')
    return typeof kept === 'object' && kept !== null ? kept : {}
  } catch {
    return {}
  }
}
