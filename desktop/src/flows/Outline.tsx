/** The flow as a list, in the order in which callers come to its nodes: for the keyboard and for screen readers. */
import { memo, useMemo } from 'react'
import { useLanguage, useWords } from '../i18n'
import { Icon } from '../ui'
import css from './flows.module.css'
import { type FlowNode, gistOf } from './model'
import { NodeIcon } from './NodeIcon'
import { exitName, nodeName } from './nodeWords'
import { outline } from './path'
import { goTo, useEditor } from './store'
import { useShown } from './view'
import { words } from './words'

export function Outline() {
  const view = useShown()
  const t = useWords(words)
  const chosen = useEditor((one) => one.chosen)
  const rows = useMemo(() => outline(view.graph), [view.graph])
  return (
    <ol className={css.outline} aria-label={t('outlineOf')}>
      {rows.map(({ node: id, depth, by }) => {
        const wrong = view.problems.get(id)
        return (
          <Row
            key={id}
            id={id}
            node={view.graph.nodes[id]!}
            depth={Math.min(depth, 6)}
            by={by}
            chosen={chosen.has(id)}
            errors={wrong?.errors ?? 0}
            warnings={wrong?.warnings ?? 0}
            language={view.language}
          />
        )
      })}
    </ol>
  )
}

const Row = memo(function Row({
  id,
  node,
  depth,
  by,
  chosen,
  errors,
  warnings,
  language: spoken,
}: {
  id: string
  node: FlowNode
  depth: number
  by: string
  chosen: boolean
  errors: number
  warnings: number
  language: string
}) {
  const t = useWords(words)
  const language = useLanguage()
  const gist = gistOf(node, spoken)
  return (
    <li>
      <button
        type="button"
        aria-current={chosen || undefined}
        style={{ paddingLeft: 8 + depth * 12 }}
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
        {errors + warnings > 0 && (
          <span className={css.outlineWrong} data-severity={errors ? 'error' : 'warning'}>
            <Icon
              name="alarms"
              size={14}
              label={errors ? t('nErrors', { n: errors }) : t('nWarnings', { n: warnings })}
            />
          </span>
        )}
      </button>
    </li>
  )
})
