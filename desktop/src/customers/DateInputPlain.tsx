import { TextInput } from '@mantine/core'

/** The browser's own date field: it knows the reader's order of day and month, and needs no package. */
export function DateInputPlain({
  label,
  value,
  change,
}: {
  label: string
  value: string
  change: (value: string) => void
}) {
  return <TextInput type="date" label={label} value={value} onChange={(event) => change(event.currentTarget.value)} />
}
