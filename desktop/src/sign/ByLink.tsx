/** Signing in by a link: its secret stands behind the #, so that no server and no proxy writes it into a log. */
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useLocation } from 'wouter'
import { api } from '../api/client'
import { become, type Me } from '../api/session'
import { Waiting } from '../ui'
import SignIn from './SignIn'

/** One request for each secret, however often the page is drawn: a link is good once. */
const asked = new Map<string, Promise<Me>>()

export default function ByLink() {
  const [, go] = useLocation()
  const queries = useQueryClient()
  const [secret] = useState(() => decodeURIComponent(location.hash.slice(1)))
  const [problem, setProblem] = useState<unknown>(null)
  useEffect(() => {
    const answer = asked.get(secret) ?? api.post<Me>('/session/link', { secret })
    asked.set(secret, answer)
    answer.then(
      (me) => {
        go('/', { replace: true })
        become(queries, me)
      },
      (caught) => {
        history.replaceState(null, '', '/link')
        setProblem(caught)
      },
    )
  }, [secret, go, queries])
  return problem ? <SignIn why={problem} /> : <Waiting />
}
