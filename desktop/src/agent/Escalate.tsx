/** To those who know, or may, more: whom, why, and what they may decide; and how a customer came here from others. */
import { Button, Select } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../api/client'
import { useCentre } from '../api/session'
import { useLanguage, useWords } from '../i18n'
import { timeOf } from '../i18n/format'
import type { ContactLive } from '../live/types'
import { command, usePending } from './desk'
import css from './escalate.module.css'
import { words } from './escalateWords'

type Label = Record<string, string>

interface Above {
  to: string
  kind: 'queue' | 'expert'
  name: string
  tier: number
  label: Label | null
  authority: Label | null
  skills: Record<string, number>
  open: boolean
  opens: number | null
  free: boolean
}

interface Tiers {
  tier: number
  reasons: { id: string; label: Label }[]
  usual: string
  above: Above[]
  handed: { at: number; agent: string; reason: { id: string; label: Label }; tier: number; note: string | null }[]
}

function useTiers(contact?: string) {
  return useQuery({
    queryKey: ['tiers', contact ?? ''],
    queryFn: ({ signal }) => api.get<Tiers>('/me/agent/tiers', contact ? { contact } : {}, { signal }),
    staleTime: 10_000,
  })
}

/** In the dialog of the transfer. */
export default function Escalate({ close }: { close: () => void }) {
  const t = useWords(words)
  const language = useLanguage()
  const pending = usePending((one) => one.names)
  const { data } = useTiers()
  const [reason, setReason] = useState<string | null>(null)
  const [chosen, setChosen] = useState<string | null>(null)
  if (!data) return null
  const to = chosen ?? (data.usual || data.above[0]?.to || null)
  const named = (one: Above) => `${one.name} · ${one.label?.[language] ?? t('tier', { n: one.tier })}`
  const options = data.above.map((one) => ({ value: one.to, label: named(one) }))
  if (data.usual && !data.above.some((one) => one.to === data.usual))
    options.unshift({ value: data.usual, label: t('usual') })
  const about = data.above.find((one) => one.to === to)
  const send = async () => {
    if (reason && to && (await command('escalate', { reason, to: to === data.usual ? '' : to }))) close()
  }
  if (options.length === 0) return <p className="dim">{t('nobody')}</p>
  return (
    <div className={css.escalate}>
      <Select
        data-autofocus
        label={t('why')}
        data={data.reasons.map((one) => ({ value: one.id, label: one.label[language] ?? one.id }))}
        value={reason}
        onChange={setReason}
        comboboxProps={{ withinPortal: false }}
      />
      <Select
        label={t('whom')}
        data={options}
        value={to}
        onChange={setChosen}
        allowDeselect={false}
        comboboxProps={{ withinPortal: false }}
      />
      {about && (
        <p className="dim">
          {about.authority && `${t('may')}: ${about.authority[language] ?? ''} `}
          {Object.keys(about.skills).length > 0 && `${t('knows')}: ${Object.keys(about.skills).join(', ')} `}
          {!about.open && (about.opens ? t('opens', { time: timeOf(language, about.opens) }) : t('closed'))}
        </p>
      )}
      <Button size="xs" disabled={!reason || !to} loading={pending.has('escalate')} onClick={() => void send()}>
        {t('escalate')}
      </Button>
    </div>
  )
}

/** Who has handed the customer on, why, and what they had noted. */
export function Handed({ contact }: { contact: ContactLive }) {
  const t = useWords(words)
  const language = useLanguage()
  const centre = useCentre()
  const { data } = useTiers(contact.id)
  return (
    <>
      {(data?.handed ?? []).map((one) => (
        <p key={one.at} className={css.handed}>
          <strong>
            {t('handed', { agent: centre.agentName(one.agent), reason: one.reason.label[language] ?? one.reason.id })}
          </strong>
          {one.note && <span>{one.note}</span>}
        </p>
      ))}
    </>
  )
}
