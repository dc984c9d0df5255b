/** One flow, or several, of those that there are. */
import { MultiSelect, Select } from '@mantine/core'
import { useFlows } from '../flows/api'
import type { ControlProps } from './ControlProps'

export function FlowChoice({ labelId, field, value, set, readOnly }: ControlProps) {
  const { data } = useFlows()
  const known = (data?.items ?? []).map((one) => ({ value: one.id, label: one.name || one.id }))
  const given = Array.isArray(value) ? (value as string[]) : typeof value === 'string' && value ? [value] : []
  // What stands in the file stays to be seen, though its flow may be gone.
  const all = [
    ...known,
    ...given.filter((one) => known.every((flow) => flow.value !== one)).map((one) => ({ value: one, label: one })),
  ]
  return field.kind === 'flows' ? (
    <MultiSelect
      aria-labelledby={labelId}
      data={all}
      value={given}
      onChange={(list) => set(list.length ? list : null)}
      readOnly={readOnly}
      searchable={all.length > 8}
      clearable
    />
  ) : (
    <Select
      aria-labelledby={labelId}
      data={all}
      value={given[0] ?? null}
      onChange={(one) => set(one)}
      readOnly={readOnly}
      searchable={all.length > 8}
      clearable
    />
  )
}
