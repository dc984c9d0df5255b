import type { Field } from './fields'
import type { Settings } from './store'

export interface ControlProps {
  field: Field
  /** Of the control, for its label. */
  id: string
  labelId: string
  describedBy: string
  value: unknown
  /** `typing`: a letter of a text, not yet left. */
  set: (value: unknown, typing?: boolean) => void
  leave: () => void
  readOnly: boolean
  bad: boolean
  usual: string
  /** Of the thing that the key belongs to. */
  table: string
  thing: string
  settings: Settings
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Of a control's key, as the settings have it. */
export const pathOf = ({ table, thing, field }: Pick<ControlProps, 'table' | 'thing' | 'field'>): string[] =>
  table === 'tenant' ? [field.key] : [table, thing, field.key]
