/** By itself, so that what only some contacts need isn't loaded with the desk. */
export { Handed as default } from './Escalate'
