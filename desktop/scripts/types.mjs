// src/api/schema.d.ts from the server's own OpenAPI.
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import openapi, { astToString } from 'openapi-typescript'

const python = existsSync('../.venv/bin/python') ? './.venv/bin/python' : 'python3'
const schema = JSON.parse(
  execFileSync(python, ['-m', 'centrala.web.schema'], { cwd: '..', encoding: 'utf8', maxBuffer: 1 << 26 }),
)
writeFileSync('src/api/schema.d.ts', astToString(await openapi(schema)))
