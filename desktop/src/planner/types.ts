/** What the planning routes say and take. Minutes are of the day that a duty begins on and may pass 1440. */
import type { Schema } from '../api/types'

export type Trouble = Schema<'TroubleShown'>
export type Head = Schema<'PlanHead'>
export type State = Head['state']
export type Plan = Schema<'PlanShown'>
export type Duty = Schema<'DutyShown'>
export type Kind = Plan['kinds'][number]
export type Planned = Plan['agents'][number]
export type Tried = Schema<'PlanEdited'>
export type Broken = Tried['anew'][number]
export type Rules = Schema<'RulesShown'>
export type Adherence = Schema<'AdherenceNow'>
export type Day = Schema<'PlanDay'>
export type Request = Schema<'RequestToDecide'>

export interface Absence {
  from: string
  to: string
  why?: string | null
}

export type Person = Omit<Schema<'PersonShown'>, 'absent'> & { absent: Absence[] }

/** From and to, minutes of the day. */
export type Window = [from: number, to: number]

export type Change =
  | { what: 'move'; duty: string; day: string; start: number; agent?: string }
  | { what: 'add'; agent: string; day: string; shift: string; start: number }
  | { what: 'put'; duty: Duty }
  | { what: 'remove'; duty: string }
  | { what: 'activity'; duty: string; start: number; end: number; name: string }
  | { what: 'absent'; agent: string; days: string[]; repair: boolean }
  | { what: 'swap'; duty: string; with: string }

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Weekday = (typeof DAYS)[number]
/** From, to (minutes of the day), contacts an hour. */
export type Rate = [from: number, to: number, perHour: number]

export interface NewPlan {
  name: string
  first: string
  weeks: number
  queues: string[]
  target?: { service_level: number; within: number }
  level: number
  step: number
  seconds: number
  demand: { special: Record<string, number | string> } & (
    | { from: 'records' }
    | {
        from: 'typed'
        per_hour: Record<string, Partial<Record<Weekday, Rate[]>>>
        handling: Record<string, number>
      }
  )
}
