/** Whom I have to call back: asked each minute, and when something here has changed it. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { api } from '../api/client'
import type { Schema } from '../api/types'
import { raise, settle } from '../app/strip'
import { useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { everySecond, now } from '../live/time'
import { command, useDesk } from './desk'
import { words } from './words'

export type Callback = Schema<'Callback'>

const KEY = ['callbacks']
const DUE = 'CALLBACK-DUE'

const place = (one: Callback): string => `${encodeURIComponent(one.customer)}/${encodeURIComponent(one.promise)}`

export function useCallbacks() {
  const { agent } = useDesk()
  const queues = `${agent?.queues}`
  return useQuery({
    queryKey: [...KEY, queues], // other queues, other callbacks
    placeholderData: keepPreviousData,
    queryFn: () => api.get<Schema<'Callbacks'>>('/me/agent/callbacks'),
    refetchInterval: 60_000,
    staleTime: 5_000,
    retry: false,
  })
}

export const callBack = (one: Callback): Promise<boolean> => command('dial', undefined, `callbacks/${place(one)}/call`)

export function useChangeCallback() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: ({ one, ...body }: { one: Callback; done?: boolean; due?: number }) =>
      api.patch(`/me/agent/callbacks/${place(one)}`, body),
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  })
}

export function useCallbackName() {
  const t = useWords(shared)
  return (one: Callback): string => one.name || one.number || t('unknownNumber')
}

/** Those that fell due since the last look: each is said once, unless it is put off. */
export function fallen(items: readonly Callback[], said: ReadonlyMap<string, number>, at: number): Callback[] {
  return items.filter((one) => one.due <= at && said.get(one.promise) !== one.due)
}

const SAID = 'centrala.callbacks.said'

function before(): Map<string, number> {
  try {
    return new Map(JSON.parse(sessionStorage.getItem(SAID) ?? '[]') as [string, number][])
  } catch {
    return new Map()
  }
}

/** Says when a callback is due: a line with a button, and `sound`. In a call it waits for its end. */
export function useReminder(sound: () => void): void {
  const { data } = useCallbacks()
  const { talk } = useDesk()
  const name = useCallbackName()
  const said = useRef<Map<string, number>>(undefined)
  said.current ??= before()
  const busy = talk.phase !== 'none'
  const latest = useRef({ name, sound })
  latest.current = { name, sound }
  const items = data?.items
  useEffect(() => {
    if (!items) return
    if (!items.some((one) => one.due <= now())) settle(DUE)
    if (busy) return
    return everySecond(() => {
      const fresh = fallen(items, said.current!, now())
      const first = fresh[0]
      if (!first) return
      for (const one of fresh) said.current!.set(one.promise, one.due)
      try {
        sessionStorage.setItem(SAID, JSON.stringify([...said.current!].slice(-200)))
      } catch {
        // Said again after a reload.
      }
      latest.current.sound()
      raise({
        code: DUE,
        sentence: words.callbackDue,
        values: { who: latest.current.name(first), text: first.text, more: fresh.length - 1 },
        weight: 0,
        ...(first.callable && {
          button: {
            word: words.callbackCall,
            press: () => {
              settle(DUE)
              void callBack(first)
            },
          },
        }),
        seconds: 300,
      })
    })
  }, [items, busy])
}
