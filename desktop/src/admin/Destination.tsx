/** Where a call goes. */
import { Checkbox, Select, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useFlowName, useFlows } from '../flows/api'
import { useLanguage, useWords } from '../i18n'
import css from './admin.module.css'
import { type ControlProps, isRecord } from './ControlProps'
import { expertName, expertsOf, ids, nameOf } from './draft'
import { fieldSay } from './fields'
import { useSounds } from './parts'
import { words } from './words'

const KINDS = ['queue', 'flow', 'agent', 'phone', 'music', 'hang_up'] as const

/** Where a call goes: a kind, and which. Half of it isn't given on. */
export function Destination({
  value,
  set,
  leave,
  readOnly,
  bad,
  usual,
  settings,
  labelId,
  optional = false,
  experts = false,
  thing: own = '',
}: Pick<ControlProps, 'value' | 'set' | 'readOnly' | 'settings' | 'labelId'> &
  Partial<ControlProps> & {
    optional?: boolean
    /** Somebody outside whom the house knows may be meant, too. */
    experts?: boolean
  }) {
  const t = useWords(words)
  const language = useLanguage()
  const { data: sounds } = useSounds()
  const { data: flows } = useFlows()
  const flowName = useFlowName()
  const given = isRecord(value) ? value : {}
  const kinds = experts || 'expert' in given ? ([...KINDS, 'expert'] as const) : KINDS
  const kindOf = kinds.find((one) => one in given) ?? null
  const [picked, setPicked] = useState<string | null>(null)
  const kind = picked ?? kindOf
  const target = kind && kind in given ? String(given[kind]) : null
  const record = given.record === true
  function give(which: string | null, typing = false) {
    if (!kind) return
    if (!which && kindOf) return set(optional ? null : value)
    if (!which) return
    const next: Record<string, unknown> = { [kind]: which }
    if (record && (kind === 'agent' || kind === 'phone')) next.record = true
    set(next, typing)
    setPicked(null)
  }
  const targets =
    kind === 'queue'
      ? ids(settings.tree, 'queues')
          .filter((one) => one !== own)
          .map((one) => ({ value: one, label: nameOf(settings.tree, 'queues', one) }))
      : kind === 'agent'
        ? ids(settings.tree, 'agents').map((one) => ({ value: one, label: nameOf(settings.tree, 'agents', one) }))
        : kind === 'expert'
          ? Object.keys(expertsOf(settings.tree)).map((one) => ({ value: one, label: expertName(settings.tree, one) }))
          : kind === 'flow'
            ? (flows?.items ?? []).map((one) => ({ value: one.id, label: flowName(one) }))
            : kind === 'music'
              ? (sounds?.items ?? []).map((one) => ({ value: one.name, label: one.name }))
              : (['busy', 'unavailable', 'not_found'] as const).map((one) => ({
                  value: one as string,
                  label: fieldSay(language, one),
                }))
  return (
    <div role="group" aria-labelledby={labelId} className={css.line}>
      <Select
        className={css.kind}
        aria-label={t('leadsTo')}
        data={[
          ...(optional ? [{ value: '', label: usual || '–' }] : []),
          ...kinds.map((one) => ({ value: one as string, label: fieldSay(language, `to.${one}`) })),
        ]}
        value={kind ?? (optional ? '' : null)}
        placeholder={t('leadsTo')}
        allowDeselect={false}
        disabled={readOnly}
        error={bad}
        onChange={(next) => {
          if (next === '') {
            setPicked(null)
            set(null)
          } else setPicked(next)
        }}
      />
      {kind && kind !== 'phone' && (
        <Select
          className={css.grow}
          aria-label={t('target')}
          placeholder={t('target')}
          data={
            target && !targets.some((one) => one.value === target)
              ? [...targets, { value: target, label: target }]
              : targets
          }
          value={picked ? null : target}
          allowDeselect={false}
          searchable={targets.length > 8}
          limit={100}
          disabled={readOnly}
          error={bad}
          onChange={(which) => give(which)}
        />
      )}
      {kind === 'phone' && (
        <TextInput
          className={css.grow}
          aria-label={t('target')}
          placeholder="sip:expert@192.0.2.9"
          value={picked ? '' : (target ?? '')}
          readOnly={readOnly}
          error={bad}
          spellCheck={false}
          onChange={(event) => give(event.currentTarget.value, true)}
          onBlur={() => leave?.()}
        />
      )}
      {(kind === 'agent' || kind === 'phone') && !picked && (
        <Checkbox
          label={t('recordIt')}
          checked={record}
          disabled={readOnly}
          onChange={(event) => {
            const { record: _, ...rest } = given
            set(event.currentTarget.checked ? { ...rest, record: true } : rest)
          }}
        />
      )}
    </div>
  )
}
