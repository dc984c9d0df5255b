/** The live socket: registers with its place, comes back by itself, says when it is lost. */
import { PREFIX } from '../api/client'
import { LostPlace } from './fold'
import { live } from './store'
import { forget, heard } from './time'
import type { LiveMessage } from './types'

const OVER = 4401
const STOPS = 1012
const PAUSES = [0.3, 1, 2, 4, 8]
/** A socket may hang without a word: after so many quiet seconds the page asks whether the centre is there. */
const QUIET = 12
const ANSWER_WITHIN = 4

export class LiveSocket {
  private socket: WebSocket | null = null
  private tries = 0
  private again: ReturnType<typeof setTimeout> | null = null
  private watch: ReturnType<typeof setInterval> | null = null
  private lastHeard = 0
  private stopped = false
  private readonly over: () => void

  constructor(over: () => void) {
    this.over = over
  }

  start(): void {
    this.connect()
    this.watch = setInterval(() => void this.check(), 3000)
    window.addEventListener('online', this.hurry)
    document.addEventListener('visibilitychange', this.hurry)
  }

  stop(): void {
    this.stopped = true
    if (this.again) clearTimeout(this.again)
    if (this.watch) clearInterval(this.watch)
    window.removeEventListener('online', this.hurry)
    document.removeEventListener('visibilitychange', this.hurry)
    this.socket?.close()
    live.clear()
  }

  private readonly hurry = (): void => {
    if (document.hidden || this.stopped) return
    if (this.again) {
      clearTimeout(this.again)
      this.again = null
      this.connect()
    } else void this.check(true)
  }

  private connect(): void {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    const socket = new WebSocket(`${scheme}://${location.host}${PREFIX}/live`)
    this.socket = socket
    forget()
    socket.onopen = () => {
      this.register()
      // Where nothing happened meanwhile no message comes: ask, so that the page knows that all is well.
      void this.check(true)
    }
    socket.onmessage = (event) => this.take(String(event.data))
    socket.onclose = (event) => {
      if (this.socket !== socket || this.stopped) return
      this.socket = null
      if (event.code === OVER) {
        live.setLine('over')
        this.over()
        return
      }
      if (event.code === STOPS) live.setLine('restart')
      else if (live.line.line !== 'restart' || Date.now() / 1000 - live.line.since > 30) live.setLine('lost')
      const pause = PAUSES[Math.min(this.tries++, PAUSES.length - 1)]! * (0.8 + Math.random() * 0.4)
      this.again = setTimeout(() => {
        this.again = null
        this.connect()
      }, pause * 1000)
      // The handshake of a browser tells no reason: a session that is over looks like a centre that is down.
      void this.ask()
    }
  }

  private register(): void {
    const place = live.place
    this.socket?.send(JSON.stringify({ register: place ? { place } : {} }))
  }

  private take(text: string): void {
    this.lastHeard = performance.now()
    const message = JSON.parse(text) as LiveMessage
    if (message.kind === 'lost') {
      live.clear()
      this.register()
      return
    }
    if (message.kind !== 'snapshot' && message.kind !== 'changes') return
    heard(message.at)
    try {
      live.take(message)
      this.tries = 0
      live.setLine('live')
    } catch (problem) {
      if (!(problem instanceof LostPlace)) throw problem
      live.clear()
      this.register()
    }
  }

  private async check(now = false): Promise<void> {
    const socket = this.socket
    if (!socket || socket.readyState !== WebSocket.OPEN) return
    const quiet = (performance.now() - this.lastHeard) / 1000
    if (!now && quiet < QUIET) return
    const alive = await this.ask()
    if (alive) {
      this.lastHeard = performance.now()
      // After a return to a place where nothing happened no message comes, and yet all is well.
      if (this.socket === socket) live.setLine('live')
    } else if (this.socket === socket) {
      live.setLine('lost')
      socket.close()
      socket.onclose?.(new CloseEvent('close', { code: 1006 }))
    }
  }

  /** Whether the centre answers at all; a session that is over is told. */
  private async ask(): Promise<boolean> {
    try {
      const answer = await fetch(`${PREFIX}/me`, {
        cache: 'no-store',
        signal: AbortSignal.timeout(ANSWER_WITHIN * 1000),
      })
      if (answer.status === 401 && !this.stopped) {
        live.setLine('over')
        this.over()
      }
      return answer.status < 500
    } catch {
      return false
    }
  }
}
