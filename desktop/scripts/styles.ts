// Mantine's one style sheet has every component it knows (36 kB gzipped). In a build those that none of our imports
// reaches are left out (15 kB). A component's classes are the names in its `*.module.mjs`; what a chunk uses and the
// sheet lacks fails the build, so nothing ever loses its looks silently.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import postcss from 'postcss'
import type { Plugin } from 'vite'

const CLASS = /\bm_[0-9a-f]{6,8}\b/g
const SHEET = /@mantine\/core\/styles(\.layer)?\.css$/
const source = resolve(import.meta.dirname, '../src')
const mantine = resolve(import.meta.dirname, '../node_modules/@mantine/core/esm')

const classes = (text: string): string[] => text.match(CLASS) ?? []

/** Names that our sources import from Mantine. */
function imported(): Set<string> {
  const names = new Set(['MantineProvider'])
  for (const name of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!/\.tsx?$/.test(name)) continue
    const text = readFileSync(join(source, name), 'utf8')
    for (const [, list] of text.matchAll(/import\s*\{([^}]*)\}\s*from\s*'@mantine\/core'/g))
      for (const one of list!.split(',')) names.add(one.trim().split(/\s+as\s+/)[0]!)
  }
  return names
}

/** Classes of these components and of all that they import. */
function reached(names: Set<string>): Set<string> {
  const found = new Set<string>()
  const seen = new Set<string>()
  const walk = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    const text = readFileSync(path, 'utf8')
    if (path.endsWith('.module.mjs')) for (const one of classes(text)) found.add(one)
    for (const [, next] of text.matchAll(/from\s*"(\.[^"]+)"/g)) walk(resolve(dirname(path), next!))
  }
  const index = readFileSync(join(mantine, 'index.mjs'), 'utf8')
  for (const [, list, path] of index.matchAll(/import\s*\{([^}]*)\}\s*from\s*"(\.[^"]+)"/g))
    if (
      list!.split(',').some((one) =>
        names.has(
          one
            .trim()
            .split(/\s+as\s+/)
            .pop()!,
        ),
      )
    )
      walk(resolve(mantine, path!))
  return found
}

function pruned(css: string, used: Set<string>): string {
  const sheet = postcss.parse(css)
  sheet.walkRules((rule) => {
    const kept = rule.selectors.filter((one) => classes(one).every((name) => used.has(name)))
    if (kept.length === 0) rule.remove()
    else if (kept.length < rule.selectors.length) rule.selectors = kept
  })
  sheet.walkAtRules((rule) => {
    if (rule.nodes?.length === 0) rule.remove()
  })
  return sheet.toString()
}

export function usedStyles(): Plugin {
  const left = new Set<string>()
  return {
    name: 'used-styles',
    apply: 'build',
    enforce: 'pre',
    transform(css, id) {
      if (!SHEET.test(id)) return null
      const used = reached(imported())
      for (const one of classes(css)) if (!used.has(one)) left.add(one)
      return { code: pruned(css, used), map: null }
    },
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        const missed = file.type === 'chunk' && classes(file.code).find((one) => left.has(one))
        if (missed) this.error(`${file.fileName} uses Mantine's ${missed}, whose style was left out`)
      }
    },
  }
}
