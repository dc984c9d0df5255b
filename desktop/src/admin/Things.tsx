/** Queues, agents, teams, clients, trunks, calendars: their list, one of them with all its keys, new ones. */
import { TextInput } from '@mantine/core'
import { type FormEvent, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import { useLanguage, useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Button, Empty, Icon } from '../ui'
import css from './admin.module.css'
import { idFrom, ids, keyOf, nameOf, numbersOf, serving, thing, valueAt, withoutThing } from './draft'
import { Form } from './Form'
import { fieldSay, ID } from './fields'
import { type Item, Listing } from './Listing'
import { useSettings } from './parts'
import { check, setAll, takeBack } from './store'
import { words } from './words'

export type ThingTable = 'queues' | 'agents' | 'teams' | 'clients' | 'trunks' | 'calendars'

const NEW = {
  queues: 'newQueue',
  agents: 'newAgent',
  teams: 'newTeam',
  clients: 'newClient',
  trunks: 'newTrunk',
  calendars: 'newCalendar',
} as const
const WHY = {
  queues: 'queuesWhy',
  agents: 'agentsWhy',
  teams: 'teamsWhy',
  clients: 'clientsWhy',
  trunks: 'trunksWhy',
  calendars: 'calendarsWhy',
} as const

export function Things({ table, chosen }: { table: ThingTable; chosen: string | null }) {
  const settings = useSettings()
  const { tree, shown } = settings
  const t = useWords(words)
  const [making, setMaking] = useState(false)
  const [, go] = useLocation()
  const now = ids(tree, table)
  const gone = ids(shown.tree, table).filter((one) => !now.includes(one))
  const base = `/settings/${table}`

  const note = (id: string): string => {
    if (table === 'queues') {
      return `${t('nAgents', { n: serving(tree, thing(tree, table, id)).length })} · ${t('nNumbers', { n: numbersOf(tree, 'queue', id).length })}`
    }
    if (table === 'agents') {
      const n = ids(tree, 'queues').filter((queue) => serving(tree, thing(tree, 'queues', queue)).includes(id)).length
      return t('nQueues', { n })
    }
    if (table === 'teams') {
      const members = thing(tree, table, id).agents
      return t('nAgents', { n: Array.isArray(members) ? members.length : 0 })
    }
    if (table === 'clients') {
      return t('nQueues', { n: ids(tree, 'queues').filter((one) => thing(tree, 'queues', one).client === id).length })
    }
    if (table === 'calendars') {
      const hours = thing(tree, table, id).hours
      return hours && typeof hours === 'object'
        ? Object.entries(hours)
            .map(([days, one]) => `${days} ${String(one)}`)
            .join(', ')
        : t('always')
    }
    const trunk = thing(tree, table, id)
    const register = trunk.register as Record<string, unknown> | undefined
    return String(trunk.address ?? trunk.network ?? register?.registrar ?? '')
  }
  const markOf = (id: string): Item['mark'] => {
    if (settings.problem([table, id])) return 'problem'
    if (valueAt(shown.tree, [table, id]) === undefined) return 'new'
    return settings.touched(table, id) ? 'changed' : undefined
  }
  const items: Item[] = [
    ...now.map((id) => ({ id, name: nameOf(tree, table, id), note: note(id), mark: markOf(id) })),
    ...gone.map((id) => ({ id, name: nameOf(shown.tree, table, id), mark: 'goes' as const, dimmed: true })),
  ]
  const add = (
    <Button size="xs" leftSection={<Icon name="plus" size={14} />} onClick={() => setMaking(true)}>
      {t(NEW[table])}
    </Button>
  )

  function remove(id: string) {
    setAll(shown, withoutThing(tree, table, id))
    void check()
    if (valueAt(shown.tree, [table, id]) === undefined) go(base)
  }

  return (
    <Listing title={t(table)} items={items} base={base} chosen={making ? '' : chosen} add={add}>
      {making ? (
        <Make
          table={table}
          done={(id) => {
            setMaking(false)
            if (id) go(`${base}/${encodeURIComponent(id)}`)
          }}
        />
      ) : chosen === null ? (
        items.length ? (
          <p className={css.choose}>{t('choose')}</p>
        ) : (
          <Empty title={t('noneYet')} why={t(WHY[table])}>
            {add}
          </Empty>
        )
      ) : gone.includes(chosen) ? (
        <Empty title={nameOf(shown.tree, table, chosen)} why={t('removed')}>
          <Button variant="default" onClick={() => takeBack([table, chosen])}>
            {t('keepIt')}
          </Button>
        </Empty>
      ) : !now.includes(chosen) ? (
        <Empty title={t('gone')} why={chosen} />
      ) : (
        <One key={chosen} table={table} id={chosen} remove={() => remove(chosen)} />
      )}
    </Listing>
  )
}

function One({ table, id, remove }: { table: ThingTable; id: string; remove: () => void }) {
  const settings = useSettings()
  const t = useWords(words)
  const line = settings.fileLine([table, id])
  // What is wrong with the thing as a whole stands on top; its keys tell their own.
  const whole = settings.problem([table, id])
  const ofKey = Object.keys(thing(settings.tree, table, id)).some((key) => settings.problem([table, id, key]))
  const fresh = keyOf([table, id]) in settings.edits
  const untouched = fresh && !Object.keys(thing(settings.tree, table, id)).some((key) => key !== 'name')
  return (
    <article className={css.form}>
      <header className={css.formHead}>
        <h1 className={css.formTitle}>{nameOf(settings.tree, table, id)}</h1>
        <code>{id}</code>
        {line === null && (
          <Button
            variant="subtle"
            color="gray"
            size="xs"
            leftSection={<Icon name="trash" size={14} />}
            title={t('removeWhy')}
            onClick={remove}
          >
            {t('remove')}
          </Button>
        )}
      </header>
      {line !== null && (
        <p className={css.source}>
          <Icon name="note" size={14} />
          {t('fileThing', { file: settings.shown.file, line })}
        </p>
      )}
      {whole && !ofKey && !untouched && (
        <p className={css.wrongWhole} lang="en">
          {whole}
        </p>
      )}
      <Form table={table} id={id} />
    </article>
  )
}

function Make({ table, done }: { table: ThingTable; done: (id: string | null) => void }) {
  const { tree, shown } = useSettings()
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const taken = [...ids(tree, table), ...ids(shown.tree, table)]
  const [name, setName] = useState('')
  const [own, setOwn] = useState<string | null>(null)
  const [tried, setTried] = useState(false)
  const idField = useRef<HTMLInputElement>(null)
  const id = own ?? (name.trim() ? idFrom(name, taken) : '')
  const bad = !id ? 'wrong.needed' : !ID.test(id) ? 'wrong.id' : taken.includes(id) ? 'wrong.taken' : null
  function make(event: FormEvent) {
    event.preventDefault()
    setTried(true)
    if (bad) return idField.current?.focus()
    setAll(shown, [
      { path: [table, id], value: {} },
      ...(name.trim() && name.trim() !== id && table !== 'trunks' && table !== 'calendars'
        ? [{ path: [table, id, 'name'], value: name.trim() }]
        : []),
      ...(table === 'queues' ? [{ path: [table, id, 'agents'], value: [] }] : []),
    ])
    void check()
    done(id)
  }
  return (
    <form className={css.makeForm} onSubmit={make} noValidate>
      <h1 className={css.formTitle}>{t(NEW[table])}</h1>
      <TextInput
        label={t('name')}
        value={name}
        autoFocus
        onChange={(event) => setName(event.currentTarget.value)}
        autoComplete="off"
      />
      <TextInput
        ref={idField}
        label={t('id')}
        description={t('idWhy')}
        value={id}
        classNames={{ input: css.mono }}
        onChange={(event) => setOwn(event.currentTarget.value)}
        error={(tried || own !== null) && bad ? fieldSay(language, bad) : null}
        autoComplete="off"
        spellCheck={false}
        autoCapitalize="none"
      />
      <div className={css.line}>
        <Button type="submit">{t('make')}</Button>
        <Button variant="default" onClick={() => done(null)}>
          {s('cancel')}
        </Button>
      </div>
    </form>
  )
}
