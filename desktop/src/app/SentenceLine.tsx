/** The line under the bar: a problem if there is one, else why calls come or don't. Its place is always kept. */
import { useCallback } from 'react'
import { useCentre } from '../api/session'
import { sentences, useLanguage, useSay, useWords, type Values } from '../i18n'
import { explain } from '../i18n/explain'
import { dayAndTime, timeOf } from '../i18n/format'
import { shared } from '../i18n/shared'
import { useEntity, useLine } from '../live/store'
import { now } from '../live/time'
import type { Why } from '../live/types'
import { Clock, Icon } from '../ui'
import css from './line.module.css'
import { settle, useTroubles } from './strip'

const words = sentences({
  lost: [
    'Line to the centre lost. Calls go on; what stands here may be old. Typing is kept. Reconnecting.',
    'Utracono łączność z centrum. Rozmowy trwają; dane na stronie mogą być nieaktualne. Wpisany tekst zostaje. Ponowne łączenie.',
    'Связь с контакт-центром потеряна. Звонки идут; данные на странице могли устареть. Введённое сохранено. Подключаемся.',
  ],
  restart: [
    'The centre is restarting. Calls go on: you hear each other. Buttons return in seconds; typing is kept.',
    'Centrum uruchamia się ponownie. Rozmowy trwają: słyszycie się. Przyciski wrócą za chwilę; wpisany tekst zostaje.',
    'Контакт-центр перезапускается. Звонки идут: вы слышите друг друга. Кнопки вернутся через секунды; введённое сохранено.',
  ],
  connecting: ['Connecting to the centre', 'Łączenie z centrum', 'Подключение к контакт-центру'],
  live: ['Live', 'Na żywo', 'На связи'],
})

/** The core's reason as a sentence; times in its values become 14:02. */
export function useWhy(): (why: Why) => string {
  const say = useSay()
  const language = useLanguage()
  const centre = useCentre()
  return useCallback(
    (why) => {
      const sentence = explain[why.code as keyof typeof explain]
      if (!sentence) return ''
      const values: Values = {}
      for (const [name, value] of Object.entries(why.values ?? {})) {
        if (typeof value === 'number' && value > 1e9) {
          // Another day's time needs its day.
          const far = Math.abs(value - now()) > 18 * 3600
          values[name] = (far ? dayAndTime : timeOf)(language, value, centre.zone)
        } else if (name === 'opens' && value === null) values[name] = 'none'
        else if (name === 'queue') values[name] = centre.queueName(String(value ?? ''))
        else if (name === 'reason') values[name] = centre.reasonName(String(value ?? '')) || '–'
        else if (name === 'queues' && Array.isArray(value)) values[name] = (value as unknown[]).length
        else values[name] = value
      }
      return say(sentence, values)
    },
    [say, language, centre],
  )
}

export function SentenceLine({ agent }: { agent: string | null }) {
  const t = useWords(words)
  const s = useWords(shared)
  const say = useSay()
  const language = useLanguage()
  const line = useLine()
  const troubles = useTroubles((one) => one.all)
  const worst = troubles[0]
  const me = useEntity('agent', agent)
  const whyText = useWhy()
  if ((line.line === 'lost' || line.line === 'restart') && !(worst && (worst.weight ?? 1) > 2)) {
    return (
      <div className={css.line} data-bad role="status">
        <Icon name="alarms" size={16} />
        <p>{t(line.line === 'restart' ? 'restart' : 'lost')}</p>
        <code>{line.line === 'restart' ? 'SRV-RESTART' : 'NET-LOST'}</code>
        <LostFor since={line.since} />
      </div>
    )
  }
  if (worst) {
    return (
      <div
        className={css.line}
        data-bad={worst.weight !== 0 || undefined}
        data-told={worst.weight === 0 || undefined}
        role="status"
      >
        <Icon name={worst.weight === 0 ? 'bell' : 'alarms'} size={16} />
        <p>{say(worst.sentence, { time: timeOf(language, worst.at / 1000), ...worst.values })}</p>
        {worst.button && (
          <button type="button" className={css.act} onClick={worst.button.press}>
            {say(worst.button.word)}
          </button>
        )}
        {worst.weight !== 0 && <code>{worst.code}</code>}
        {troubles.length > 1 && <span className="num">+{troubles.length - 1}</span>}
        <button type="button" className={css.close} onClick={() => settle(worst.code)} aria-label={s('close')}>
          <Icon name="close" size={14} />
        </button>
      </div>
    )
  }
  const why = me?.why
  return (
    <div className={css.line} role="status">
      <p>{line.line === 'connecting' ? `${t('connecting')}…` : why ? whyText(why) : agent ? '' : t('live')}</p>
    </div>
  )
}

/** Counted on this machine's own clock: the centre's isn't heard just now. */
function LostFor({ since }: { since: number }) {
  return <Clock since={since + now() - Date.now() / 1000} />
}
