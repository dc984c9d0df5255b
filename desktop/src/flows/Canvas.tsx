/** The drawing: cards joined by ways, from left to right. Only what can be seen is rendered. */
import {
  applyNodeChanges,
  type Connection,
  type Edge,
  type EdgeChange,
  MarkerType,
  MiniMap,
  type Node,
  type NodeChange,
  type OnConnectEnd,
  ReactFlow,
  SelectionMode,
  useNodesInitialized,
  useReactFlow,
} from '@xyflow/react'
import '@xyflow/react/dist/base.css'
import { type DragEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { type Language, useLanguage, useWords } from '../i18n'
import { number, percent } from '../i18n/format'
import { shared } from '../i18n/shared'
import { Icon } from '../ui'
import { Card } from './Card'
import css from './canvas.module.css'
import { connect, disconnect, moveNodes } from './edit'
import { layout, WIDTH } from './layout'
import { TONES, TYPES } from './model'
import { exitName, nodeName, typeName } from './nodeWords'
import { widthOf } from './path'
import { edit, select, useEditor } from './store'
import { useShown, type View, wayKey } from './view'
import { words } from './words'

const MAP = { width: 150, height: 100 }
const TYPES_OF_NODES = { card: Card }
export const WHOLE = { maxZoom: 1, padding: 0.08 }
/** Below this nobody reads the cards. */
const READABLE = 0.6
const TYPE = 'application/x-centrala-node'

export const drags = (event: DragEvent, type: string): void => {
  event.dataTransfer.setData(TYPE, type)
  event.dataTransfer.effectAllowed = 'copy'
}

/** Where nodes stand that say nothing about it, reckoned once for each set of them. */
function usePlaces(view: View): Map<string, [number, number]> {
  const missing = Object.values(view.graph.nodes).some((one) => !one.at)
  const names = missing ? Object.keys(view.graph.nodes).join(' ') : ''
  // biome-ignore lint/correctness/useExhaustiveDependencies: an edit within nodes moves none
  return useMemo(() => {
    const all = Object.values(view.graph.nodes)
    if (!all.some((one) => !one.at)) return new Map()
    const laid = layout(view.graph, () => 140, view.returns)
    if (all.every((one) => !one.at)) return laid
    // Few have no place: they stand below the others.
    const low = Math.max(...all.map((one) => (one.at?.[1] ?? 0) + 220))
    let x = 0
    return new Map(
      Object.entries(view.graph.nodes)
        .filter(([, one]) => !one.at)
        .map(([id]) => [id, [(x += WIDTH + 30) - WIDTH - 30, low] as [number, number]]),
    )
  }, [names])
}

export function Canvas({
  addAt,
  menu,
}: {
  /** A node type was let go over the drawing. */
  addAt: (type: string, at: [number, number]) => void
  /** An exit was drawn into the void: which node shall stand there? */
  menu: (from: { node: string; exit: string }, at: [number, number], screen: [number, number]) => void
}) {
  const view = useShown()
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const chosen = useEditor((one) => one.chosen)
  const goal = useEditor((one) => one.goal)
  const id = useEditor((one) => one.id)
  const flow = useReactFlow()
  const places = usePlaces(view)
  const still = view.still
  const [nodes, setNodes] = useState<Node[]>([])
  const [way, setWay] = useState('')
  const dragged = useRef(false)
  const area = useRef<HTMLElement>(null)

  useEffect(() => {
    if (dragged.current) return
    setNodes((before) => {
      const old = new Map(before.map((one) => [one.id, one]))
      return Object.entries(view.graph.nodes).map(([id, node]): Node => {
        const [x, y] = node.at ?? places.get(id) ?? [0, 0]
        const was = old.get(id)
        const label = nodeName(id, node, language)
        const selected = chosen.has(id)
        if (
          was &&
          was.position.x === x &&
          was.position.y === y &&
          was.ariaLabel === label &&
          was.selected === selected &&
          was.draggable === !still
        )
          return was
        return {
          id,
          type: 'card',
          position: { x, y },
          data: {},
          selected,
          ariaLabel: label,
          draggable: !still,
          connectable: !still,
          deletable: false,
          initialWidth: WIDTH,
          initialHeight: 120,
          domAttributes: { 'aria-roledescription': typeName(node.type, language) },
          ...(was?.measured ? { measured: was.measured } : {}),
        }
      })
    })
  }, [view.graph, places, chosen, language, still])

  const kept = useRef(new Map<string, Kept>())
  const { graph, ways, gone, walked, flowed } = view
  // biome-ignore lint/correctness/useExhaustiveDependencies: of the view these count
  const edges = useMemo(
    () => edgesOf(view, way, t, language, kept.current),
    [graph, ways, gone, walked, flowed, still, way, language],
  )

  const onNodesChange = useCallback((changes: NodeChange[]) => {
    setNodes((now) => applyNodeChanges(changes, now))
    const moved = new Map<string, [number, number]>()
    const { chosen } = useEditor.getState()
    let picked: Set<string> | null = null
    for (const one of changes) {
      if (one.type === 'position' && one.position) {
        // In a drag its end alone is an edit; arrow keys move at once.
        if (one.dragging) dragged.current = true
        else moved.set(one.id, [one.position.x, one.position.y])
      } else if (one.type === 'position' && one.dragging === false) dragged.current = false
      else if (one.type === 'select') {
        picked ??= new Set(chosen)
        if (one.selected) picked.add(one.id)
        else picked.delete(one.id)
      }
    }
    if (moved.size) {
      dragged.current = false
      edit((graph) => moveNodes(graph, moved), `move ${[...moved.keys()].join(' ')}`)
    }
    if (picked) select(picked)
  }, [])

  const onEdgesChange = useCallback((changes: EdgeChange[]) => {
    for (const one of changes)
      if (one.type === 'select') setWay((now) => (one.selected ? one.id : now === one.id ? '' : now))
  }, [])

  const join = useCallback((one: Connection) => {
    edit((graph) => connect(graph, one.source, one.sourceHandle ?? 'next', one.target))
  }, [])

  const rejoin = useCallback((old: Edge, one: Connection) => {
    edit((graph) => {
      const moved = old.source !== one.source || old.sourceHandle !== one.sourceHandle
      const freed = moved ? disconnect(graph, old.source, old.sourceHandle!) : graph
      return connect(freed, one.source, one.sourceHandle ?? 'next', one.target)
    })
  }, [])

  const letGo = useCallback<OnConnectEnd>(
    (event, state) => {
      if (state.isValid || !state.fromNode || !state.fromHandle?.id || state.toNode) return
      if (!(event.target instanceof Element && event.target.closest('.react-flow__pane'))) return
      const at = 'changedTouches' in event ? event.changedTouches[0]! : event
      const { x, y } = flow.screenToFlowPosition({ x: at.clientX, y: at.clientY })
      menu({ node: state.fromNode.id, exit: state.fromHandle.id }, [x, y - 18], [at.clientX, at.clientY])
    },
    [flow, menu],
  )

  // A flow is shown whole at first if it can be, once all its cards have their sizes.
  const sized = useNodesInitialized()
  const fitted = useRef('')
  useEffect(() => {
    if (!sized || fitted.current === id) return
    fitted.current = id
    void flow.fitView(WHOLE).then(() => {
      // One that is too big to be read whole begins at its start.
      const { graph } = useEditor.getState()
      const first = graph && flow.getNode(graph.start)
      const tall = area.current?.clientHeight ?? 0
      if (!first || flow.getZoom() >= READABLE) return
      const y = tall / 2 - (first.position.y + (first.measured?.height ?? 120) / 2) * READABLE
      void flow.setViewport({ x: 24 - first.position.x * READABLE, y, zoom: READABLE })
    })
  }, [sized, id, flow])

  // A node that is asked for comes into view.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each goal
  useEffect(() => {
    if (!goal.node) return
    const frame = requestAnimationFrame(() => {
      const found = flow.getNode(goal.node)
      if (!found) return
      const { x, y, zoom } = flow.getViewport()
      const height = found.measured?.height ?? 120
      const box = area.current?.getBoundingClientRect()
      const left = found.position.x * zoom + x
      const top = found.position.y * zoom + y
      // What can be seen well already doesn't move under a hand.
      const seen =
        box &&
        zoom >= 0.5 &&
        left > 8 &&
        top > 8 &&
        left + WIDTH * zoom < box.width - 8 &&
        top + height * zoom < box.height - 8
      if (seen) return
      void flow.setCenter(found.position.x + WIDTH / 2, found.position.y + height / 2, { zoom: Math.max(zoom, 0.7) })
    })
    return () => cancelAnimationFrame(frame)
  }, [goal.n])

  return (
    <section
      ref={area}
      className={css.canvas}
      aria-label={t('drawing')}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes(TYPE) || still) return
        event.preventDefault()
        event.dataTransfer.dropEffect = 'copy'
      }}
      onDrop={(event) => {
        const type = event.dataTransfer.getData(TYPE)
        if (!type || still) return
        event.preventDefault()
        const { x, y } = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY })
        addAt(type, [x - WIDTH / 2, y - 18])
      }}
    >
      <ReactFlow
        key={id}
        nodes={nodes}
        edges={edges}
        nodeTypes={TYPES_OF_NODES}
        onNodesChange={onNodesChange}
        onEdgesChange={onEdgesChange}
        onConnect={join}
        onReconnect={rejoin}
        onConnectEnd={letGo}
        edgesReconnectable={!still}
        nodesConnectable={!still}
        nodesDraggable={!still}
        onlyRenderVisibleElements
        minZoom={0.1}
        maxZoom={2}
        deleteKeyCode={null}
        selectionMode={SelectionMode.Partial}
        multiSelectionKeyCode={['Meta', 'Control']}
        connectionRadius={30}
        disableKeyboardA11y={false}
        ariaLabelConfig={{
          'node.a11yDescription.default': t('nodeHelp'),
          'node.a11yDescription.keyboardDisabled': t('nodeHelp'),
          'node.a11yDescription.ariaLiveMessage': ({ x, y }) =>
            t('moved', { x: number(language, x), y: number(language, y) }),
          'edge.a11yDescription.default': t('edgeHelp'),
          'minimap.ariaLabel': t('minimap'),
          'handle.ariaLabel': t('connectHere'),
        }}
      >
        <MiniMap
          pannable
          zoomable
          className={css.map}
          style={MAP}
          nodeClassName={(node) => tone(view, node.id)}
          nodeBorderRadius={8}
          nodeStrokeWidth={6}
        />
      </ReactFlow>
      <div className={css.zoom} role="toolbar" aria-label={t('drawing')}>
        <button type="button" onClick={() => void flow.zoomIn()} title={t('zoomIn')} aria-label={t('zoomIn')}>
          <Icon name="plus" size={16} />
        </button>
        <button type="button" onClick={() => void flow.zoomOut()} title={t('zoomOut')} aria-label={t('zoomOut')}>
          <svg width="16" height="16" viewBox="0 0 24 24" stroke="currentColor" strokeWidth="1.8" aria-hidden="true">
            <path d="M5 12h14" />
          </svg>
        </button>
        <button type="button" onClick={() => void flow.fitView(WHOLE)} title={t('fit')} aria-label={t('fit')}>
          <Icon name="full" size={16} />
        </button>
        {way && !still && (
          <button
            type="button"
            title={t('deleteWay')}
            aria-label={`${t('deleteWay')} (${s('delete')})`}
            onClick={() => {
              const found = edges.find((one) => one.id === way)
              if (found) edit((graph) => disconnect(graph, found.source, found.sourceHandle!))
            }}
          >
            <Icon name="close" size={16} />
          </button>
        )}
      </div>
    </section>
  )
}

function tone(view: View, id: string): string {
  const node = view.graph.nodes[id]
  const group = node && TYPES[node.type]?.group
  return css[`map_${group ? TONES[group] : 'gray'}`] ?? ''
}

interface Kept {
  /** All that it depends on. */
  what: string
  edge: Edge
}

type T = (key: keyof typeof words, values?: Record<string, string | number>) => string

/**
 * All ways as edges. Those of which nothing changed stay the same objects, so that typing in one node of hundreds costs
 * little.
 */
function edgesOf(view: View, way: string, t: T, language: Language, kept: Map<string, Kept>): Edge[] {
  const { graph } = view
  const all: Edge[] = []
  const names = new Map<string, string>()
  const name = (id: string): string => {
    let found = names.get(id)
    if (found === undefined) names.set(id, (found = nodeName(id, graph.nodes[id], language)))
    return found
  }
  const gone = new Set(view.gone.map((one) => wayKey(one.node, one.exit, one.to)))
  const push = (node: string, exit: string, to: string, isGone: boolean) => {
    const key = wayKey(node, exit, to)
    const mark = isGone ? 'removed' : view.ways.get(key)
    const went = view.flowed?.ways.get(`${node}/${exit}`)
    const taken = view.walked?.ways.has(`${node}/${exit}`)
    const id = isGone ? `gone/${key}` : `${node}/${exit}`
    const kind = mark ?? (view.walked ? (taken ? 'taken' : 'faint') : view.flowed && !went?.count ? 'faint' : 'plain')
    const what = [
      kind,
      went?.count,
      went?.share,
      view.flowed?.most,
      id === way,
      view.still,
      language,
      name(node),
      to,
      name(to),
    ].join('|')
    const old = kept.get(id)
    if (old?.what === what) {
      all.push(old.edge)
      return
    }
    const edge: Edge = {
      id,
      source: node,
      sourceHandle: exit,
      target: to,
      targetHandle: 'in',
      type: 'default',
      className: `${css.way} ${css[`way_${kind}`] ?? ''}`,
      selected: id === way,
      selectable: !isGone,
      focusable: !isGone,
      deletable: false,
      reconnectable: !isGone && !view.still,
      ariaLabel: t('way', { from: name(node), exit: exitName(exit, language), to: name(to) }),
      markerEnd: {
        type: MarkerType.ArrowClosed,
        width: 16,
        height: 16,
        color: `var(--way-${kind})`,
        markerUnits: 'userSpaceOnUse',
      },
      ...(went && view.flowed
        ? {
            style: { strokeWidth: widthOf(went.count, view.flowed.most) },
            label: percent(language, went.share),
          }
        : {}),
    }
    kept.set(id, { what, edge })
    all.push(edge)
  }
  for (const [id, node] of Object.entries(graph.nodes))
    for (const [exit, to] of Object.entries(node.exits ?? {}))
      if (to && to in graph.nodes && !gone.has(wayKey(id, exit, to))) push(id, exit, to, false)
  for (const one of view.gone) if (one.to in graph.nodes) push(one.node, one.exit, one.to, true)
  return all
}
