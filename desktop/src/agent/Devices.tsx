/** The devices of the phone in this page, and its test. */
import { Select } from '@mantine/core'
import { useState } from 'react'
import { sentences, useLanguage, useWords } from '../i18n'
import { span } from '../i18n/format'
import { Button, Icon } from '../ui'
import css from './inCall.module.css'
import type { Device, LineTest, Phone, PhoneState } from './phone'
import { words } from './words'

const own = sentences({
  greeting: ['Greeting', 'Powitanie', 'Приветствие'],
  greetingNone: [
    'Record what you say to every caller first: it is said for you when a call is connected.',
    'Nagraj, co mówisz każdemu dzwoniącemu na początku: zostanie odtworzone po połączeniu.',
    'Запишите, что вы говорите каждому в начале: это прозвучит само после соединения.',
  ],
  greetingThere: [
    'Said to every caller from your queues ({long}).',
    'Odtwarzane każdemu dzwoniącemu z Twoich kolejek ({long}).',
    'Звучит каждому звонящему из ваших очередей ({long}).',
  ],
  record: ['Record', 'Nagraj', 'Записать'],
  anew: ['Record anew', 'Nagraj ponownie', 'Записать заново'],
  keep: ['Done', 'Gotowe', 'Готово'],
  hear: ['Listen', 'Odsłuchaj', 'Прослушать'],
  stop: ['Stop', 'Zatrzymaj', 'Остановить'],
  drop: ['Delete', 'Usuń', 'Удалить'],
})

export default function Devices({ phone, state }: { phone: Phone; state: PhoneState }) {
  const t = useWords(words)
  const [tested, setTested] = useState<LineTest | null>(null)
  const { devices } = state
  return (
    <>
      <DeviceSelect
        label={t('microphone')}
        devices={devices.mics}
        chosen={devices.chosen.mic}
        choose={(id) => void phone.choose('mic', id)}
      />
      <DeviceSelect
        label={t('speaker')}
        devices={devices.speakers}
        chosen={devices.chosen.speaker}
        choose={(id) => void phone.choose('speaker', id)}
      />
      <DeviceSelect
        label={t('ringer')}
        devices={devices.ringers}
        chosen={devices.chosen.ringer}
        choose={(id) => void phone.choose('ringer', id)}
      />
      <Button
        size="xs"
        variant="default"
        loading={state.testing}
        onClick={() => {
          setTested(null)
          void phone.test().then(setTested)
        }}
      >
        {t('lineTest')}
      </Button>
      {state.testing && <p role="status">{t('testing')}</p>}
      {tested && !state.testing && <Tested test={tested} />}
      <Own phone={phone} state={state} />
    </>
  )
}

/** The greeting: recorded here, heard, dropped. Not in a call, whose sound it would be. */
function Own({ phone, state }: { phone: Phone; state: PhoneState }) {
  const t = useWords(own)
  const language = useLanguage()
  const { seconds, doing } = state.greeting
  const busy = state.call !== null || state.testing
  return (
    <section aria-label={t('greeting')}>
      <p>
        <strong>{t('greeting')}.</strong>{' '}
        {seconds === null ? t('greetingNone') : t('greetingThere', { long: span(language, Math.max(1, seconds)) })}
      </p>
      <div className={css.acts}>
        {doing ? (
          <Button size="xs" onClick={() => phone.greeting.stop()}>
            {t(doing === 'recording' ? 'keep' : 'stop')}
          </Button>
        ) : (
          <Button size="xs" variant="default" disabled={busy} onClick={() => void phone.greeting.record()}>
            {t(seconds === null ? 'record' : 'anew')}
          </Button>
        )}
        {seconds !== null && !doing && (
          <>
            <Button size="xs" variant="default" disabled={busy} onClick={() => void phone.greeting.hear()}>
              {t('hear')}
            </Button>
            <Button size="xs" variant="default" disabled={busy} onClick={() => void phone.greeting.drop()}>
              {t('drop')}
            </Button>
          </>
        )}
      </div>
    </section>
  )
}

function Tested({ test }: { test: LineTest }) {
  const t = useWords(words)
  const said = test.good
    ? t('testGood', { delay: Math.round(test.echo?.delayMs ?? 0) })
    : test.mic !== 'ok'
      ? t('testMic')
      : !test.registered
        ? t('noPhone')
        : t('testEcho')
  return (
    <p role="status" className="strong">
      <Icon name={test.good ? 'check' : 'close'} size={16} /> {said}
    </p>
  )
}

interface DeviceProps {
  label: string
  devices: Device[]
  chosen: string
  choose: (id: string) => void
}

function DeviceSelect({ label, devices, chosen, choose }: DeviceProps) {
  const t = useWords(words)
  return (
    <Select
      size="xs"
      label={label}
      placeholder={t('standard')}
      value={chosen || '-'}
      allowDeselect={false}
      data={devices.map((one) => ({ value: one.id || '-', label: one.name || t('standard') }))}
      comboboxProps={{ withinPortal: false }}
      onChange={(id) => id && choose(id === '-' ? '' : id)}
    />
  )
}
