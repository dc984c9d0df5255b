/** What differs between two versions, node by node; a press shows the node. */
import { useLanguage, useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { difference, type FieldChange, nothingDiffers } from './difference'
import css from './flows.module.css'
import { type Graph, promptLine } from './model'
import { NodeIcon } from './NodeIcon'
import { choiceNames, exitName, fieldNames, named, nodeName } from './nodeWords'
import { goTo } from './store'
import { words } from './words'

const SIGNS = { added: '+', removed: '−', changed: '~' } as const

export function Changes({ before, after }: { before: Graph; after: Graph }) {
  const t = useWords(words)
  const language = useLanguage()
  const found = difference(before, after)
  if (nothingDiffers(found)) return <p className={css.hint}>{t('noDifference')}</p>
  const merged = { ...before.nodes, ...after.nodes }
  return (
    <ul className={css.changes} aria-label={t('differences')}>
      {found.flow.map((one) => (
        <li key={one.field} data-kind="changed">
          <p className={css.changeHead}>
            <span aria-hidden="true">{SIGNS.changed}</span>
            <strong>{named(fieldNames, one.field, language)}</strong>
          </p>
          <Change change={one} graph={after} before={before} />
        </li>
      ))}
      {found.nodes.map((one) => (
        <li key={one.node} data-kind={one.kind}>
          <button type="button" className={css.changeHead} onClick={() => goTo(one.node)}>
            <span aria-hidden="true">{SIGNS[one.kind]}</span>
            <NodeIcon type={one.type} />
            <strong>{nodeName(one.node, merged[one.node], language)}</strong>
            <span className={css.dim}>{t(one.kind)}</span>
          </button>
          {one.fields.map((field) => (
            <Change key={field.field} change={field} graph={after} before={before} named />
          ))}
        </li>
      ))}
    </ul>
  )
}

function Change({
  change,
  graph,
  before,
  named: shown,
}: {
  change: FieldChange
  graph: Graph
  before: Graph
  named?: boolean
}) {
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const exit = change.field.startsWith('exits.') ? change.field.slice(6) : null
  const text = (value: unknown, from: Graph): string => {
    if (value === undefined || value === '' || (Array.isArray(value) && !value.length)) return t('empty')
    if ((exit !== null || change.field === 'start') && typeof value === 'string')
      return nodeName(value, from.nodes[value], language)
    if (change.field.endsWith('prompt')) return promptLine(value, from.language ?? language)
    if (typeof value === 'boolean') return s(value ? 'yes' : 'no')
    if (typeof value === 'string') return named(choiceNames, value, language)
    if (Array.isArray(value)) return value.map((one) => Object.values(one as object).join(' → ')).join('; ')
    if (typeof value === 'object' && value)
      return Object.entries(value)
        .map(([name, one]) => `${name} = ${one}`)
        .join('; ')
    return String(value)
  }
  return (
    <dl className={css.change}>
      {shown && (
        <dt className={css.changeField}>
          {exit === null ? named(fieldNames, change.field, language) : `${t('exit')} ${exitName(exit, language)}`}
        </dt>
      )}
      <dd>
        <del>
          <span className="hidden-label">{t('before')}: </span>
          {text(change.before, before)}
        </del>
        <ins>
          <span className="hidden-label">{t('after')}: </span>
          {text(change.after, graph)}
        </ins>
      </dd>
    </dl>
  )
}
