// Builds into a folder of its own and puts it in the place of ../centrala/web/dist at the end: a server that starts
// meanwhile, or a second build, never finds half of it. Beside each file stand its compressed forms, so that serving
// them costs no time.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build } from 'vite'

const dist = resolve(import.meta.dirname, '../../centrala/web/dist')
const made = resolve(dist, `../.dist-${process.pid}`)
try {
  await build({ build: { outDir: made, emptyOutDir: true }, logLevel: process.env.CI ? 'warn' : 'info' })
  for (const name of readdirSync(made, { recursive: true })) {
    const path = join(made, name)
    // index.html gets a nonce for each answer, so it can't be compressed beforehand.
    if (!statSync(path).isFile() || !/\.(js|css|svg|json|wasm)$/.test(name)) continue
    const data = readFileSync(path)
    if (data.length < 512) continue
    writeFileSync(`${path}.gz`, gzipSync(data, { level: 9 }))
    writeFileSync(`${path}.br`, brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } }))
  }
  const old = `${made}-old`
  if (existsSync(dist)) renameSync(dist, old)
  renameSync(made, dist)
  rmSync(old, { recursive: true, force: true })
} finally {
  rmSync(made, { recursive: true, force: true })
}
