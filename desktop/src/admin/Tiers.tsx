/** Whom agents hand on to: tiers of support, experts outside the house, and the reasons they may give. */
import { Select, TextInput } from '@mantine/core'
import { type ReactNode, useEffect, useId, useRef } from 'react'
import { LANGUAGES, type Language, useLanguage, useWords } from '../i18n'
import { Button, Icon, ui } from '../ui'
import css from './admin.module.css'
import { isRecord } from './ControlProps'
import { expertName, expertsOf, idFrom, ids, labelOf, type Texts, type Tree } from './draft'
import { fieldSay } from './fields'
import { OnePart, Under } from './Mapping'
import { EXPERT, type Part } from './mappings'
import { NewName, useSettings, Wide } from './parts'
import { check } from './store'
import { words } from './words'

type Key = 'tiers' | 'experts' | 'escalation_reasons'

export function Tiers() {
  const t = useWords(words)
  const page = useRef<HTMLDivElement>(null)
  // A link to one key puts the focus there, on what is wrong if anything is.
  useEffect(() => {
    const key = decodeURIComponent(location.hash.slice(1))
    const block = key && page.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)
    if (!block) return
    const field = block.querySelector<HTMLElement>('[aria-invalid="true"]') ?? block.querySelector('input')
    ;(field ?? block).scrollIntoView({ block: 'center' })
    field?.focus()
  }, [])
  return (
    <div className={css.scrolled} ref={page}>
      <div className={css.sheet}>
        <div className={css.sheetHead}>
          <h1>{t('tiers')}</h1>
          <p className={css.hint}>{t('tiersWhy')}</p>
        </div>
        <TierTable />
        <Experts />
        <Reasons />
      </div>
    </div>
  )
}

/** One of these three keys: each is a whole in the settings, so that it is saved and undone as one. */
function useKey(key: Key) {
  const settings = useSettings()
  const found = settings.tree[key]
  const all: Tree = isRecord(found) ? found : {}
  const line = settings.fileLine([key])
  return {
    settings,
    all,
    line,
    readOnly: line !== null,
    give(next: Tree, typing = false) {
      settings.set([key], Object.keys(next).length ? next : null)
      if (!typing) void check()
    },
    /** What the centre says about the key itself, not about something in it. */
    whole: settings.problem([key], (below) => Object.keys(all).every((id) => !below.startsWith(`.${id}`))),
  }
}

function Block({
  name,
  why,
  of,
  children,
}: {
  name: Key
  why?: string
  of: ReturnType<typeof useKey>
  children: ReactNode
}) {
  const t = useWords(words)
  const language = useLanguage()
  const title = useId()
  return (
    <div role="group" className={css.block} aria-labelledby={title} data-key={name} id={name}>
      <h2 id={title}>{fieldSay(language, `tenant.${name}`)}</h2>
      <p className={css.hint}>{why ?? fieldSay(language, `tenant.${name}?`)}</p>
      {of.line !== null && (
        <p className={css.source}>
          <Icon name="note" size={14} />
          {t('inFile', { file: of.settings.shown.file, line: of.line })}
        </p>
      )}
      {of.whole && (
        <p className={css.wrong} lang="en">
          {of.whole}
        </p>
      )}
      {children}
    </div>
  )
}

/** The texts of a label, a language each, as cells of a table. */
function TextCells({
  name,
  value,
  set,
  readOnly,
}: {
  name: string
  value: unknown
  set: (value: unknown) => void
  readOnly: boolean
}) {
  const t = useWords(words)
  const texts = labelOf(value)
  const give = (one: Language, text: string) => {
    const next: Texts = { ...texts, [one]: text }
    if (!text) delete next[one]
    set(Object.keys(next).length ? next : null)
  }
  return LANGUAGES.map((one) => (
    <td key={one}>
      <TextInput
        lang={one}
        aria-label={`${name}: ${t(one)}`}
        value={texts[one] ?? ''}
        placeholder={texts.en ?? texts.pl ?? texts.ru}
        readOnly={readOnly}
        onChange={(event) => give(one, event.currentTarget.value)}
        onBlur={() => void check()}
      />
    </td>
  ))
}

function Heads({ first }: { first: string }) {
  const t = useWords(words)
  return (
    <thead>
      <tr>
        {first ? <th scope="col">{first}</th> : <td />}
        {LANGUAGES.map((one) => (
          <th scope="col" key={one}>
            {t(one)}
          </th>
        ))}
        <td />
      </tr>
    </thead>
  )
}

function Remove({ name, press }: { name: string; press: () => void }) {
  const t = useWords(words)
  return (
    <Button variant="subtle" color="gray" size="compact-sm" aria-label={t('take', { name })} onClick={press}>
      <Icon name="close" size={16} />
    </Button>
  )
}

const without = (all: Tree, id: string): Tree => Object.fromEntries(Object.entries(all).filter(([one]) => one !== id))

// --- tiers ---

const NUMBERS = [...'123456789']
const TEXTS = ['label', 'authority'] as const

function TierTable() {
  const of = useKey('tiers')
  const { settings, all, readOnly, give } = of
  const t = useWords(words)
  const language = useLanguage()
  const used = NUMBERS.filter((one) => one in all)
  return (
    <Block name="tiers" of={of}>
      {used.length > 0 && (
        <Wide label={fieldSay(language, 'tenant.tiers')}>
          <table className={`${ui.table} ${css.labels}`}>
            <Heads first={t('tier')} />
            <tbody>
              {used.flatMap((number) => {
                const tier = isRecord(all[number]) ? (all[number] as Tree) : {}
                return TEXTS.map((key) => {
                  const name = `${t('tierN', { n: number })}, ${fieldSay(language, `tier.${key}`)}`
                  const problem = settings.problem(['tiers', number, key])
                  return (
                    <tr key={`${number}${key}`}>
                      <th scope="row">
                        {key === 'label' ? t('tierN', { n: number }) : fieldSay(language, 'tier.authority')}
                        {problem && (
                          <p className={css.wrong} lang="en">
                            {problem}
                          </p>
                        )}
                      </th>
                      <TextCells
                        name={name}
                        value={tier[key]}
                        readOnly={readOnly}
                        set={(value) => {
                          const next = { ...tier, [key]: value }
                          if (value === null) delete next[key]
                          give({ ...all, [number]: next }, true)
                        }}
                      />
                      <td className={ui.right}>
                        {!readOnly && key === 'label' && (
                          <Remove name={t('tierN', { n: number })} press={() => give(without(all, number))} />
                        )}
                      </td>
                    </tr>
                  )
                })
              })}
            </tbody>
          </table>
        </Wide>
      )}
      {!readOnly && used.length < NUMBERS.length && (
        <Select
          className={css.narrow}
          aria-label={t('addTier')}
          placeholder={t('addTier')}
          value={null}
          data={NUMBERS.filter((one) => !(one in all)).map((one) => ({ value: one, label: t('tierN', { n: one }) }))}
          onChange={(one) => one && give({ ...all, [one]: {} })}
        />
      )}
    </Block>
  )
}

// --- experts ---

const FIELDS: Part[] = [
  { key: 'name', kind: 'text' },
  { key: 'number', kind: 'text', usual: '+48221234567' },
  { key: 'phone', kind: 'text', usual: 'sip:law@192.0.2.7' },
  { key: 'tier', kind: 'integer', usual: '3', low: 1, high: 9 },
  { key: 'skills', kind: 'levels' },
]

function Experts() {
  const of = useKey('experts')
  const { all, readOnly, give, settings } = of
  const t = useWords(words)
  return (
    <Block name="experts" of={of}>
      {Object.keys(expertsOf(settings.tree)).map((id) => (
        <Expert
          key={id}
          id={id}
          value={isRecord(all[id]) ? (all[id] as Tree) : {}}
          readOnly={readOnly}
          set={(next, typing) => give({ ...all, [id]: next }, typing)}
          remove={() => give(without(all, id))}
        />
      ))}
      {!readOnly && (
        <NewName
          label={t('newExpert')}
          make={(name) => {
            const id = idFrom(name, Object.keys(all))
            give({ ...all, [id]: name === id ? {} : { name } })
          }}
        />
      )}
    </Block>
  )
}

function Expert({
  id,
  value,
  set,
  remove,
  readOnly,
}: {
  id: string
  value: Tree
  set: (value: Tree, typing?: boolean) => void
  remove: () => void
  readOnly: boolean
}) {
  const settings = useSettings()
  const t = useWords(words)
  const language = useLanguage()
  const base = useId()
  const path = ['experts', id]
  const whole = settings.problem(path, (below) => EXPERT.every((key) => !below.startsWith(`.${key}`)))
  const authority = settings.problem([...path, 'authority'])
  const name = expertName(settings.tree, id)
  const give = (key: string, one: unknown, typing?: boolean) => {
    const next = { ...value, [key]: one }
    if (one === null || one === '') delete next[key]
    set(next, typing)
  }
  const calendars = ids(settings.tree, 'calendars')
  const calendar = typeof value.calendar === 'string' ? value.calendar : null
  return (
    <article className={`${css.inset} ${css.expert}`} aria-label={name}>
      <header className={css.insetHead}>
        <h3>{name}</h3>
        <code className={css.grow}>{id}</code>
        {!readOnly && <Remove name={name} press={remove} />}
      </header>
      {whole && (
        <p className={css.wrong} lang="en">
          {whole}
        </p>
      )}
      {FIELDS.map((part) => (
        <OnePart
          key={part.key}
          name="expert"
          path={[...path, part.key]}
          part={part}
          value={value[part.key]}
          set={(one, typing) => give(part.key, one, typing)}
          leave={() => void check()}
          readOnly={readOnly}
          settings={settings}
        />
      ))}
      <div className={css.sub}>
        <label htmlFor={`${base}-calendar`}>{fieldSay(language, 'expert.calendar')}</label>
        <Under text={settings.problem([...path, 'calendar'])} foreign>
          <Select
            id={`${base}-calendar`}
            data={calendar && !calendars.includes(calendar) ? [...calendars, calendar] : calendars}
            value={calendar}
            placeholder={t('expertAlways')}
            clearable
            disabled={readOnly}
            onChange={(one) => give('calendar', one)}
          />
        </Under>
      </div>
      <Wide label={`${name}: ${fieldSay(language, 'expert.authority')}`}>
        <table className={`${ui.table} ${css.labels}`}>
          <Heads first="" />
          <tbody>
            <tr>
              <th scope="row">
                {fieldSay(language, 'expert.authority')}
                {authority && (
                  <p className={css.wrong} lang="en">
                    {authority}
                  </p>
                )}
              </th>
              <TextCells
                name={`${name}, ${fieldSay(language, 'expert.authority')}`}
                value={value.authority}
                readOnly={readOnly}
                set={(one) => give('authority', one, true)}
              />
              <td />
            </tr>
          </tbody>
        </table>
      </Wide>
    </article>
  )
}

// --- reasons ---

function Reasons() {
  const of = useKey('escalation_reasons')
  const { settings, all, readOnly, give } = of
  const t = useWords(words)
  const language = useLanguage()
  const builtIn = settings.shown.defaults.escalation_reasons
  const house = isRecord(builtIn) ? builtIn : {}
  const own = Object.keys(all).length > 0
  const shown = own ? all : house
  return (
    <Block name="escalation_reasons" of={of} why={own ? undefined : t('builtInEscalations')}>
      {Object.keys(shown).length > 0 && (
        <Wide label={fieldSay(language, 'tenant.escalation_reasons')}>
          <table className={`${ui.table} ${css.labels}`}>
            <Heads first={t('id')} />
            <tbody>
              {Object.entries(shown).map(([id, value]) => {
                const texts = labelOf(value)
                const problem = own ? settings.problem(['escalation_reasons', id]) : null
                return (
                  <tr key={id}>
                    <th scope="row">
                      <code>{id}</code>
                      {problem && (
                        <p className={css.wrong} lang="en">
                          {problem}
                        </p>
                      )}
                    </th>
                    {own ? (
                      <TextCells
                        name={id}
                        value={value}
                        readOnly={readOnly}
                        set={(label) => give({ ...all, [id]: { label: label ?? {} } }, true)}
                      />
                    ) : (
                      LANGUAGES.map((one) => (
                        <td key={one} lang={one}>
                          {texts[one]}
                        </td>
                      ))
                    )}
                    <td className={ui.right}>
                      {own && !readOnly && <Remove name={texts[language] ?? id} press={() => give(without(all, id))} />}
                    </td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        </Wide>
      )}
      {!readOnly &&
        (own ? (
          <NewName
            label={t('newReason')}
            make={(name) => {
              const id = idFrom(name, Object.keys(all)).replaceAll('-', '_')
              give({ ...all, [id]: { label: { [language]: name } } })
            }}
          />
        ) : (
          <div>
            <Button size="xs" variant="default" onClick={() => give(house)}>
              {t('makeOwn')}
            </Button>
          </div>
        ))}
    </Block>
  )
}
