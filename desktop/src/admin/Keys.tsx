/** Keys while waiting. */
import { ActionIcon, Select } from '@mantine/core'
import { useLanguage, useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Icon } from '../ui'
import css from './admin.module.css'
import { type ControlProps, isRecord } from './ControlProps'
import { Destination } from './Destination'
import { fieldSay } from './fields'
import { Under } from './Mapping'

export const DIGITS = [...'123456789*0#']

/** Which way out each key of the telephone takes. */
export function Keys({ value, set, leave, readOnly, bad, settings, labelId, thing, table, field }: ControlProps) {
  const s = useWords(shared)
  const language = useLanguage()
  const given = isRecord(value) ? value : {}
  const used = DIGITS.filter((one) => one in given)
  const free = DIGITS.filter((one) => !(one in given))
  const put = (digit: string, to: unknown, typing?: boolean) => {
    const next = { ...given, [digit]: to }
    if (to === null) delete next[digit]
    set(Object.keys(next).length ? next : null, typing)
  }
  return (
    <div role="group" aria-labelledby={labelId} className={css.stack}>
      {used.map((digit) => (
        <Under key={digit} text={settings.problem([table, thing, field.key, digit])} foreign>
          <div className={css.line}>
            <kbd>{digit}</kbd>
            <Destination
              value={given[digit]}
              set={(to, typing) => put(digit, to, typing)}
              leave={leave}
              readOnly={readOnly}
              bad={bad}
              settings={settings}
              labelId={labelId}
              thing={thing}
            />
            <ActionIcon
              variant="default"
              aria-label={`${s('delete')} ${digit}`}
              disabled={readOnly}
              onClick={() => put(digit, null)}
            >
              <Icon name="close" size={14} />
            </ActionIcon>
          </div>
        </Under>
      ))}
      {free.length > 0 && !readOnly && (
        <Select
          className={css.kind}
          aria-label={s('add')}
          placeholder={fieldSay(language, 'key.add')}
          data={free.map((one) => ({ value: one, label: one }))}
          value={null}
          onChange={(digit) => digit && put(digit, { flow: 'callback' })}
        />
      )}
    </div>
  )
}
