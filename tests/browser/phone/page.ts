// A bare page around the browser phone, for tests: `phone`, what its lines hear, and ways to disturb them.
import { createPhone, type PhoneConfig } from '../../../desktop/src/phone'

declare global {
  interface Window {
    phone: ReturnType<typeof createPhone>
    begin: (config: PhoneConfig) => void
    hears: () => Promise<{ hertz: number; level: number }>
    lines: RTCPeerConnection[]
    sockets: WebSocket[]
  }
}

const lines: RTCPeerConnection[] = []
const sockets: WebSocket[] = []
window.lines = lines
window.sockets = sockets
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(config?: RTCConfiguration) {
    super(config)
    lines.push(this)
  }
}
window.WebSocket = class extends WebSocket {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols)
    sockets.push(this)
  }
}

window.begin = (config) => {
  sessionStorage.setItem('config', JSON.stringify(config))
  window.phone = createPhone(config)
  void window.phone.start()
}

/** The strongest frequency that the newest line hears in half a second, and how strong it is (dB). */
window.hears = async () => {
  const track = lines.at(-1)?.getReceivers()[0]?.track
  if (!track) return { hertz: 0, level: -200 }
  const context = new AudioContext()
  await context.resume()
  const source = context.createMediaStreamSource(new MediaStream([track]))
  const analyser = context.createAnalyser()
  analyser.fftSize = 16384
  analyser.smoothingTimeConstant = 0
  source.connect(analyser)
  await new Promise((resolve) => setTimeout(resolve, 600))
  const bins = new Float32Array(analyser.frequencyBinCount)
  analyser.getFloatFrequencyData(bins)
  let best = 1
  for (let k = 1; k < bins.length; k++) if (bins[k]! > bins[best]!) best = k
  await context.close()
  return { hertz: (best * context.sampleRate) / analyser.fftSize, level: bins[best]! }
}

const kept = sessionStorage.getItem('config')
if (kept) window.begin(JSON.parse(kept))
