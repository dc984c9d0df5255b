/** A node as it is drawn: its type and title, what tells it from others, a handle for each exit. */
import { Handle, type NodeProps, Position, useUpdateNodeInternals } from '@xyflow/react'
import { memo, useEffect } from 'react'
import { useLanguage, useWords } from '../i18n'
import { number, percent } from '../i18n/format'
import { Icon } from '../ui'
import css from './canvas.module.css'
import { exitsOf, gistOf, TONES, TYPES } from './model'
import { NodeIcon } from './NodeIcon'
import { exitName, typeName } from './nodeWords'
import { useShown } from './view'
import { words } from './words'

export const Card = memo(function Card({ id, selected }: NodeProps) {
  const view = useShown()
  const t = useWords(words)
  const language = useLanguage()
  const node = view.graph.nodes[id]
  const exits = node ? exitsOf(node, view.returns) : []
  const names = exits.map((one) => one.name).join(' ')
  const gist = node ? gistOf(node, view.language) : ''
  const update = useUpdateNodeInternals()
  // Handles that came or went have new places.
  // biome-ignore lint/correctness/useExhaustiveDependencies: of these the places depend
  useEffect(() => update(id), [id, names, gist === '', update])
  if (!node) return null
  const type = TYPES[node.type]
  const mark = view.marks.get(id)
  const wrong = view.problems.get(id)
  const turn = view.walked?.nodes.get(id)
  const figures = view.flowed?.nodes.get(id)
  const dimmed = (view.walked && turn === undefined) || (view.flowed && !figures?.entered)
  return (
    <div
      className={css.card}
      data-tone={type ? TONES[type.group] : 'gray'}
      data-selected={selected || undefined}
      data-mark={mark}
      data-wrong={wrong?.errors ? 'error' : wrong?.warnings ? 'warning' : undefined}
      data-dimmed={dimmed || undefined}
      data-here={view.walked?.last === id || undefined}
    >
      <Handle type="target" position={Position.Left} id="in" className={css.in} isConnectableStart={false} />
      <div className={css.head}>
        <NodeIcon type={node.type} />
        <span className={css.name}>{node.title || typeName(node.type, language)}</span>
        {view.start === id && <span className={css.start}>{t('starts')}</span>}
        {turn !== undefined && <span className={css.turn}>{turn}</span>}
        {mark && <span className={css.mark}>{t(mark)}</span>}
        {wrong && !mark && (
          <span className={css.wrong}>
            <Icon
              name="alarms"
              size={14}
              label={wrong.errors ? t('nErrors', { n: wrong.errors }) : t('nWarnings', { n: wrong.warnings })}
            />
          </span>
        )}
      </div>
      {gist && <p className={css.gist}>{gist}</p>}
      {exits.length > 0 && (
        <ul className={css.exits}>
          {exits.map((exit) => {
            const went = view.flowed?.ways.get(`${id}/${exit.name}`)
            return (
              <li
                key={exit.name}
                className={css.exit}
                data-open={(!exit.to && exit.needed) || undefined}
                data-optional={(!exit.needed && !exit.to) || undefined}
              >
                {went && (
                  <span className={css.went}>
                    {number(language, went.count)} · {percent(language, went.share)}
                  </span>
                )}
                <span className={css.exitName}>{exitName(exit.name, language)}</span>
                <Handle type="source" position={Position.Right} id={exit.name} className={css.out} />
              </li>
            )
          })}
        </ul>
      )}
      {figures && (
        <div className={css.figures}>
          <span>{t('cameN', { n: number(language, figures.entered) })}</span>
          {figures.left > 0 && (
            <span className={css.left}>
              {t('hungUpN', { n: number(language, figures.left), share: percent(language, figures.share) })}
            </span>
          )}
        </div>
      )}
    </div>
  )
})
