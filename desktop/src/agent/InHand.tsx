/** The call at hand: the customer (C) and the result (D), side by side or in tabs. */
import { SegmentedControl } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useEffect, useState } from 'react'
import { CustomerPane } from '../customers/CustomerPane'
import { useWords } from '../i18n'
import { shared } from '../i18n/shared'
import type { ContactLive } from '../live/types'
import css from './agent.module.css'
import { Result } from './Result'
import { words } from './words'

export default function InHand({ contact, wrapping }: { contact: ContactLive; wrapping: boolean }) {
  const t = useWords(words)
  const s = useWords(shared)
  const narrow = useMediaQuery('(max-width: 1100px)', false, { getInitialValueInEffect: false })
  const [tab, setTab] = useState<'customer' | 'result'>('customer')
  useEffect(() => {
    setTab(wrapping ? 'result' : 'customer')
  }, [wrapping])
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
