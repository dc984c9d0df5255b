/** The agent's own desk: live entities, what they mean, and the commands. Done only when the centre says so. */
import { useCallback, useMemo } from 'react'
import { create } from 'zustand'
import { ApiProblem, api, useMissing } from '../api/client'
import { useCentre } from '../api/session'
import { useUser } from '../app/me'
import { raise, settle } from '../app/strip'
import { useWords } from '../i18n'
import { phoneNumber } from '../i18n/format'
import { problemSentence } from '../i18n/problems'
import { shared } from '../i18n/shared'
import { live, useEntity } from '../live/store'
import type { ContactLive, Party } from '../live/types'
import { conversation, standing } from './conversation'
import { words } from './words'

/** Whose desk this is. */
let self: string | null = null

function stands(): string {
  const agent = live.get('agent', self)
  return standing(agent, live.get('contact', agent?.contact))
}

export function useDesk() {
  const me = useUser().agent
  self = me
  const agent = useEntity('agent', me)
  const contact = useEntity('contact', agent?.contact)
  const talk = useMemo(() => conversation(agent, contact), [agent, contact])
  return { me, agent, contact, talk }
}

/** Commands under way, by name: their buttons say so. */
export const usePending = create<{ names: ReadonlySet<string> }>(() => ({ names: new Set() }))

function mark(name: string, on: boolean): void {
  const names = new Set(usePending.getState().names)
  if (on) names.add(name)
  else names.delete(name)
  usePending.setState({ names })
}

const under = new Map<string, { of: string; left: number }>()

/**
 * Tell the centre; true once it has agreed. What it refuses stands in the line under the bar. A press that follows on the
 * same state is the same wish; one that follows on what came of it is a new one, though the first answer is on its way.
 */
export async function command(name: string, body?: Record<string, unknown>, route = name): Promise<boolean> {
  const of = stands()
  const before = under.get(name)
  if (before?.of === of) return false
  under.set(name, { of, left: (before?.left ?? 0) + 1 })
  mark(name, true)
  try {
    await api.post(`/me/agent/${route}`, body)
    settle('AGENT-REFUSED')
    return true
  } catch (caught) {
    const problem = caught instanceof ApiProblem ? caught : new ApiProblem('PAGE', 0, String(caught))
    const { sentence, values } = problemSentence(problem)
    const refused = problem.code === 'AGENT-REFUSED'
    raise({ code: problem.code, sentence, values, weight: refused ? 1 : 2, seconds: refused ? 8 : 10 })
    return false
  } finally {
    const now = under.get(name)!
    now.left--
    if (now.left === 0) {
      under.delete(name)
      mark(name, false)
    }
  }
}

/** Whether this centre has the route of a command. */
export function useHas(route: string): boolean {
  return useMissing((one) => !one.routes.has(`POST /me/agent/${route}`))
}

/** Who the customer is, as short as can be: name, else number, else what is known. */
export function useWho() {
  const t = useWords(shared)
  const centre = useCentre()
  const me = useUser().agent
  return useMemo(
    () => ({
      customer: (contact: ContactLive | null | undefined): string => {
        if (!contact) return t('unknownNumber')
        const known = contact.customer?.name || contact.name || (contact.number ? phoneNumber(contact.number) : null)
        if (known || contact.direction === 'inbound' || contact.direction === 'callback')
          return known ?? t('unknownNumber')
        // Inside the house, or called from here: whom it was meant for, or who else is in it.
        if (contact.dialled && contact.dialled !== me) {
          const name = centre.agentName(contact.dialled)
          return name === contact.dialled ? phoneNumber(name) : name
        }
        const other = contact.parties?.find((one) => one.agent && one.agent !== me)
        return other ? centre.agentName(other.agent) : t('unknownNumber')
      },
      party: (party: Party): string =>
        party.agent ? centre.agentName(party.agent) : party.number ? phoneNumber(party.number) : t('unknownNumber'),
    }),
    [t, centre, me],
  )
}

export function useNextName() {
  const centre = useCentre()
  const t = useWords(words)
  return useCallback(
    (next: string): string =>
      next === 'signed_out' ? t('signedOutNext') : next === 'not_ready' ? t('notReadyNext') : centre.reasonName(next),
    [centre, t],
  )
}
