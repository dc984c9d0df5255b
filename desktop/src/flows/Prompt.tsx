/** A prompt: pieces of text by language, sounds, numbers, money, dates, times, digits, pauses. ▶ plays it whole. */
import { Menu, Select, Textarea, TextInput } from '@mantine/core'
import { useId, useState } from 'react'
import { useLanguage, useWords } from '../i18n'
import { Button, Icon } from '../ui'
import { useVocabulary } from './api'
import css from './flows.module.css'
import { kindOf, languagesOf, PART_KINDS, type Part, type PartKind, partsOf, textOf } from './model'
import { Hear, IconButton, Problems, within } from './parts'
import { useEditor } from './store'
import type { Problem } from './types'
import { words } from './words'

const isTexts = (value: unknown): value is Record<string, string> => typeof value === 'object' && value !== null

export function Prompt({
  label,
  name,
  value,
  set,
  readOnly,
  problems,
  needed,
}: {
  label: string
  name: string
  value: unknown
  /** `what` names the letter-by-letter edit. */
  set: (value: Part[] | undefined, what?: string) => void
  readOnly: boolean
  problems: readonly Problem[]
  needed?: boolean
}) {
  const t = useWords(words)
  const page = useLanguage()
  const graph = useEditor((one) => one.graph)
  const { languages } = useVocabulary()
  const own = graph ? languagesOf(graph) : []
  const parts = partsOf(value)
  const spoken = [...new Set([...own, ...parts.flatMap((one) => textLanguages(one))])]
  const offered = spoken.length ? spoken : [page]
  const [heard, setHeard] = useState('')
  const language = heard && offered.includes(heard) ? heard : offered[0]!
  const heading = useId()

  const replace = (index: number, part: Part | null, what?: string) => {
    const made = parts.flatMap((one, at) => (at !== index ? [one] : part === null ? [] : [part]))
    set(made.length || needed ? made : undefined, what)
  }
  const move = (index: number, by: number) => {
    const made = [...parts]
    const [one] = made.splice(index, 1)
    made.splice(index + by, 0, one!)
    set(made)
  }
  const add = (kind: PartKind) => set([...parts, emptyPart(kind, own)])

  return (
    <fieldset className={css.prompt} aria-labelledby={heading}>
      <div className={css.promptHead}>
        <span id={heading} className={css.label}>
          {label}
          {needed && <span aria-hidden="true"> *</span>}
        </span>
        {offered.length > 1 && (
          <Select
            size="xs"
            className={css.tiny}
            aria-label={t('hearIn')}
            data={offered.map((one) => ({ value: one, label: one.toUpperCase() }))}
            value={language}
            onChange={(next) => next && setHeard(next)}
            allowDeselect={false}
          />
        )}
        <Hear
          parts={parts}
          language={language}
          voice={graph?.voice ?? ''}
          label={label}
          disabled={parts.length === 0}
        />
      </div>
      {parts.length === 0 && <p className={css.hint}>{t('emptyPrompt')}</p>}
      <ol className={css.parts}>
        {parts.map((part, index) => {
          const kind = kindOf(part)
          return (
            <li key={index} className={css.part}>
              <div className={css.partHead}>
                <span>{t(`part_${kind}`)}</span>
                {!readOnly && (
                  <>
                    {parts.length > 1 && (
                      <>
                        <IconButton
                          icon="up"
                          label={`${t('earlier')}: ${t('partN', { n: index + 1, kind: t(`part_${kind}`) })}`}
                          disabled={index === 0}
                          onClick={() => move(index, -1)}
                        />
                        <IconButton
                          icon="down"
                          label={`${t('later')}: ${t('partN', { n: index + 1, kind: t(`part_${kind}`) })}`}
                          disabled={index === parts.length - 1}
                          onClick={() => move(index, 1)}
                        />
                      </>
                    )}
                    <IconButton
                      icon="close"
                      label={`${t('removePart')}: ${index + 1}`}
                      onClick={() => replace(index, null)}
                    />
                  </>
                )}
              </div>
              <PartFields
                part={part}
                kind={kind}
                name={`${label} ${index + 1}`}
                set={(next) => replace(index, next, `${name}[${index}]`)}
                languages={[...new Set([...spoken, ...languages])]}
                readOnly={readOnly}
              />
              <Problems problems={within(problems, `${name}[${index}]`)} />
            </li>
          )
        })}
      </ol>
      <Problems problems={problems.filter((one) => one.where === name)} />
      {!readOnly && (
        <div className={css.line}>
          <Button
            size="xs"
            variant="default"
            leftSection={<Icon name="plus" size={14} />}
            onClick={() => add('text')}
            aria-label={`${t('addPart')}: ${t('part_text')} (${label})`}
          >
            {t('part_text')}
          </Button>
          <Menu position="bottom-start">
            <Menu.Target>
              <Button
                size="xs"
                variant="default"
                rightSection={<Icon name="down" size={14} />}
                aria-label={`${t('addPart')} (${label})`}
              >
                <Icon name="plus" size={14} />
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {PART_KINDS.map((kind) => (
                <Menu.Item key={kind} onClick={() => add(kind)}>
                  {t(`part_${kind}`)}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        </div>
      )}
    </fieldset>
  )
}

function textLanguages(part: Part): string[] {
  const said = typeof part === 'object' ? ('text' in part ? part.text : 'sound' in part ? part.sound : '') : ''
  return isTexts(said) ? Object.keys(said) : []
}

function emptyPart(kind: PartKind, languages: readonly string[]): Part {
  if (kind === 'pause') return { pause: 500 }
  if (kind === 'money') return { money: '', currency: 'PLN' }
  if (kind === 'text')
    return languages.length > 1 ? { text: Object.fromEntries(languages.map((one) => [one, ''])) } : ''
  return { [kind]: '' } as unknown as Part
}

function PartFields({
  part,
  kind,
  name,
  set,
  languages,
  readOnly,
}: {
  part: Part
  kind: PartKind
  name: string
  set: (part: Part) => void
  languages: string[]
  readOnly: boolean
}) {
  const t = useWords(words)
  const vocabulary = useVocabulary()
  const called = useLanguageNames()
  if (kind === 'text') {
    const said = typeof part === 'string' ? part : (part as { text: string | Record<string, string> }).text
    if (!isTexts(said)) {
      return (
        <>
          <Textarea
            aria-label={`${t('textAll')}: ${name}`}
            value={said ?? ''}
            readOnly={readOnly}
            autosize
            minRows={2}
            onChange={(event) => set(event.currentTarget.value)}
          />
          {!readOnly && (
            <Button
              size="xs"
              variant="subtle"
              color="gray"
              onClick={() => set({ text: { [languages[0] ?? 'en']: said ?? '' } })}
            >
              {t('byLanguage')}
            </Button>
          )}
        </>
      )
    }
    const left = languages.filter((one) => !(one in said))
    return (
      <>
        {Object.entries(said).map(([language, text]) => (
          <div key={language} className={css.languageText}>
            <Textarea
              label={t('textIn', { language: called(language) })}
              lang={language}
              value={text}
              readOnly={readOnly}
              autosize
              minRows={2}
              onChange={(event) => set({ text: { ...said, [language]: event.currentTarget.value } })}
            />
            {!readOnly && Object.keys(said).length > 1 && (
              <IconButton
                icon="close"
                label={t('removeLanguage', { language: called(language) })}
                onClick={() => {
                  const { [language]: _, ...rest } = said
                  set({ text: rest })
                }}
              />
            )}
          </div>
        ))}
        {!readOnly && left.length > 0 && (
          <Select
            size="xs"
            aria-label={t('addLanguage')}
            placeholder={t('addLanguage')}
            data={left.map((one) => ({ value: one, label: called(one) }))}
            value={null}
            onChange={(next) => next && set({ text: { ...said, [next]: '' } })}
          />
        )}
      </>
    )
  }
  if (kind === 'sound') {
    const now = textOf(part, languages[0] ?? '')
    const all = [...new Set([...vocabulary.sounds, ...vocabulary.builtin_sounds, ...(now ? [now] : [])])]
    return (
      <Select
        aria-label={`${t('part_sound')}: ${name}`}
        data={all}
        value={now || null}
        searchable
        openOnFocus={false}
        disabled={readOnly}
        onChange={(next) => set({ sound: next ?? '' })}
      />
    )
  }
  if (kind === 'pause') {
    return (
      <TextInput
        aria-label={`${t('pauseFor')}: ${name}`}
        description={t('pauseFor')}
        value={String((part as { pause: number }).pause)}
        inputMode="numeric"
        readOnly={readOnly}
        onChange={(event) => set({ pause: Number(event.currentTarget.value.replace(/\D/g, '').slice(0, 5)) })}
      />
    )
  }
  const value = String((part as Record<string, unknown>)[kind] ?? '')
  const input = (
    <TextInput
      aria-label={`${t(`part_${kind}`)}: ${name}`}
      classNames={{ input: css.mono }}
      placeholder="{variable}"
      value={value}
      readOnly={readOnly}
      spellCheck={false}
      onChange={(event) => set({ ...(part as object), [kind]: event.currentTarget.value } as unknown as Part)}
    />
  )
  if (kind !== 'money') return input
  const currency = (part as { currency?: string }).currency ?? ''
  return (
    <div className={css.line}>
      <div className={css.grow}>{input}</div>
      <Select
        className={css.narrow}
        aria-label={`${t('currency')}: ${name}`}
        data={[...new Set([...vocabulary.currencies, ...(currency ? [currency] : [])])]}
        value={currency || null}
        searchable
        openOnFocus={false}
        disabled={readOnly}
        onChange={(next) => next && set({ ...(part as { money: string }), currency: next })}
      />
    </div>
  )
}

export function useLanguageNames(): (language: string) => string {
  const t = useWords(words)
  const page = useLanguage()
  return (language) => {
    if (language === 'en' || language === 'pl' || language === 'ru') return t(`language_${language}`)
    try {
      return new Intl.DisplayNames([page], { type: 'language' }).of(language) ?? language
    } catch {
      return language
    }
  }
}
