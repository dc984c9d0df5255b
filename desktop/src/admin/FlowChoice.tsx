/** One flow, or several, of those that there are. */
import { MultiSelect, Select } from '@mantine/core'
import { useFlowName, useFlows } from '../flows/api'
import type { ControlProps } from './ControlProps'

export function FlowChoice({ labelId, field, value, set, readOnly }: ControlProps) {
  const { data } = useFlows()
  const flowName = useFlowName()
  // Those that are built in are ways out of waiting: nobody is sent through them in a call, or after it.
  const known = (data?.items ?? [])
    .filter((one) => one.origin !== 'built_in')
    .map((one) => ({ value: one.id, label: flowName(one) }))
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
