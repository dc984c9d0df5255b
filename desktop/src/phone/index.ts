export { createPhone } from './phone'
export type * from './types'
