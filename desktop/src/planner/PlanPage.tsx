/** One plan: where it stands, its figures, and the board on which it is read and changed. */
import { Menu, Modal } from '@mantine/core'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { address, api } from '../api/client'
import { useLanguage, useWords } from '../i18n'
import { dayAndTime, number, percent } from '../i18n/format'
import { shared } from '../i18n/shared'
import { Button, Icon, ProblemNote, ui, Waiting } from '../ui'
import { Board } from './Board'
import { isoOf, overall } from './model'
import { stageWord } from './Plans'
import { Planning, StateMark, useTrouble } from './parts'
import css from './planner.module.css'
import { words } from './planWords'
import { pathOf, useAsk, useDays, useNames, usePlan, usePlanner } from './store'
import type { Head, Plan } from './types'
import { words as common } from './words'

export default function PlanPage({ id }: { id: string }) {
  const c = useWords(common)
  const found = usePlan(id)
  const plan = found.data
  const [dirty, setDirty] = useState(false)
  return (
    <Planning here="plans" title={plan?.name ?? c('plans')} aside={plan && <Acts plan={plan} dirty={dirty} />}>
      {found.isPending && <Waiting />}
      {found.isError && <ProblemNote problem={found.error} retry={() => void found.refetch()} />}
      {plan && (
        <div className={css.lead}>
          <Stand plan={plan} />
          {plan.state !== 'making' && plan.state !== 'failed' && <Figures plan={plan} />}
        </div>
      )}
      {plan?.state === 'making' && <Making plan={plan} />}
      {plan?.state === 'failed' && <Failed plan={plan} />}
      {plan && plan.state !== 'making' && plan.state !== 'failed' && (
        <>
          <Board plan={plan} onDirty={setDirty} />
          <Costs plan={plan} />
        </>
      )}
    </Planning>
  )
}

function Stand({ plan }: { plan: Plan }) {
  const t = useWords(words)
  const c = useWords(common)
  const language = useLanguage()
  const days = useDays()
  const { zone } = useNames()
  const planner = usePlanner()
  return (
    <p className={css.stand}>
      <StateMark state={plan.state} />
      <span>{c('weeksFrom', { n: plan.weeks, day: days.date(plan.first) })}</span>
      {plan.state === 'published' && plan.published_at && (
        <span className="dim">{t('publishedNote', { at: dayAndTime(language, plan.published_at, zone) })}</span>
      )}
      {!planner && <span className="dim">{c('readOnly')}</span>}
    </p>
  )
}

function Acts({ plan, dirty }: { plan: Plan; dirty: boolean }) {
  const t = useWords(words)
  const s = useWords(shared)
  const planner = usePlanner()
  const days = useDays()
  const [, go] = useLocation()
  const [ask, setAsk] = useState<'publish' | 'remove' | null>(null)
  const close = () => setAsk(null)
  const publish = useAsk(() => api.post(`${pathOf(plan.id)}/publish`, { version: plan.version }), close)
  const copy = useAsk(
    () => api.post<Head>(`${pathOf(plan.id)}/copy`, {}),
    (made) => go(`/plans/${encodeURIComponent((made as Head).id)}`),
  )
  const remove = useAsk(
    () => api.delete(pathOf(plan.id)),
    () => {
      close()
      go('/plans')
    },
  )
  const ready = plan.state === 'draft' || plan.state === 'published' || plan.state === 'archived'
  const act = ask === 'publish' ? publish : remove
  const archives = plan.state === 'published'
  return (
    <div className={css.acts}>
      {ready && plan.state !== 'archived' && <Calendar plan={plan} />}
      {planner && ready && (
        <Button variant="default" loading={copy.isPending} onClick={() => copy.mutate(undefined)}>
          {t('copy')}
        </Button>
      )}
      {planner && plan.state !== 'archived' && plan.state !== 'making' && (
        <Button variant="default" onClick={() => setAsk('remove')}>
          {archives ? t('archive') : s('delete')}
        </Button>
      )}
      {planner && plan.state === 'draft' && (
        <Button disabled={dirty} title={dirty ? t('publishUnsaved') : undefined} onClick={() => setAsk('publish')}>
          {t('publish')}
        </Button>
      )}
      {copy.isError && <ProblemNote problem={copy.error} />}
      <Modal
        opened={ask !== null}
        onClose={close}
        title={t(ask === 'publish' ? 'publishAsk' : archives ? 'archiveAsk' : 'removeAsk')}
        closeButtonProps={{ 'aria-label': s('close') }}
      >
        <div className={css.stack}>
          {ask === 'publish' ? (
            <>
              <p>
                {t('publishWhy', {
                  agents: new Set(plan.duties.map((one) => one.agent)).size,
                  from: days.date(plan.first),
                  to: days.date(isoOf(plan.first, 7 * plan.weeks - 1)),
                })}
              </p>
              {plan.broken.length > 0 && <p className={css.bad}>{t('publishBroken', { n: plan.broken.length })}</p>}
            </>
          ) : (
            <p>{t(archives ? 'archiveWhy' : 'removeWhy')}</p>
          )}
          {act.isError && <ProblemNote problem={act.error} />}
          <div className={css.formEnd}>
            <Button
              color={ask === 'publish' ? undefined : 'red'}
              loading={act.isPending}
              data-autofocus
              onClick={() => act.mutate(undefined)}
            >
              {ask === 'publish' ? t('publish') : archives ? t('archive') : s('delete')}
            </Button>
            <Button variant="default" onClick={close}>
              {s('cancel')}
            </Button>
          </div>
        </div>
      </Modal>
    </div>
  )
}

function Calendar({ plan }: { plan: Plan }) {
  const t = useWords(words)
  const file = (agent?: string) => address(`${pathOf(plan.id)}/calendar.ics`, { agent })
  return (
    <Menu withinPortal position="bottom-end">
      <Menu.Target>
        <Button variant="default" leftSection={<Icon name="download" size={16} />}>
          {t('calendar')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={360} style={{ overflowY: 'auto' }}>
        <Menu.Item component="a" href={file()} download>
          {t('calendarAll')}
        </Menu.Item>
        {plan.agents.map((one) => (
          <Menu.Item key={one.agent} component="a" href={file(one.agent)} download>
            {one.name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

function Making({ plan }: { plan: Plan }) {
  const t = useWords(words)
  const c = useWords(common)
  const language = useLanguage()
  const share = plan.progress?.share ?? 0
  return (
    <section className={`${ui.card} ${css.making}`}>
      <p role="status">
        {c('progress', {
          stage: c(stageWord(plan.progress?.stage ?? '')),
          share: percent(language, share),
        })}
      </p>
      <progress max={1} value={share} aria-label={c('state.making')} />
      <p className="dim">{t('madeWait')}</p>
    </section>
  )
}

function Failed({ plan }: { plan: Plan }) {
  const t = useWords(words)
  const trouble = useTrouble()
  const planner = usePlanner()
  const [, go] = useLocation()
  const again = useAsk(
    () => api.post<Head>(`${pathOf(plan.id)}/copy`, {}),
    (made) => go(`/plans/${encodeURIComponent((made as Head).id)}`),
  )
  return (
    <section className={`${ui.card} ${css.making}`}>
      <h2>{t('failed')}</h2>
      {plan.problem && (
        <p role="alert">
          {trouble(plan.problem)} <code className="dim">{plan.problem.code}</code>
        </p>
      )}
      {again.isError && <ProblemNote problem={again.error} />}
      {planner && (
        <div className={css.formEnd}>
          <Button onClick={() => go('/plans/new')}>{t('otherDemand')}</Button>
          <Button variant="default" loading={again.isPending} onClick={() => again.mutate(undefined)}>
            {t('again')}
          </Button>
          <Button variant="default" onClick={() => go('/planning/people')}>
            <PeopleTitle />
          </Button>
        </div>
      )}
    </section>
  )
}

function PeopleTitle() {
  return useWords(common)('people')
}

function Figures({ plan }: { plan: Plan }) {
  const c = useWords(common)
  const language = useLanguage()
  const level = overall(plan, plan.queues)
  const some = (value: number | null | undefined, digits: number) =>
    value === null || value === undefined ? '–' : number(language, value, digits)
  const all: { name: string; value: string; why?: string }[] = [
    { name: c('expected'), value: level === null ? '–' : percent(language, level) },
    { name: c('short'), value: some(plan.short_hours, 1) },
    { name: c('cost'), value: some(plan.cost, 0), why: c('costNote') },
    {
      name: c('gap'),
      value: plan.gap === null ? '–' : percent(language, plan.gap, 1),
      why: plan.gap === null ? c('gapGone') : c('gapNote'),
    },
  ]
  return (
    <dl className={css.figures}>
      {all.map((one) => (
        <div key={one.name} title={one.why}>
          <dt>{one.name}</dt>
          <dd className="num">{one.value}</dd>
        </div>
      ))}
    </dl>
  )
}

const COSTS = ['paid', 'short', 'over', 'wishes', 'likes', 'unpopular', 'total'] as const

function Costs({ plan }: { plan: Plan }) {
  const t = useWords(words)
  const language = useLanguage()
  const trouble = useTrouble()
  return (
    <div className={css.two}>
      {Object.keys(plan.costs).length > 0 && (
        <section className={ui.card} aria-label={t('costs')}>
          <h2>{t('costs')}</h2>
          <p className="dim">{t('costsWhy')}</p>
          <table className={ui.table}>
            <tbody>
              {COSTS.filter((one) => plan.costs[one] !== undefined).map((one) => (
                <tr key={one}>
                  <th scope="row">{t(`cost.${one}`)}</th>
                  <td className={`num ${ui.right}`}>{number(language, plan.costs[one]!, 1)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {(plan.notes?.length ?? 0) > 0 && (
        <section className={ui.card} aria-label={t('notes')}>
          <h2>{t('notes')}</h2>
          <ul className={css.list}>
            {plan.notes!.map((one, index) => (
              <li key={index}>{trouble(one)}</li>
            ))}
          </ul>
        </section>
      )}
    </div>
  )
}
