/** What stands around an agent's pages, in one part: all of it is there, or none. */
export { default as AgentBar } from './Bar'
export { default as CallBar } from './CallBar'
export { default as CallSlot } from './CallSlot'
export { default as AgentLife } from './Life'
