/** Whether a conversation is being recorded, for whoever looks on. */
import { sentences, useWords } from '../i18n'
import type { ContactLive } from '../live/types'
import { Clock } from './Clock'

export const words = sentences({
  on: ['Recording', 'Nagrywanie', 'Идёт запись'],
  off: ['Not recorded', 'Bez nagrania', 'Без записи'],
  pausedAsked: ['Recording paused', 'Nagranie wstrzymane', 'Запись приостановлена'],
  pausedStep: ['Not recorded during a step', 'Krok bez nagrania', 'Шаг без записи'],
})

export function RecordingState({ contact }: { contact: ContactLive | undefined }) {
  const t = useWords(words)
  const recording = contact?.recording
  if (!recording || !contact?.agent) return null
  if (recording.state === 'off') return recording.may ? <p className="dim">{t('off')}</p> : null
  return (
    <p className="dim" data-recording={recording.state}>
      {recording.state === 'on' ? (
        <>
          ● {t('on')} <Clock since={recording.since} />
        </>
      ) : (
        <>❙❙ {t(recording.why === 'asked' ? 'pausedAsked' : 'pausedStep')}</>
      )}
    </p>
  )
}
