/** Every key that can be set on the screen has its control, and its words; what was set is told in words again. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { FORMS, type FormName, fieldSay } from './fields'
import { EXPERT, isAlways, mappingOf, PARTS, type Part, STAGE } from './mappings'
import { placeOf, stageText, valueText } from './say'

const REFERENCE = readFileSync('../docs/reference/centre-yaml.md', 'utf8')

/** The keys of a section's table. */
function keysOf(section: string): string[] {
  const text = REFERENCE.split(`\n## ${section}\n`)[1]?.split('\n## ')[0] ?? ''
  return [...text.matchAll(/^\| `([a-z_]+)` \|/gm)].map((one) => one[1]!)
}

const TABLES: [string, FormName][] = [
  ['Queue', 'queues'],
  ['Agent', 'agents'],
  ['Team', 'teams'],
  ['Client', 'clients'],
  ['Trunk', 'trunks'],
  ['Calendar', 'calendars'],
  ['Tenant', 'tenant'],
]
/** Of a tenant: what has a section or a page of its own, and what the file alone may give. */
const ELSEWHERE = [
  ...['trunks', 'clients', 'agents', 'queues', 'numbers', 'teams', 'reasons', 'dispositions', 'calendars'],
  ...['tiers', 'experts', 'escalation_reasons'],
  ...['flows', 'tables', 'http', 'speech'],
]
const MAPPINGS: [string, string][] = [
  ['Announce', 'announce'],
  ['Callbacks', 'callbacks'],
  ['Slots', 'slots'],
  ['Balance', 'balance'],
  ['Balancing', 'balancing'],
  ['LastAgent', 'last_agent'],
  ['FollowUp', 'follow_up'],
  ['Parking', 'parking'],
  ['CallbackRules', 'callback_rules'],
  ['Mail', 'mail'],
]
const parts = (name: string): Part[] =>
  PARTS[name] ??
  Object.values(PARTS)
    .flat()
    .find((one) => one.key === name)?.parts ??
  []

describe('forms', () => {
  it.each(TABLES)('have every key of %s', (section, table) => {
    const known = keysOf(section)
    expect(known.length).toBeGreaterThan(0)
    const fields = FORMS[table].flatMap((group) => group.fields)
    const there = fields.filter((one) => !one.virtual).map((one) => one.key)
    const wanted = table === 'tenant' ? known.filter((one) => !ELSEWHERE.includes(one)) : known
    expect(there.toSorted()).toEqual(wanted.toSorted())
    for (const one of fields) expect(fieldSay('pl', `${table}.${one.key}`), `${table}.${one.key}`).not.toBe('')
  })
  it.each(MAPPINGS)('have every key of %s', (section, name) => {
    const there = parts(name).map((one) => one.key)
    expect(there.toSorted()).toEqual(keysOf(section).toSorted())
    for (const one of there) expect(fieldSay('ru', `${name}.${one}`), `${name}.${one}`).not.toBe('')
  })
  it('have every key of stages, experts and tiers', () => {
    expect(STAGE.toSorted()).toEqual(keysOf('Widen').toSorted())
    expect(EXPERT.toSorted()).toEqual(keysOf('Expert').toSorted())
    expect(keysOf('Tier').toSorted()).toEqual(['authority', 'label'])
    for (const one of STAGE) expect(fieldSay('ru', `widen.${one}`), one).not.toBe('')
    for (const one of EXPERT) expect(fieldSay('ru', `expert.${one}`), one).not.toBe('')
  })
  it('know a queue’s callbacks from those of the house', () => {
    expect([mappingOf('tenant', 'callbacks'), mappingOf('queues', 'callbacks')]).toEqual([
      'callback_rules',
      'callbacks',
    ])
    expect([isAlways('callbacks'), isAlways('announce')]).toEqual([true, false])
  })
})

describe('what was set, in words', () => {
  const tree = { queues: { q: { name: 'Sales' }, c: { name: 'Claims' } }, experts: { law: { name: 'Law office' } } }
  const yes = (key: string) => key
  it('tells stages', () => {
    expect(stageText('en', tree, { after: '60s', needs: { polish: '2' }, queues: ['c'], calendar: 'office' })).toBe(
      'Waited for 60s (office) → polish ≥ 2, Claims',
    )
    expect(valueText('en', tree, ['queues', 'q', 'widen'], [{ below: '50', queues: ['c'] }], yes)).toBe(
      'In time below percent 50 → Claims',
    )
  })
  it('tells mappings with the words of the form, and never a password', () => {
    expect(valueText('en', tree, ['queues', 'q', 'announce'], { every: '1m', wait: false }, yes)).toBe(
      'Then every: 1m; The estimated wait: no',
    )
    expect(valueText('en', tree, ['queues', 'q', 'escalate'], { expert: 'law' }, yes)).toBe('Expert: Law office')
    expect(valueText('en', tree, ['queues', 'q', 'keys'], { 1: { queue: 'c' } }, yes)).toBe('1 → Queue: Claims')
    expect(valueText('pl', tree, ['tiers'], { 2: { authority: { en: 'Refunds', pl: 'Zwroty' } } }, yes)).toBe(
      '2: Może zdecydować Zwroty',
    )
    expect(
      valueText('ru', tree, ['escalation_reasons'], { asked: { label: { en: 'Asked', ru: 'Просит' } } }, yes),
    ).toBe('asked: Просит')
    expect(valueText('en', tree, ['mail'], { host: 'm', password: 'secret' }, yes)).toBe('Server: m; Password: •••')
  })
  it('leads from a mistake to its field', () => {
    expect(placeOf('experts.law.number', tree)).toBe('/settings/tiers#experts')
    expect(placeOf('queues.q.widen[0].needs', tree)).toBe('/settings/queues/q#widen')
    expect(placeOf('parking.slots', tree)).toBe('/settings/house#parking')
  })
})
