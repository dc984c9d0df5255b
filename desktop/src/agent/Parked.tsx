/** Who is parked: in which slot, by whom, since when; and the button that rings my phone with them. */
import { useCentre } from '../api/session'
import { useWords } from '../i18n'
import { Button, Clock, Icon, ui } from '../ui'
import css from './agent.module.css'
import { command, useDesk, usePending } from './desk'
import { useParked } from './parked'
import { words } from './words'

const FREE = ['ready', 'not_ready', 'wrap_up', 'resting', 'logged_out']

/** Nothing where nobody is parked. */
export function Parked() {
  const t = useWords(words)
  const centre = useCentre()
  const { agent } = useDesk()
  const pending = usePending((one) => one.names)
  const items = useParked().data?.items
  if (!items?.length) return null
  const can = agent?.reachable && FREE.includes(agent.state)
  return (
    <section className={ui.card} aria-label={t('parked')}>
      <h2 className={css.cardHead}>
        {t('parked')} <span className="dim num">{items.length}</span>
      </h2>
      <ul className={css.callbacks}>
        {items.map((one) => (
          <li key={one.contact} data-slot={one.slot}>
            <span className={css.callbackWhen}>
              <strong className="num">{one.slot}</strong>
              <small className="dim">
                <Clock since={one.since} />
              </small>
            </span>
            <span className={css.callbackWhat}>
              {one.queue && centre.queueName(one.queue)}
              <small className="dim">
                {' '}
                {one.mine
                  ? t('parkedByMe')
                  : one.name || one.agent
                    ? t('parkedBy', { who: one.name ?? one.agent })
                    : ''}
              </small>
            </span>
            <span className={css.callbackActs}>
              <Button
                size="xs"
                leftSection={<Icon name="phone" size={16} />}
                disabled={!can || pending.size > 0}
                title={t('pickUpSlot', { slot: one.slot })}
                onClick={() => void command('pick-up', { contact: one.contact })}
              >
                {t('takeParked')}
              </Button>
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}
