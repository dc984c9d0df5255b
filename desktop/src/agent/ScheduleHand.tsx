/** A shift of mine for a colleague's, or given away. */
import { Modal, TextInput } from '@mantine/core'
import { useState } from 'react'
import { api } from '../api/client'
import { useLanguage, useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Button, ProblemNote, useProblemText, Waiting } from '../ui'
import { type Duty, dayName, hm, useAct, useColleagues } from './schedule'
import css from './schedule.module.css'
import { words } from './scheduleWords'

export function HandOver({ duty, close }: { duty: Duty; close: () => void }) {
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const problem = useProblemText()
  const found = useColleagues(duty)
  const [note, setNote] = useState('')
  const ask = useAct((body: Record<string, unknown>) =>
    api.post('/me/requests', { ...body, duty: duty.id, plan: duty.plan, note }),
  )
  const send = (body: Record<string, unknown>) => ask.mutate(body, { onSuccess: close })
  const named = (one: { date: string; start: string; end: string }) => ({
    day: dayName(language, one.date),
    begin: hm(one.start),
    end: hm(one.end),
  })
  return (
    <Modal
      opened
      onClose={close}
      title={t('handTitle', named(duty))}
      size="lg"
      closeButtonProps={{ 'aria-label': s('close') }}
    >
      <div className={css.hand}>
        <p className="dim">{t('handWhy')}</p>
        <TextInput
          label={t('note')}
          value={note}
          maxLength={500}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        {found.isPending ? (
          <Waiting />
        ) : found.isError ? (
          <ProblemNote problem={found.error} retry={() => void found.refetch()} />
        ) : found.data.items.length === 0 ? (
          <p>{t('nobody')}</p>
        ) : (
          <ul className={css.colleagues}>
            {found.data.items.map((one) => (
              <li key={one.agent}>
                <strong>{one.name}</strong>
                <span className={css.acts}>
                  {one.free && (
                    <Button
                      size="xs"
                      variant="default"
                      disabled={ask.isPending}
                      onClick={() => send({ what: 'give', to: one.agent })}
                    >
                      {t('give')}
                      <span className="hidden-label"> {one.name}</span>
                    </Button>
                  )}
                  {one.duties.map((theirs) => (
                    <Button
                      key={theirs.id}
                      size="xs"
                      variant="default"
                      disabled={ask.isPending}
                      onClick={() => send({ what: 'swap', with_agent: one.agent, with_duty: theirs.id })}
                    >
                      {t('swapFor', named(theirs))}
                      <span className="hidden-label"> {one.name}</span>
                    </Button>
                  ))}
                </span>
              </li>
            ))}
          </ul>
        )}
        {ask.isError && (
          <p role="alert" className={css.bad}>
            {problem(ask.error)}
          </p>
        )}
      </div>
    </Modal>
  )
}
