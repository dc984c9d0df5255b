/** What an agent's first page doesn't need: fetched once it stands there in peace, or when a call rings. */
export const inHand = () => import('./InHand')
