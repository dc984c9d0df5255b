/** Above the call bar, where the queue has any of it: the recording and its pause, steps that the customer takes alone. */
import { keyOf, printed, useAct } from '../app/keys'
import { useWords } from '../i18n'
import { shared } from '../i18n/shared'
import type { ContactLive } from '../live/types'
import { Clock, Icon, type IconName, Kbd } from '../ui'
import { command, usePending } from './desk'
import css from './inCall.module.css'
import { acts, words } from './inCallWords'

export default function InCall({ contact }: { contact: ContactLive }) {
  const t = useWords(words)
  const recording = contact.recording
  const step = contact.step ?? null
  const steps = contact.steps ?? []
  const state = recording?.state ?? 'off'
  const mayRecord = recording?.may === true && !step
  const mayPause = state !== 'off' && !step
  const record = () => void command('record', { on: state === 'off' })
  const pause = () => void command('recording-pause', { paused: state === 'on' })
  const go = (flow: string) => void command('step', { flow })
  useAct(acts.record, record, mayRecord)
  useAct(acts.pauseRecording, pause, mayPause)
  useAct(acts.step, () => go(step ? '' : steps[0]!), step !== null || steps.length > 0)
  if (!recording || (state === 'off' && !recording.may && !step && steps.length === 0)) return null
  return (
    <section className={css.bar} aria-label={t('about')}>
      {state !== 'off' && (
        <p className={css.state} data-state={state} aria-live="polite">
          <i aria-hidden="true" />
          {state === 'on' ? (
            <>
              {t('recorded')} <Clock since={recording.since} />
            </>
          ) : (
            <>
              {t(recording.why === 'asked' ? 'pausedAsked' : 'pausedStep')}
              {recording.until != null && (
                <>
                  {', '}
                  {t('goesOnIn')} <Clock until={recording.until} />
                </>
              )}
            </>
          )}
        </p>
      )}
      {mayRecord && (
        <Press
          name="record"
          icon={state === 'off' ? 'mic' : 'mute'}
          label={t(state === 'off' ? 'record' : 'recordEnd')}
          keyName={keyOf(acts.record)}
          press={record}
        />
      )}
      {mayPause && (
        <Press
          name="recording-pause"
          icon={state === 'on' ? 'hold' : 'play'}
          label={t(state === 'on' ? 'pauseRecording' : 'resumeRecording')}
          keyName={keyOf(acts.pauseRecording)}
          press={pause}
        />
      )}
      {step ? (
        <>
          <p className={css.step} aria-live="polite">
            {t('inStep', { step: step.flow === 'payment' ? t('payment') : step.flow })}
            {step.place ? `: ${step.place}` : ''}
          </p>
          <Press name="step" icon="swap" label={t('bringBack')} keyName={keyOf(acts.step)} press={() => go('')} />
        </>
      ) : (
        steps.map((flow, place) => (
          <Press
            key={flow}
            name="step"
            icon="transfer"
            label={stepName(t, flow)}
            keyName={place ? '' : keyOf(acts.step)}
            press={() => go(flow)}
          />
        ))
      )}
      {!step && (contact.given ?? []).length > 0 && (
        <p className={css.given} aria-live="polite">
          {(contact.given ?? []).map((name) => (
            <span key={name}>
              {name}: <strong>{String(contact.answers?.[name] ?? '–')}</strong>
            </span>
          ))}
        </p>
      )}
    </section>
  )
}

const stepName = (t: (key: keyof typeof words) => string, flow: string): string =>
  flow === 'payment' ? t('takePayment') : flow

interface PressProps {
  name: string
  icon: IconName
  label: string
  keyName: string
  press: () => void
}

function Press({ name, icon, label, keyName, press }: PressProps) {
  const s = useWords(shared)
  const busy = usePending((one) => one.names.has(name))
  return (
    <button
      type="button"
      className={css.press}
      data-command={name}
      data-busy={busy || undefined}
      aria-keyshortcuts={keyName || undefined}
      onClick={press}
    >
      <Icon name={icon} size={16} />
      <span>{busy ? s('pending') : label}</span>
      {keyName ? <Kbd>{printed(keyName)}</Kbd> : null}
    </button>
  )
}
