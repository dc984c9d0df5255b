/** Stages of a queue, at which it opens to more agents than its own: why each opens, and to whom. */
import { Select } from '@mantine/core'
import { useId } from 'react'
import { useLanguage, useWords } from '../i18n'
import { Button, Icon } from '../ui'
import css from './admin.module.css'
import { type ControlProps, isRecord, pathOf } from './ControlProps'
import { duration, ids, seconds } from './draft'
import { fieldSay } from './fields'
import { Levels } from './Levels'
import { OnePart, Under } from './Mapping'
import { type Part, STAGE } from './mappings'
import { QueueChoice } from './QueueChoice'
import { words } from './words'

const MOST = 8

const CAUSES: Part[] = [
  { key: 'after', kind: 'duration', usual: '60s' },
  { key: 'length', kind: 'integer', usual: '', low: 1, high: 1_000_000 },
  { key: 'below', kind: 'percent', usual: '' },
]

export function Stages(props: ControlProps) {
  const { labelId, value, set, readOnly } = props
  const t = useWords(words)
  const stages = (Array.isArray(value) ? value : isRecord(value) ? [value] : []).map((one) =>
    isRecord(one) ? one : {},
  )
  const give = (list: Record<string, unknown>[], typing?: boolean) => set(list.length ? list : null, typing)
  function add() {
    const last = seconds(String(stages[stages.length - 1]?.after ?? '0s')) ?? 0
    give([...stages, { after: duration(last + 60) }])
  }
  return (
    <div role="group" aria-labelledby={labelId} className={css.stack}>
      {stages.map((stage, index) => (
        <Stage
          key={index}
          {...props}
          index={index}
          value={stage}
          set={(next, typing) =>
            give(
              stages.map((one, at) => (at === index ? (next as typeof stage) : one)),
              typing,
            )
          }
          remove={() => give(stages.filter((_, at) => at !== index))}
        />
      ))}
      {!readOnly && stages.length < MOST && (
        <div>
          <Button variant="default" size="xs" leftSection={<Icon name="plus" size={14} />} onClick={add}>
            {t('addStage')}
          </Button>
        </div>
      )}
    </div>
  )
}

function Stage({
  index,
  value,
  set,
  remove,
  leave,
  readOnly,
  settings,
  ...props
}: ControlProps & { index: number; remove: () => void }) {
  const t = useWords(words)
  const language = useLanguage()
  const base = useId()
  const stage = value as Record<string, unknown>
  const [first, ...rest] = [...pathOf({ ...props })].reverse()
  const path = [...rest.reverse(), `${first}[${index}]`]
  const whole = settings.problem(path, (below) => STAGE.every((key) => !below.startsWith(`.${key}`)))
  const give = (key: string, one: unknown, typing?: boolean) => {
    const next = { ...stage, [key]: one }
    if (one === null || one === '') delete next[key]
    set(next, typing)
  }
  const calendars = ids(settings.tree, 'calendars')
  const calendar = typeof stage.calendar === 'string' ? stage.calendar : null
  const name = t('stageN', { n: index + 1 })
  return (
    <section className={css.inset} aria-label={name}>
      <header className={css.insetHead}>
        <strong className={css.grow}>{name}</strong>
        {!readOnly && (
          <Button variant="subtle" color="gray" size="compact-sm" aria-label={t('take', { name })} onClick={remove}>
            <Icon name="close" size={16} />
          </Button>
        )}
      </header>
      <h3 className={css.insetTitle}>{t('stageOpens')}</h3>
      {CAUSES.map((part) => (
        <OnePart
          key={part.key}
          name="widen"
          path={[...path, part.key]}
          part={part}
          value={stage[part.key]}
          set={(one, typing) => give(part.key, one, typing)}
          leave={leave}
          readOnly={readOnly}
          settings={settings}
        />
      ))}
      <h3 className={css.insetTitle}>{t('stageTo')}</h3>
      <div className={css.sub} data-tall>
        <span id={`${base}-needs`}>{fieldSay(language, 'widen.needs')}</span>
        <Under text={settings.problem([...path, 'needs'])} foreign>
          <Levels
            low={0}
            labelId={`${base}-needs`}
            value={stage.needs}
            set={(one) => give('needs', one)}
            readOnly={readOnly}
            settings={settings}
          />
        </Under>
      </div>
      <div className={css.sub} data-tall>
        <span id={`${base}-queues`}>{fieldSay(language, 'widen.queues')}</span>
        <Under text={settings.problem([...path, 'queues'])} foreign>
          <QueueChoice
            {...props}
            labelId={`${base}-queues`}
            value={stage.queues}
            set={(one) => give('queues', one)}
            leave={leave}
            readOnly={readOnly}
            settings={settings}
          />
        </Under>
      </div>
      {(calendars.length > 0 || calendar) && (
        <div className={css.sub}>
          <label htmlFor={`${base}-calendar`}>{fieldSay(language, 'widen.calendar')}</label>
          <Under text={settings.problem([...path, 'calendar'])} foreign>
            <Select
              id={`${base}-calendar`}
              data={calendar && !calendars.includes(calendar) ? [...calendars, calendar] : calendars}
              value={calendar}
              placeholder={t('always')}
              clearable
              disabled={readOnly}
              onChange={(one) => give('calendar', one)}
            />
          </Under>
        </div>
      )}
      {whole && (
        <p className={css.wrong} lang="en">
          {whole}
        </p>
      )}
    </section>
  )
}
