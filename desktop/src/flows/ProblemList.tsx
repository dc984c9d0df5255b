/** What is wrong with the flow; a press shows where. */
import { useLanguage, useWords } from '../i18n'
import { Icon } from '../ui'
import css from './flows.module.css'
import { exitName, fieldNames, named, nodeName } from './nodeWords'
import { ProblemLine } from './parts'
import { goTo, show, useEditor } from './store'
import type { Problem } from './types'
import { words } from './words'

export function ProblemList({ problems }: { problems: readonly Problem[] }) {
  const t = useWords(words)
  const language = useLanguage()
  const graph = useEditor((one) => one.graph)
  const ordered = [...problems].sort((a, b) => (a.severity === b.severity ? 0 : a.severity === 'error' ? -1 : 1))
  if (!ordered.length) return <p className={css.hint}>{t('noProblems')}</p>
  const where = (one: Problem): string => {
    const [head = '', rest = ''] = one.where.split(/[.[]/, 2)
    if (head === 'exits') return `${t('exit')} ${exitName(rest, language)}`
    return head ? named(fieldNames, head, language) : ''
  }
  return (
    <ul className={css.problems}>
      {ordered.map((one, index) => (
        <li key={index}>
          <button
            type="button"
            className={css.problem}
            data-severity={one.severity}
            onClick={() => {
              show('node')
              if (one.node) goTo(one.node)
              else useEditor.setState({ chosen: new Set() })
            }}
          >
            <Icon name="alarms" size={16} label={t(one.severity)} />
            <span>
              <strong>
                {one.node ? nodeName(one.node, graph?.nodes[one.node], language) : t('ofWhole')}
                {where(one) && ` · ${where(one)}`}
              </strong>
              <span>
                <ProblemLine problem={one} />
              </span>
              <code>{one.code}</code>
            </span>
          </button>
        </li>
      ))}
    </ul>
  )
}
