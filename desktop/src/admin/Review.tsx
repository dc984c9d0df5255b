/** All that would change: in words, as YAML, with what people will notice; and what stands in the way. */
import { SegmentedControl, TextInput } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { useCentre } from '../api/session'
import { defineActs, useAct } from '../app/keys'
import { useLanguage, useSay, useWords } from '../i18n'
import { dayAndTime } from '../i18n/format'
import { shared } from '../i18n/shared'
import { Button, Empty, Icon, Kbd, ProblemNote, ui, Waiting } from '../ui'
import css from './admin.module.css'
import { type Edit, type Edits, keyOf, nameOf, ordered, type Path, type Table, valueAt } from './draft'
import { useUsual } from './Form'
import { fieldOf, fieldSay, wrong } from './fields'
import { useSettings, Wide } from './parts'
import { destinationText, pathText, placeOf, valueText } from './say'
import { type Checked, check, takeBack, useActs, useDraft } from './store'
import { effectWords, words } from './words'

export const reviewActs = defineActs({
  settingsReview: { key: 'Ctrl+KeyS', title: words.reviewKey, everywhere: true },
  settingsSave: { key: 'Ctrl+Enter', title: words.saveSettings, everywhere: true },
})

export function Review() {
  const settings = useSettings()
  const { edits, checked, race, saving, failed, checking } = useDraft()
  const acts = useActs()
  const t = useWords(words)
  const s = useWords(shared)
  const [, go] = useLocation()
  const [comment, setComment] = useState('')
  const [how, setHow] = useState('words')
  const top = useRef<HTMLDivElement>(null)
  const place = useDraft((one) => one.place)
  useEffect(() => {
    void check()
  }, [])
  const some = Object.keys(edits).length > 0
  const problems = checked?.problems ?? []
  async function save() {
    if (saving || race || !some) return
    if (await acts.save(comment.trim())) go(place)
    else top.current?.scrollIntoView()
  }
  useAct(reviewActs.settingsSave, () => void save(), some && !race)
  if (!some) {
    return (
      <Empty title={t('noChanges')} why={t('noChangesWhy')}>
        <Button component={Link} href="/settings" variant="default">
          {t('toSettings')}
        </Button>
      </Empty>
    )
  }
  if (race?.length) return <Race />
  return (
    <div className={css.review} ref={top}>
      <div className={css.line}>
        <h1 className={css.grow}>{t('review')}</h1>
        <SegmentedControl
          size="xs"
          aria-label={t('review')}
          value={how}
          onChange={setHow}
          data={[
            { value: 'words', label: t('inWords') },
            { value: 'yaml', label: t('asYaml') },
          ]}
        />
      </div>
      {failed ? <ProblemNote problem={failed} retry={() => void check()} /> : null}
      <Problems />
      {how === 'words' ? (
        <Wide label={t('review')}>
          <table className={`${ui.table} ${css.changes}`}>
            <thead>
              <tr>
                <th scope="col">{t('what')}</th>
                <th scope="col">{t('before')}</th>
                <th scope="col">{t('after')}</th>
                <td />
              </tr>
            </thead>
            <tbody>
              {together(edits).map((one) => (
                <Change key={keyOf(one.path)} path={one.path} />
              ))}
            </tbody>
          </table>
        </Wide>
      ) : checked?.yaml ? (
        <Yaml text={checked.yaml} />
      ) : (
        <Waiting what={t('checking')} />
      )}
      {checked && !problems.length && <Effects checked={checked} />}
      {!!checked?.warnings.length && (
        <section className={css.notes}>
          <h2>{t('warnings')}</h2>
          <ul lang="en">
            {checked.warnings.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </section>
      )}
      <TextInput
        label={t('comment')}
        value={comment}
        maxLength={200}
        onChange={(event) => setComment(event.currentTarget.value)}
      />
      <div className={css.line}>
        <Button loading={saving} onClick={() => void save()}>
          {t('save')}
        </Button>
        <Kbd>Ctrl+Enter</Kbd>
        <Button variant="default" component={Link} href={place}>
          {s('back')}
        </Button>
        <span className="dim" role="status">
          {checking ? `${t('checking')}…` : ''}
        </span>
        {settings.shown.version > 0 && (
          <span className="dim">
            {t('version', { n: settings.shown.version })} → {settings.shown.version + 1}
          </span>
        )}
      </div>
    </div>
  )
}

/** What is wrong, on top, each a link to its field; in the reader's language where the page knows the rule itself. */
export function Problems() {
  const { tree, edits } = useSettings()
  const problems = useDraft((one) => one.checked?.problems ?? null)
  const t = useWords(words)
  const language = useLanguage()
  if (!problems?.length) return null
  const all = Object.values(edits).sort((one, other) => other.path.length - one.path.length)
  return (
    <section className={css.problems} role="alert">
      <h2>{t('problemsOnTop')}</h2>
      <ul>
        {problems.map((one) => {
          // Elements of lists stand in brackets: queues.sales.widen[0].needs.
          const edit = all.find(({ path }) => `${one.key.replaceAll('[', '.[')}.`.startsWith(`${path.join('.')}.`))
          const named = edit && pathText(language, tree, edit.path, (key) => t(key as 'queues'))
          const field =
            edit && edit.path.length !== 2
              ? fieldOf((edit.path.length === 1 ? 'tenant' : edit.path[0]) as Table, edit.path[edit.path.length - 1]!)
              : undefined
          const own = field && wrong(field, edit?.value)
          return (
            <li key={`${one.key} ${one.text}`}>
              <Link href={placeOf(one.key, tree)}>{named ? `${named.of} · ${named.key}` : one.key || t('house')}</Link>{' '}
              {own ? fieldSay(language, own.key, own.values) : <span lang="en">{one.text}</span>}{' '}
              {named && <code>{one.key}</code>}
            </li>
          )
        })}
      </ul>
    </section>
  )
}

/** Each new thing with its keys under it. */
const together = (edits: Edits): Edit[] => {
  const place = (one: Edit) => (one.path.length > 2 ? keyOf(one.path.slice(0, 2)) : keyOf(one.path))
  const all = ordered(edits)
  const first = new Map<string, number>()
  for (const [index, one] of all.entries()) if (!first.has(place(one))) first.set(place(one), index)
  return [...all].sort((a, b) => first.get(place(a))! - first.get(place(b))!)
}

function Change({ path }: { path: Path }) {
  const { shown, tree, edits } = useSettings()
  const language = useLanguage()
  const t = useWords(words)
  const s = useWords(shared)
  const all = (key: string) => t(key as 'queues')
  const yes = (key: string) => s(key as 'yes')
  const edit = edits[keyOf(path)]!
  const usualOf = useUsual()
  const was = valueAt(shown.tree, path)
  const gone = edit.value === null && path.length === 2
  const named = pathText(language, gone ? shown.tree : tree, path, all)
  const secret = path[2] === 'sip_password'
  const fresh = path.length === 2 && was === undefined
  const field = path.length === 3 ? fieldOf(path[0] as Table, path[2]!) : undefined
  const usual = field && valueAt(shown.tree, path.slice(0, 2)) !== undefined ? usualOf(path[0]!, field) : ''
  const unset = usual ? <span className="dim">{t('default', { value: usual })}</span> : '–'
  const said = (value: unknown, of: typeof tree) =>
    secret && value ? '•••' : valueText(language, of, path, value, yes)
  return (
    <tr>
      <th scope="row">
        <span className="dim">{named.of}</span>
        <br />
        {named.key}
      </th>
      <td data-gone={(was !== undefined && edit.value === null) || undefined}>
        {was === undefined ? unset : said(was, shown.tree) || '✓'}
      </td>
      <td data-new={edit.value !== null || undefined}>
        {gone
          ? t('remove')
          : fresh && said(edit.value, tree) === ''
            ? t('isNew')
            : edit.value === null
              ? unset
              : said(edit.value, tree)}
      </td>
      <td>
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          aria-label={t('takeBack', { name: `${named.of} ${named.key}` })}
          onClick={() => takeBack(path)}
        >
          <Icon name="undo" size={16} />
        </Button>
      </td>
    </tr>
  )
}

/** Lines with + and −; the sign tells, the colour repeats it. */
export function Yaml({ text }: { text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: wide lines are scrolled by keyboard
    <section className={css.yaml} tabIndex={0} aria-label="YAML">
      <pre>
        {text.split('\n').map((line, index) => (
          <span key={index} data-sign={line[0] === '+' || line[0] === '-' ? line[0] : undefined}>
            {line}
            {'\n'}
          </span>
        ))}
      </pre>
    </section>
  )
}

function Effects({ checked }: { checked: Checked }) {
  const { tree, shown } = useSettings()
  const t = useWords(words)
  const say = useSay()
  const language = useLanguage()
  function text(effect: Record<string, unknown>): string {
    const code = String(effect.code)
    const sentence = effectWords[code as keyof typeof effectWords] ?? effectWords.OTHER
    const values: Record<string, string | number> = { code }
    for (const [name, value] of Object.entries(effect)) {
      if (name === 'queue') values[name] = nameIn('queues', String(value))
      else if (name === 'agent') values[name] = nameIn('agents', String(value))
      else if (name === 'agents' && Array.isArray(value))
        values[name] = value.map((one) => nameIn('agents', String(one))).join(', ')
      else if (name === 'queues' && Array.isArray(value)) {
        values[name] = value.map((one) => nameIn('queues', String(one))).join(', ') || t('nQueues', { n: 0 })
      } else if (name === 'to' || name === 'before') values[name] = destinationText(language, tree, value)
      else if (Array.isArray(value)) values[name] = value.join(', ')
      else values[name] = typeof value === 'number' ? value : String(value)
    }
    return say(sentence, values)
  }
  const nameIn = (table: 'queues' | 'agents', id: string) =>
    nameOf(valueAt(tree, [table, id]) === undefined ? shown.tree : tree, table, id)
  return (
    <section className={css.notes}>
      <h2>{t('effects')}</h2>
      {checked.effects.length ? (
        <ul>
          {checked.effects.map((one, index) => (
            <li key={index}>{text(one)}</li>
          ))}
        </ul>
      ) : (
        <p className="dim">{t('noEffects')}</p>
      )}
    </section>
  )
}

/** Two people changed the same: both values side by side, chosen for each key. */
export function Race() {
  const { tree } = useSettings()
  const race = useDraft((one) => one.race) ?? []
  const edits = useDraft((one) => one.edits)
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const { zone } = useCentre()
  const [mine, setMine] = useState<ReadonlySet<string>>(new Set())
  const first = race[0]
  const yes = (key: string) => s(key as 'yes')
  const acts = useActs()
  const pathOf = (field: string) =>
    Object.values(edits).find((one) => one.path.join('.') === field)?.path ?? field.split('.')
  return (
    <div className={css.review}>
      <h1>{t('raceTitle')}</h1>
      <p>
        {first?.by && first.at ? `${t('raceBy', { by: first.by, at: dayAndTime(language, first.at, zone) })}. ` : ''}
        {t('raceWhy')}
      </p>
      <Wide label={t('raceTitle')}>
        <table className={`${ui.table} ${css.changes}`}>
          <thead>
            <tr>
              <th scope="col">{t('what')}</th>
              <th scope="col">{t('mine')}</th>
              <th scope="col">{t('theirs')}</th>
            </tr>
          </thead>
          <tbody>
            {race.map((one) => {
              const path = pathOf(one.field)
              const named = pathText(language, tree, path, (key) => t(key as 'queues'))
              const choice = mine.has(one.field)
              const option = (own: boolean, value: unknown) => (
                <label className={css.option}>
                  <input
                    type="radio"
                    name={one.field}
                    checked={choice === own}
                    onChange={() => {
                      const next = new Set(mine)
                      if (own) next.add(one.field)
                      else next.delete(one.field)
                      setMine(next)
                    }}
                  />
                  <span>{valueText(language, tree, path, value, yes)}</span>
                </label>
              )
              return (
                <tr key={one.field}>
                  <th scope="row">
                    <span className="dim">{named.of}</span>
                    <br />
                    {named.key}
                  </th>
                  <td>{option(true, one.yours)}</td>
                  <td>{option(false, one.theirs)}</td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </Wide>
      <div className={css.line}>
        <Button onClick={() => void acts.settle(mine)}>{t('goOn')}</Button>
        <code className="dim">EDIT-RACE</code>
      </div>
    </div>
  )
}
