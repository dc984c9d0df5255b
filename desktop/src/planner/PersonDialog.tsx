/** One agent's contract and wishes. */
import { Modal, MultiSelect, SegmentedControl, Textarea, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../api/client'
import { useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Button, ProblemNote } from '../ui'
import { numberOf } from './model'
import { words } from './peopleWords'
import css from './planner.module.css'
import { activitiesOf, activitiesText, awayOf, awayText, datesOf, type Spent, windowOf, windowText } from './reading'
import { useAsk, useDays } from './store'
import type { Person, Window } from './types'

const USUAL = ['8:00-18:00', '8:00-18:00', '8:00-18:00', '8:00-18:00', '8:00-18:00', '', '']

const between = (text: string, least: number, most: number): boolean => {
  const value = numberOf(text)
  return value !== null && value >= least && value <= most
}

export function PersonDialog({ person, kinds, close }: { person: Person; kinds: string[]; close: () => void }) {
  const t = useWords(words)
  const s = useWords(shared)
  const days = useDays()
  const queries = useQueryClient()
  const [hours, setHours] = useState(String(person.hours))
  const [wage, setWage] = useState(String(person.wage))
  const [week, setWeek] = useState<string[] | null>(
    person.available.length ? person.available.map((one) => windowText(one as Window | null)) : null,
  )
  const [shifts, setShifts] = useState<string[]>(person.shifts ?? [])
  const [wishes, setWishes] = useState(person.wishes.join(', '))
  const [away, setAway] = useState(awayText(person.absent))
  const [spent, setSpent] = useState(activitiesText(person.activities as unknown as Spent[]))
  const [likes, setLikes] = useState(windowText(person.likes as Window | null))
  const wrong = {
    hours: !between(hours, 0, 100),
    wage: !between(wage, 0.01, 100),
    week: week?.map((one) => one.trim() !== '' && windowOf(one) === null) ?? [],
    wishes: datesOf(wishes) === null,
    away: awayOf(away) === null,
    spent: activitiesOf(spent) === null,
    likes: likes.trim() !== '' && windowOf(likes) === null,
  }
  const bad =
    wrong.hours || wrong.wage || wrong.wishes || wrong.away || wrong.spent || wrong.likes || wrong.week.some(Boolean)
  const save = useAsk(
    (given: object) => api.put(`/planning/people/${encodeURIComponent(person.agent)}`, given),
    () => {
      void queries.invalidateQueries({ queryKey: ['planning', 'people'] })
      close()
    },
  )
  function submit(event: FormEvent) {
    event.preventDefault()
    if (bad) return
    save.mutate({
      version: person.version,
      hours: numberOf(hours)!,
      wage: numberOf(wage)!,
      available: week ? week.map((one) => windowOf(one)) : [],
      shifts: shifts.length ? shifts : null,
      wishes: datesOf(wishes)!,
      absent: awayOf(away)!,
      likes: likes.trim() ? windowOf(likes) : null,
      activities: activitiesOf(spent)!,
    })
  }
  return (
    <Modal opened onClose={close} title={person.name} size={560} closeButtonProps={{ 'aria-label': s('close') }}>
      <form className={css.stack} onSubmit={submit} noValidate>
        <div className={css.fields}>
          <TextInput
            label={t('hours')}
            description={t('hoursWhy')}
            inputMode="decimal"
            value={hours}
            data-autofocus
            error={wrong.hours && t('wrongNumber', { least: 0, most: 100 })}
            onChange={(event) => setHours(event.currentTarget.value)}
          />
          <TextInput
            label={t('wage')}
            inputMode="decimal"
            value={wage}
            error={wrong.wage && t('wrongNumber', { least: '0.01', most: 100 })}
            onChange={(event) => setWage(event.currentTarget.value)}
          />
        </div>
        <fieldset className={css.group}>
          <legend>{t('available')}</legend>
          <SegmentedControl
            aria-label={t('available')}
            className={css.segments}
            value={week ? 'days' : 'always'}
            onChange={(value) => setWeek(value === 'days' ? USUAL : null)}
            data={[
              { value: 'always', label: t('always') },
              { value: 'days', label: t('byDays') },
            ]}
          />
          {week && (
            <>
              <p className="dim">{t('windowHow')}</p>
              <div className={css.week7}>
                {week.map((one, index) => [
                  <span key={`n${index}`} aria-hidden="true">
                    {days.weekday(index)}
                  </span>,
                  <TextInput
                    key={index}
                    aria-label={days.weekday(index)}
                    value={one}
                    error={wrong.week[index] && t('wrongWindow')}
                    onChange={(event) =>
                      setWeek(week.map((old, at) => (at === index ? event.currentTarget.value : old)))
                    }
                  />,
                ])}
              </div>
            </>
          )}
        </fieldset>
        <MultiSelect
          label={t('kinds')}
          placeholder={shifts.length ? undefined : t('allKinds')}
          data={[...new Set([...kinds, ...shifts])]}
          value={shifts}
          onChange={setShifts}
        />
        <TextInput
          label={t('likes')}
          description={t('likesHow')}
          placeholder={t('anyTime')}
          value={likes}
          error={wrong.likes && t('wrongWindow')}
          onChange={(event) => setLikes(event.currentTarget.value)}
        />
        <Textarea
          label={t('away')}
          description={t('absentHow')}
          value={away}
          autosize
          minRows={2}
          error={wrong.away && t('wrongDates')}
          onChange={(event) => setAway(event.currentTarget.value)}
        />
        <TextInput
          label={t('wishes')}
          description={t('datesHow')}
          value={wishes}
          error={wrong.wishes && t('wrongDates')}
          onChange={(event) => setWishes(event.currentTarget.value)}
        />
        <Textarea
          label={t('activities')}
          description={t('activitiesHow')}
          value={spent}
          autosize
          minRows={1}
          error={wrong.spent && t('wrongActivities')}
          onChange={(event) => setSpent(event.currentTarget.value)}
        />
        {save.isError && <ProblemNote problem={save.error} />}
        <div className={css.formEnd}>
          <Button type="submit" loading={save.isPending} disabled={bad}>
            {s('save')}
          </Button>
          <Button variant="default" onClick={close}>
            {s('cancel')}
          </Button>
        </div>
      </form>
    </Modal>
  )
}
