// Beside each built file its compressed forms: the server picks one, and spends no time on it.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const dist = new URL('../../centrala/web/dist/', import.meta.url).pathname
for (const name of readdirSync(dist, { recursive: true })) {
  const path = join(dist, name)
  // index.html gets a nonce for each answer, so it can't be compressed beforehand.
  if (!statSync(path).isFile() || !/\.(js|css|svg|json|wasm)$/.test(name)) continue
  const data = readFileSync(path)
  if (data.length < 512) continue
  writeFileSync(`${path}.gz`, gzipSync(data, { level: 9 }))
  writeFileSync(`${path}.br`, brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } }))
}
