/** What /api/v1/flows answers, with graphs as what they are. Times are unix seconds. */
import type { Schema } from '../api/types'
import type { Graph } from './model'

export type Problem = Schema<'ProblemShown'>
export type FlowListed = Schema<'FlowListed'>
export type FlowShown = Omit<Schema<'FlowShown'>, 'graph' | 'draft'> & {
  graph: Graph | null
  draft: (Omit<Schema<'DraftShown'>, 'graph'> & { graph: Graph }) | null
}
export type VersionListed = Schema<'VersionListed'>
export type Step = Schema<'StepShown'>
export type Trial = Schema<'TrialShown'>
export type Paths = Schema<'PathsShown'>
export type Vocabulary = Schema<'Vocabulary'>
