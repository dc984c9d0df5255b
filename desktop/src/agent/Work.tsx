/** The agent's Work page: the customer (C) and the result (D) of the call at hand; without one, my day. */
import { SegmentedControl } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useEffect, useState } from 'react'
import { CustomerPane } from '../customers/CustomerPane'
import { useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Button, Kbd, StateShape } from '../ui'
import css from './agent.module.css'
import { DayView } from './Day'
import { command, useDesk } from './desk'
import { Result } from './Result'
import { words } from './words'

export default function Work() {
  const t = useWords(words)
  const s = useWords(shared)
  const { agent, talk, contact } = useDesk()
  const narrow = useMediaQuery('(max-width: 1100px)', false, { getInitialValueInEffect: false })
  const [tab, setTab] = useState<'customer' | 'result'>('customer')
  const busy = contact && talk.phase !== 'none' && talk.phase !== 'ringing'
  const wrapping = talk.phase === 'wrap_up'
  useEffect(() => {
    setTab(wrapping ? 'result' : 'customer')
  }, [wrapping])
  if (!busy) {
    return (
      <div className={css.idle}>
        {agent?.state === 'logged_out' && (
          <section className={css.hello}>
            <StateShape state="logged_out" size={28} />
            <div>
              <h1>{t('idleSignedOut')}</h1>
              <p className="dim">{t('idleSignedOutWhy')}</p>
            </div>
            <Button size="md" onClick={() => void command('ready')} rightSection={<Kbd>⇧F4</Kbd>}>
              {t('goReady')}
            </Button>
          </section>
        )}
        <DayView />
      </div>
    )
  }
  if (narrow) {
    return (
      <div className={css.tabs}>
        <SegmentedControl
          value={tab}
          onChange={(value) => setTab(value as 'customer' | 'result')}
          aria-label={s('call')}
          fullWidth
          data={[
            { value: 'customer', label: s('customer') },
            { value: 'result', label: t('result') },
          ]}
        />
        {/* Both stay: a tab must not forget what was typed in it. */}
        <div className={css.c} hidden={tab !== 'customer'}>
          <CustomerPane contact={contact} />
        </div>
        <div className={css.d} hidden={tab !== 'result'}>
          <Result key={contact.id} contact={contact} />
        </div>
      </div>
    )
  }
  return (
    <div className={css.work}>
      <div className={css.c}>
        <CustomerPane contact={contact} />
      </div>
      <div className={css.d}>
        <Result key={contact.id} contact={contact} />
      </div>
    </div>
  )
}
