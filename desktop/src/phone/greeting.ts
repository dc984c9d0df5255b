// What an agent says to everybody first: recorded once, kept in this browser, said into the line when a customer comes.

import type { Sound } from './sound'
import type { GreetingShown } from './types'

/** Longer ones keep customers from saying what they want. */
const LONGEST_MS = 10_000
const STORE = 'greetings'

interface Kept {
  sound: ArrayBuffer
  seconds: number
}

function store<T>(mode: IDBTransactionMode, act: (all: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  return new Promise((done, failed) => {
    const opening = indexedDB.open('centrala.phone', 1)
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE)
    opening.onerror = () => failed(opening.error)
    opening.onsuccess = () => {
      const db = opening.result
      const asked = act(db.transaction(STORE, mode).objectStore(STORE))
      asked.onsuccess = () => done(asked.result)
      asked.onerror = () => failed(asked.error)
      asked.transaction!.oncomplete = () => db.close()
    }
  })
}

export class Greeting {
  private kept: Kept | null = null
  private recorder: MediaRecorder | null = null
  private playing: { stop: () => void } | null = null

  /** `whose` tells the users of one browser apart. */
  constructor(
    private readonly whose: string,
    private readonly sound: () => Sound,
    private readonly changed: () => void,
  ) {}

  async load(): Promise<void> {
    try {
      this.kept = (await store<Kept | undefined>('readonly', (all) => all.get(this.whose))) ?? null
      this.changed()
    } catch {
      // A browser that keeps nothing has no greeting.
    }
  }

  shown(): GreetingShown {
    return {
      seconds: this.kept?.seconds ?? null,
      doing: this.recorder ? 'recording' : this.playing ? 'playing' : null,
    }
  }

  /** Until `stop`, or for ten seconds. Without a microphone nothing is recorded: the line test says why. */
  async record(): Promise<void> {
    this.stop()
    const mic = await this.sound()
      .microphone()
      .catch(() => null)
    if (!mic) return
    const pieces: Blob[] = []
    const recorder = new MediaRecorder(mic)
    this.recorder = recorder
    const limit = setTimeout(() => this.stop(), LONGEST_MS)
    recorder.ondataavailable = (event) => pieces.push(event.data)
    recorder.onstop = () => {
      clearTimeout(limit)
      for (const track of mic.getTracks()) track.stop()
      if (this.recorder === recorder) this.recorder = null
      void this.keep(new Blob(pieces, { type: recorder.mimeType }))
    }
    recorder.start()
    this.changed()
  }

  private async keep(recorded: Blob): Promise<void> {
    try {
      const sound = await recorded.arrayBuffer()
      const { duration } = await this.sound().audio().decodeAudioData(sound.slice(0))
      this.kept = { sound, seconds: duration }
      await store('readwrite', (all) => all.put(this.kept, this.whose))
    } catch {
      // Nothing was recorded, or this browser keeps nothing: what it has counts for this page.
    }
    this.changed()
  }

  async drop(): Promise<void> {
    this.stop()
    this.kept = null
    this.changed()
    await store('readwrite', (all) => all.delete(this.whose)).catch(() => {})
  }

  /** Ends whatever is being recorded or said. */
  stop(): void {
    if (this.recorder?.state === 'recording') this.recorder.stop()
    this.playing?.stop()
  }

  /** To the person alone. */
  async hear(): Promise<void> {
    await (await this.say(null))?.ended
  }

  /** A track with the greeting over the microphone, which the person hears too; null: there is none. */
  async say(mic: MediaStream | null): Promise<{ track: MediaStreamTrack; ended: Promise<void> } | null> {
    this.playing?.stop()
    if (!this.kept) return null
    const context = this.sound().audio()
    const buffer = await context.decodeAudioData(this.kept.sound.slice(0))
    const out = context.createMediaStreamDestination()
    const own = context.createMediaStreamDestination()
    const voice = mic && context.createMediaStreamSource(mic)
    voice?.connect(out)
    const source = context.createBufferSource()
    source.buffer = buffer
    source.connect(out)
    source.connect(own)
    const ended = new Promise<void>((done) => {
      const over = () => {
        if (this.playing !== playing) return
        this.playing = null
        source.disconnect()
        voice?.disconnect()
        this.sound().whisper(null)
        this.changed()
        done()
      }
      const playing = {
        stop: () => {
          over()
          source.stop()
        },
      }
      this.playing = playing
      source.onended = over
    })
    source.start()
    this.sound().whisper(own.stream)
    this.changed()
    return { track: out.stream.getAudioTracks()[0]!, ended }
  }
}
