/** Providers, the gate of the session, the live socket of whoever is signed in. */
import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider, useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useEffect } from 'react'
import { useRoute } from 'wouter'
import { Early, pressedEarly } from '../agent/Early'
import { ApiProblem, onSignedOut } from '../api/client'
import { become, type Me, may, useMe } from '../api/session'
import { useLanguage } from '../i18n'
import { LiveSocket } from '../live/socket'
import { theme, variables } from '../theme/theme'
import { ProblemNote, Waiting } from '../ui'

const Shell = lazy(() => import('./Shell'))
const SignIn = lazy(() => import('../sign/SignIn'))
const ByLink = lazy(() => import('../sign/ByLink'))
const MustChange = lazy(() => import('../account/MustChange'))

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      retry: (count, problem) =>
        count < 2 && problem instanceof ApiProblem && (problem.status === 0 || problem.status >= 500),
    },
    mutations: { retry: false },
  },
})

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? ''

export function App() {
  const language = useLanguage()
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={client}>
        <Gate />
      </QueryClientProvider>
    </MantineProvider>
  )
}

function Gate() {
  const me = useMe()
  const queries = useQueryClient()
  const [byLink] = useRoute('/link')
  useEffect(() => {
    const over = () => become(queries, null)
    onSignedOut.add(over)
    return () => {
      onSignedOut.delete(over)
    }
  }, [queries])
  const nobody = me.data === null
  useEffect(() => {
    if (nobody) pressedEarly()
  }, [nobody])
  if (me.isPending) return <Soon />
  if (me.isError) return <ProblemNote problem={me.error} retry={() => void me.refetch()} />
  if (byLink)
    return (
      <Suspense fallback={<Waiting />}>
        <ByLink />
      </Suspense>
    )
  return (
    <Suspense fallback={me.data?.agent ? <Soon /> : <Waiting />}>
      {me.data?.must_change ? <MustChange /> : me.data ? <Inside key={me.data.id} me={me.data} /> : <SignIn />}
    </Suspense>
  )
}

/** The page is on its way. What an agent presses first counts from now on. */
function Soon() {
  return (
    <div style={{ textAlign: 'center' }}>
      <Waiting />
      <Early />
    </div>
  )
}

function Inside({ me }: { me: Me }) {
  const queries = useQueryClient()
  const watches = may(me, 'desk') || may(me, 'queues') || may(me, 'agents')
  useEffect(() => {
    if (!watches) return
    const socket = new LiveSocket(() => become(queries, null))
    socket.start()
    return () => socket.stop()
  }, [watches, queries])
  return <Shell me={me} />
}
