/** The agent's Work page: the call at hand; without one, my day. */
import { Suspense } from 'react'
import { part } from '../app/part'
import { useWords } from '../i18n'
import { Button, Kbd, StateShape, Waiting } from '../ui'
import css from './agent.module.css'
import { DayView } from './Day'
import { command, useDesk } from './desk'
import { inHand } from './parts'
import { words } from './words'

const InHand = part(inHand)

export default function Work() {
  const t = useWords(words)
  const { agent, talk, contact } = useDesk()
  if (contact && talk.phase !== 'none' && talk.phase !== 'ringing') {
    return (
      <Suspense fallback={<Waiting />}>
        <InHand contact={contact} wrapping={talk.phase === 'wrap_up'} />
      </Suspense>
    )
  }
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
