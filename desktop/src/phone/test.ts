// The line test: microphone, registration, and our own sound to the server and back.

import { Meter } from './sound'

export const PIP_HERTZ = 1000
const PIP_SECONDS = 0.12
const PIPS = 5

/** The loudest of what a microphone hears in so long, 0 to 1. */
export async function loudest(context: AudioContext, stream: MediaStream, seconds: number): Promise<number> {
  const meter = new Meter(context, stream)
  const until = performance.now() + seconds * 1000
  let top = 0
  while (performance.now() < until) {
    await pause(30)
    top = Math.max(top, meter.level())
  }
  meter.close()
  return top
}

/** A stream of pips, one a second once `start` was called; `started` are the times of their beginnings (ms). */
export function pips(context: AudioContext) {
  const out = context.createMediaStreamDestination()
  const tone = context.createOscillator()
  const volume = context.createGain()
  tone.frequency.value = PIP_HERTZ
  volume.gain.value = 0
  tone.connect(volume).connect(out)
  tone.start()
  return {
    stream: out.stream,
    start(): number[] {
      const begin = context.currentTime + 0.2
      const offset = performance.now() - context.currentTime * 1000
      const times: number[] = []
      for (let k = 0; k < PIPS; k++) {
        volume.gain.setValueAtTime(0.5, begin + k)
        volume.gain.setValueAtTime(0, begin + k + PIP_SECONDS)
        times.push((begin + k) * 1000 + offset)
      }
      return times
    },
    close() {
      tone.stop()
      for (const track of out.stream.getTracks()) track.stop()
    },
  }
}

/** How long after each pip it is heard in the stream; the middle of all, null if fewer than three came. */
export async function delayOf(context: AudioContext, stream: MediaStream, sent: number[]): Promise<number | null> {
  const meter = new Meter(context, stream, 512)
  const { analyser } = meter
  const bins = new Float32Array(analyser.frequencyBinCount)
  const bin = Math.round((PIP_HERTZ * analyser.fftSize) / context.sampleRate)
  const delays: number[] = []
  let loud = false
  const until = (sent.at(-1) ?? 0) + 1500
  while (performance.now() < until) {
    await pause(4)
    analyser.getFloatFrequencyData(bins)
    const level = Math.max(bins[bin - 1] ?? -200, bins[bin] ?? -200, bins[bin + 1] ?? -200)
    const now = performance.now()
    if (level > -45 && !loud) {
      const mine = sent.filter((at) => at < now && now - at < 900).at(-1)
      if (mine !== undefined) delays.push(now - mine)
    }
    loud = level > -55
  }
  meter.close()
  delays.sort((a, b) => a - b)
  return delays.length >= 3 ? Math.round(delays[delays.length >> 1] ?? 0) : null
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
