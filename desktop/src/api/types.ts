/** Types of the API's bodies, from the server's own OpenAPI (`npm run types`). */
import type { components } from './schema'

export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name]
