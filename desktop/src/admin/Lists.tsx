/** Reasons for a pause and results of contacts: names in three languages. */
import { TextInput } from '@mantine/core'
import { LANGUAGES, type Language, useLanguage, useWords } from '../i18n'
import { Button, Empty, Icon, ui } from '../ui'
import css from './admin.module.css'
import { idFrom, ids, labelOf, nameOf, type Texts, type Tree, thing, valueAt, withoutThing } from './draft'
import { fieldSay, wrong } from './fields'
import { NewName, useSettings, Wide } from './parts'
import { check, setAll, takeBack } from './store'
import { words } from './words'

type ListTable = 'reasons' | 'dispositions'

export function Reasons() {
  const settings = useSettings()
  const t = useWords(words)
  const own = ids(settings.tree, 'reasons')
  const builtIn = (settings.shown.defaults.reasons ?? {}) as Record<string, { label: Texts }>
  if (own.length || ids(settings.shown.tree, 'reasons').length) return <Labels table="reasons" />
  return (
    <div className={css.scrolled}>
      <div className={css.sheet}>
        <div className={css.sheetHead}>
          <h1>{t('reasons')}</h1>
          <p className={css.hint}>{t('builtInReasons')}</p>
          <Button
            size="xs"
            onClick={() => {
              setAll(
                settings.shown,
                Object.entries(builtIn).map(([id, one]) => ({ path: ['reasons', id], value: { label: one.label } })),
              )
              void check()
            }}
          >
            {t('makeOwn')}
          </Button>
        </div>
        <Labels table="reasons" fixed={builtIn} />
      </div>
    </div>
  )
}

export const Dispositions = () => <Labels table="dispositions" />

function Labels({ table, fixed }: { table: ListTable; fixed?: Record<string, { label: Texts }> }) {
  const settings = useSettings()
  const { tree, shown } = settings
  const t = useWords(words)
  const language = useLanguage()
  const now = fixed ? Object.keys(fixed) : ids(tree, table)
  const gone = fixed ? [] : ids(shown.tree, table).filter((one) => !now.includes(one))
  const body = (
    <>
      {!fixed && <NewLabel table={table} />}
      {now.length + gone.length ? (
        <Wide label={t(table)}>
          <table className={`${ui.table} ${css.labels}`}>
            <thead>
              <tr>
                <th scope="col">{t('id')}</th>
                {LANGUAGES.map((one) => (
                  <th scope="col" key={one}>
                    {t(one)}
                  </th>
                ))}
                {table === 'reasons' && !fixed && (
                  <th scope="col" title={fieldSay(language, 'reasons.limit?')}>
                    {fieldSay(language, 'reasons.limit')}
                  </th>
                )}
                {table === 'dispositions' && <th scope="col">{t('usedBy')}</th>}
                <td />
              </tr>
            </thead>
            <tbody>
              {now.map((id) =>
                fixed ? (
                  <tr key={id}>
                    <th scope="row">
                      <code>{id}</code>
                    </th>
                    {LANGUAGES.map((one) => (
                      <td key={one} lang={one}>
                        {fixed[id]!.label[one]}
                      </td>
                    ))}
                    <td />
                  </tr>
                ) : (
                  <LabelRow key={id} table={table} id={id} />
                ),
              )}
              {gone.map((id) => (
                <tr key={id} data-dimmed>
                  <th scope="row">
                    <code>{id}</code> <small className={css.mark}>{t('goes')}</small>
                  </th>
                  <td colSpan={4}>{labelOf(thing(shown.tree, table, id))[language] ?? ''}</td>
                  <td className={ui.right}>
                    <Button variant="subtle" size="compact-sm" onClick={() => takeBack([table, id])}>
                      {t('keepIt')}
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      ) : (
        <Empty title={t('noneYet')} why={t('resultsWhy')} />
      )}
    </>
  )
  if (fixed) return body
  return (
    <div className={css.scrolled}>
      <div className={css.sheet}>
        <div className={css.sheetHead}>
          <h1>{t(table)}</h1>
          {table === 'dispositions' && <p className={css.hint}>{t('resultsWhy')}</p>}
        </div>
        {body}
      </div>
    </div>
  )
}

/** As the file may have it: a text, texts by language, or a mapping with `label`. */
function whole(value: unknown): Tree {
  if (typeof value === 'object' && value !== null && 'label' in value) return value as Tree
  return { label: labelOf(value) }
}

function LabelRow({ table, id }: { table: ListTable; id: string }) {
  const settings = useSettings()
  const { tree, shown } = settings
  const t = useWords(words)
  const language = useLanguage()
  const path = [table, id]
  const line = settings.fileLine(path)
  const value = whole(valueAt(tree, path))
  const label = labelOf(value.label)
  const problem = settings.problem(path)
  const limitWrong = wrong({ key: 'limit', kind: 'duration', low: 1 }, value.limit)
  const users =
    table === 'dispositions'
      ? ids(tree, 'queues').filter((one) => {
          const list = thing(tree, 'queues', one).dispositions
          return Array.isArray(list) && list.includes(id)
        })
      : []
  function name(one: Language, text: string) {
    const next = { ...label, [one]: text }
    if (!text) delete next[one]
    settings.set(path, { ...value, label: next })
  }
  return (
    <tr data-edited={settings.edited(path) || undefined}>
      <th scope="row">
        <code>{id}</code>
        {line !== null && (
          <span className={css.source} title={t('inFile', { file: shown.file, line })}>
            {t('theFile', { file: `${shown.file}:${line}` })}
          </span>
        )}
        {problem && (
          <p className={css.wrong} lang="en">
            {problem}
          </p>
        )}
      </th>
      {LANGUAGES.map((one) => (
        <td key={one}>
          <TextInput
            lang={one}
            aria-label={`${id}: ${t(one)}`}
            value={label[one] ?? ''}
            placeholder={label.en ?? label.pl ?? label.ru}
            readOnly={line !== null}
            onChange={(event) => name(one, event.currentTarget.value)}
            onBlur={() => void check()}
          />
        </td>
      ))}
      {table === 'reasons' && (
        <td>
          <TextInput
            className={css.narrow}
            aria-label={`${id}: ${fieldSay(language, 'reasons.limit')}`}
            placeholder="–"
            value={String(value.limit ?? '')}
            readOnly={line !== null}
            error={limitWrong ? fieldSay(language, limitWrong.key, limitWrong.values) : null}
            onChange={(event) => {
              const { limit: _, ...rest } = value
              const text = event.currentTarget.value
              settings.set(path, text ? { ...rest, limit: text } : rest)
            }}
            onBlur={() => void check()}
          />
        </td>
      )}
      {table === 'dispositions' && <td>{users.map((one) => nameOf(tree, 'queues', one)).join(', ') || '–'}</td>}
      <td className={ui.right}>
        {line === null && (
          <Button
            variant="subtle"
            color="gray"
            size="compact-sm"
            aria-label={t('take', { name: label[language] ?? id })}
            onClick={() => {
              setAll(shown, withoutThing(tree, table, id))
              void check()
            }}
          >
            <Icon name="close" size={16} />
          </Button>
        )}
      </td>
    </tr>
  )
}

function NewLabel({ table }: { table: ListTable }) {
  const { tree, shown, set } = useSettings()
  const t = useWords(words)
  const language = useLanguage()
  function add(name: string) {
    const id = idFrom(name, [...ids(tree, table), ...ids(shown.tree, table)]).replaceAll('-', '_')
    set([table, id], { label: { [language]: name } })
    void check()
  }
  return <NewName label={t(table === 'reasons' ? 'newReason' : 'newResult')} make={add} />
}
