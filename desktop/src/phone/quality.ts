// What a call's statistics say about the last seconds.

import type { Quality } from './types'

type Seen = { lost: number; received: number }

export class Gauge {
  private before: Seen | null = null

  async read(connection: RTCPeerConnection): Promise<Quality | null> {
    const report = await connection.getStats()
    let inbound: { packetsLost?: number; packetsReceived?: number; jitter?: number } | null = null
    let rtt: number | null = null
    let pathRtt: number | null = null
    for (const one of report.values()) {
      if (one.type === 'inbound-rtp' && one.kind === 'audio') inbound = one
      else if (one.type === 'remote-inbound-rtp' && typeof one.roundTripTime === 'number') rtt = one.roundTripTime
      else if (one.type === 'candidate-pair' && one.nominated && typeof one.currentRoundTripTime === 'number')
        pathRtt = one.currentRoundTripTime
    }
    if (!inbound) return null
    const now = { lost: inbound.packetsLost ?? 0, received: inbound.packetsReceived ?? 0 }
    const last = this.before ?? { lost: 0, received: 0 }
    this.before = now
    const lost = Math.max(0, now.lost - last.lost)
    const all = lost + Math.max(0, now.received - last.received)
    return {
      loss: all ? lost / all : 0,
      jitterMs: Math.round((inbound.jitter ?? 0) * 1000),
      rttMs: Math.round((rtt ?? pathRtt ?? 0) * 1000),
    }
  }
}
