/** Several queues of those that there are. */
import { MultiSelect } from '@mantine/core'
import type { ControlProps } from './ControlProps'
import { ids, nameOf } from './draft'

export function QueueChoice({ labelId, value, set, readOnly, settings }: ControlProps) {
  const given = Array.isArray(value) ? (value as string[]) : typeof value === 'string' && value ? [value] : []
  const known = ids(settings.tree, 'queues')
  const all = [...known, ...given.filter((one) => !known.includes(one))].map((one) => ({
    value: one,
    label: nameOf(settings.tree, 'queues', one),
  }))
  return (
    <MultiSelect
      aria-labelledby={labelId}
      data={all}
      value={given}
      onChange={(list) => set(list.length ? list : null)}
      readOnly={readOnly}
      searchable={all.length > 8}
      clearable
    />
  )
}
