/** A call that rings nobody: keys are pressed, the drawing lights up the way, what is said can be heard. */
import { Select, TextInput } from '@mantine/core'
import { useEffect, useState } from 'react'
import { ApiProblem } from '../api/client'
import { useLanguage, useWords } from '../i18n'
import { clock } from '../i18n/format'
import { Button, Icon, ProblemNote } from '../ui'
import { type Answer, tryOut } from './api'
import css from './flows.module.css'
import type { FlowNode } from './model'
import { NodeIcon } from './NodeIcon'
import { exitName, nodeName } from './nodeWords'
import { ProblemList } from './ProblemList'
import { Hear } from './parts'
import { Rows } from './Rows'
import { goTo, useEditor } from './store'
import type { Problem, Step, Trial } from './types'
import { words } from './words'

const PAD = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'] as const
const ANSWERED = new Set(['customer', 'table', 'http', 'python'])

export function Try() {
  const t = useWords(words)
  const language = useLanguage()
  const { id, graph, trial } = useEditor()
  const [calling, setCalling] = useState(false)
  const [keys, setKeys] = useState('')
  const [caller, setCaller] = useState('+48600100200')
  const [at, setAt] = useState('')
  const [errands, setErrands] = useState<Record<string, Answer>>({})
  const [failed, setFailed] = useState<unknown>(null)
  const [wrong, setWrong] = useState<Problem[]>([])
  useEffect(() => () => useEditor.setState({ trial: null }), [])

  useEffect(() => {
    if (!calling || !graph) return
    const stop = new AbortController()
    // Letters of a number are typed one by one, the last one counts.
    const timer = setTimeout(async () => {
      try {
        const moment = at ? new Date(at).getTime() / 1000 : null
        // biome-ignore lint/suspicious/noThenProperty: the API names it so
        const made = await tryOut(id, { graph, keys, then: 'stop', caller, at: moment, errands }, stop.signal)
        useEditor.setState({ trial: made })
        follow(made)
        setFailed(null)
        setWrong([])
      } catch (problem) {
        if (stop.signal.aborted) return
        if (problem instanceof ApiProblem && problem.code === 'FLOW-WRONG' && Array.isArray(problem.body.problems))
          setWrong(problem.body.problems as Problem[])
        setFailed(problem)
        useEditor.setState({ trial: null })
      }
    }, 120)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [calling, graph, id, keys, caller, at, errands])

  const press = (digit: string) => {
    setCalling(true)
    setKeys((now) => now + digit)
  }
  const asked = graph
    ? [...new Set((trial?.steps ?? []).map((one) => one.node))]
        .map((one) => [one, graph.nodes[one]] as const)
        .filter((one): one is readonly [string, FlowNode] => !!one[1] && ANSWERED.has(one[1].type))
    : []
  const over = trial !== null && trial.end.how !== 'waits'

  return (
    <div className={css.stack}>
      <h2 className={css.sideTitle}>{t('try')}</h2>
      <p className={css.hint}>{t('tryHint')}</p>
      <div className={css.line}>
        <Button
          leftSection={<Icon name="phone" size={16} />}
          onClick={() => {
            setKeys('')
            setCalling(true)
          }}
        >
          {calling ? t('again') : t('begin')}
        </Button>
        <Button
          size="xs"
          variant="default"
          disabled={!keys}
          leftSection={<Icon name="undo" size={14} />}
          onClick={() => setKeys((now) => now.slice(0, -1))}
        >
          {t('lastKey')}
        </Button>
      </div>
      <div className={css.padRow}>
        <div className={css.pad} role="group" aria-label={t('keypad')}>
          {PAD.map((digit) => (
            <button
              key={digit}
              type="button"
              aria-label={t('key', { digit })}
              disabled={calling && over}
              onClick={() => press(digit)}
            >
              {digit}
            </button>
          ))}
        </div>
        {trial && <Ending trial={trial} />}
      </div>
      <div className={css.line}>
        <Button size="xs" variant="default" disabled={!calling || over} onClick={() => press('.')}>
          {t('silence')}
        </Button>
        <span>
          {t('keys')}: <strong className="num">{keys.replaceAll('.', '·') || t('keysNone')}</strong>
        </span>
      </div>
      <details className={css.more}>
        <summary>{t('conditions')}</summary>
        <div className={css.stack}>
          <TextInput
            label={t('callerNumber')}
            description={t('callerWhy')}
            value={caller}
            onChange={(event) => setCaller(event.currentTarget.value)}
          />
          <TextInput
            type="datetime-local"
            label={t('callTime')}
            description={t('callTimeWhy')}
            value={at}
            onChange={(event) => setAt(event.currentTarget.value)}
          />
        </div>
      </details>
      {asked.length > 0 && (
        <details className={css.more} open>
          <summary>{t('answers')}</summary>
          <div className={css.stack}>
            <p className={css.hint}>{t('answersWhy')}</p>
            {asked.map(([one, node]) => (
              <AnswerOf
                key={one}
                id={one}
                node={node}
                answer={errands[one]}
                set={(next) => {
                  const { [one]: _, ...rest } = errands
                  setErrands(next ? { ...rest, [one]: next } : rest)
                }}
              />
            ))}
          </div>
        </details>
      )}
      {failed !== null && <ProblemNote problem={failed} />}
      {wrong.length > 0 && <ProblemList problems={wrong} />}
      {trial && <Steps trial={trial} flow={id} language={graph?.language || language} voice={graph?.voice ?? ''} />}
    </div>
  )
}

/** The drawing goes along with the call. */
function follow({ end, path }: Trial): void {
  const { id, graph, goal } = useEditor.getState()
  const node = end.node || (path.findLast((one) => one.flow === id)?.node ?? '')
  if (graph?.nodes[node]) useEditor.setState({ goal: { node, focus: false, n: goal.n + 1 } })
}

function AnswerOf({
  id,
  node,
  answer,
  set,
}: {
  id: string
  node: FlowNode
  answer: Answer | undefined
  set: (answer: Answer | null) => void
}) {
  const t = useWords(words)
  const language = useLanguage()
  const name = nodeName(id, node, language)
  const exits = node.type === 'customer' || node.type === 'table' ? ['unknown', 'found', 'failed'] : ['failed', 'next']
  const now = answer ?? { exit: exits[0]!, values: {} }
  return (
    <div className={css.part}>
      <Select
        label={name}
        data={exits.map((one) => ({ value: one, label: exitName(one, language) }))}
        value={now.exit}
        allowDeselect={false}
        onChange={(next) => next && set({ ...now, exit: next })}
      />
      {(now.exit === 'found' || now.exit === 'next') && (
        <Rows
          label={t('value')}
          value={now.values}
          set={(values) => set({ ...now, values })}
          readOnly={false}
          left={t('variable')}
          right={t('value')}
        />
      )}
    </div>
  )
}

/** Where the call is, or how it ended. */
function Ending({ trial }: { trial: Trial }) {
  const t = useWords(words)
  const page = useLanguage()
  const graph = useEditor((one) => one.graph)
  const { end } = trial
  const ended =
    end.how === 'queue'
      ? t('endQueue', { to: end.to.replace(/^queue:/, '') })
      : end.how === 'transfer'
        ? t('endTransfer', { to: end.to })
        : end.how === 'hang_up'
          ? t('endHangUp')
          : end.how === 'left'
            ? t('endLeft')
            : end.how === 'waits'
              ? t('waitsAt')
              : end.how === 'bound'
                ? t('endBound')
                : t('endOther')
  return (
    <p role="status" className={css.ending} data-how={end.how}>
      <strong>{ended}</strong>
      {end.node && graph?.nodes[end.node] && <span>{nodeName(end.node, graph.nodes[end.node], page)}</span>}
    </p>
  )
}

function Steps({ trial, flow, language, voice }: { trial: Trial; flow: string; language: string; voice: string }) {
  const t = useWords(words)
  const page = useLanguage()
  const graph = useEditor((one) => one.graph)
  const name = (one: { flow: string; node: string }) =>
    one.flow === flow ? nodeName(one.node, graph?.nodes[one.node], page) : `${one.flow} · ${one.node}`
  return (
    <section className={css.stack} aria-label={t('steps')}>
      <h3 className={css.sideSub}>{t('steps')}</h3>
      <ol className={css.steps}>
        {trial.steps.map((one, index) => (
          <li key={index} data-kind={one.kind}>
            <span className="num">{clock(one.at)}</span>
            <StepLine step={one} name={name(one)} type={graph?.nodes[one.node]?.type ?? ''} own={one.flow === flow} />
            {one.kind === 'said' && one.text && (
              <Hear parts={null} text={one.text} language={language} voice={voice} label={one.text.slice(0, 40)} />
            )}
          </li>
        ))}
      </ol>
      {Object.keys(trial.values).length > 0 && (
        <>
          <h3 className={css.sideSub}>{t('valuesNow')}</h3>
          <dl className={css.values}>
            {Object.entries(trial.values).map(([one, value]) => (
              <div key={one}>
                <dt>{one}</dt>
                <dd>{String(value)}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </section>
  )
}

function StepLine({ step, name, type, own }: { step: Step; name: string; type: string; own: boolean }) {
  const t = useWords(words)
  const language = useLanguage()
  switch (step.kind) {
    case 'node':
      return (
        <button type="button" className={css.stepNode} onClick={() => own && goTo(step.node)}>
          <NodeIcon type={type} />
          <span>
            {step.exit && <span className={css.dim}>{exitName(step.exit, language)} → </span>}
            {name}
          </span>
        </button>
      )
    case 'said':
      return <q>{step.text}</q>
    case 'digit':
      return <span>{t('stepDigit', { digit: step.text })}</span>
    case 'values':
      return (
        <code>
          {Object.entries(step.values)
            .map(([one, value]) => `${one} = ${value}`)
            .join(', ')}
        </code>
      )
    case 'errand':
      return <span>{t('stepErrand', { exit: exitName(step.exit, language) })}</span>
    case 'again':
      return <span className={css.dim}>{t('stepAgain')}</span>
    case 'message':
      return <span>{t('stepMessage')}</span>
    default:
      return <span className={css.wrong}>{t('stepFailed', { why: step.text })}</span>
  }
}
