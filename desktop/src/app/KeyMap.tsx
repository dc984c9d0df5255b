import { Modal, Switch } from '@mantine/core'
import { sentences, useSay, useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Kbd } from '../ui'
import { allActs, keyOf, printed, setKeys, useKeys } from './keys'
import css from './menu.module.css'

const words = sentences({
  letters: ['One-letter keys outside fields', 'Skróty jednoliterowe poza polami', 'Однобуквенные клавиши вне полей'],
})

/** The map of keys, `?`. */
export default function KeyMap({ close }: { close: () => void }) {
  const t = useWords(shared)
  const w = useWords(words)
  const say = useSay()
  const { letters } = useKeys()
  return (
    <Modal opened onClose={close} title={t('keys')} size={480} closeButtonProps={{ 'aria-label': t('close') }}>
      <table className={css.acts}>
        <tbody>
          {allActs().map((act) => (
            <tr key={act.id}>
              <td>{say(act.title)}</td>
              <td>
                <Kbd>{printed(keyOf(act))}</Kbd>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Switch
        mt="lg"
        label={w('letters')}
        checked={letters}
        onChange={(event) => setKeys({ letters: event.currentTarget.checked })}
      />
    </Modal>
  )
}
