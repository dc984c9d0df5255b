import { createContext, useContext } from 'react'
import type { Me } from '../api/session'

export const MeContext = createContext<Me | null>(null)

/** Whoever is signed in: only below the shell. */
export function useUser(): Me {
  const me = useContext(MeContext)
  if (!me) throw new Error('useUser outside of the shell')
  return me
}
