/** The flow as a list, in the order in which callers come to its nodes: for the keyboard and for screen readers. */
import { useMemo } from 'react'
import { useLanguage, useWords } from '../i18n'
import { Icon } from '../ui'
import css from './flows.module.css'
import { gistOf } from './model'
import { NodeIcon } from './NodeIcon'
import { exitName, nodeName } from './nodeWords'
import { outline } from './path'
import { goTo, useEditor } from './store'
import { useShown } from './view'
import { words } from './words'

export function Outline() {
  const view = useShown()
  const t = useWords(words)
  const language = useLanguage()
  const chosen = useEditor((one) => one.chosen)
  const rows = useMemo(() => outline(view.graph), [view.graph])
  return (
    <ol className={css.outline} aria-label={t('outlineOf')}>
      {rows.map(({ node: id, depth, by }) => {
        const node = view.graph.nodes[id]!
        const wrong = view.problems.get(id)
        const gist = gistOf(node, view.language)
        return (
          <li key={id}>
            <button
              type="button"
              aria-current={chosen.has(id) || undefined}
              style={{ paddingLeft: 8 + Math.min(depth, 6) * 12 }}
              onClick={() => goTo(id)}
              onKeyDown={(event) => {
                if (event.key !== 'Enter') return
                event.preventDefault()
                useEditor.setState({ panel: 'node' })
                goTo(id, true)
              }}
            >
              <NodeIcon type={node.type} />
              <span className={css.outlineText}>
                <span>
                  {by && <span className={css.dim}>{exitName(by, language)} → </span>}
                  {nodeName(id, node, language)}
                </span>
                {gist && <small>{gist}</small>}
              </span>
              {wrong && (
                <span className={css.outlineWrong} data-severity={wrong.errors ? 'error' : 'warning'}>
                  <Icon
                    name="alarms"
                    size={14}
                    label={wrong.errors ? t('nErrors', { n: wrong.errors }) : t('nWarnings', { n: wrong.warnings })}
                  />
                </span>
              )}
            </button>
          </li>
        )
      })}
    </ol>
  )
}
