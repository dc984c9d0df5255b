/** What customers answered after their conversations: by queue, and by agent. Few answers are shown, never ranked. */
import { Select } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../api/client'
import type { Schema } from '../api/types'
import { sentences, useLanguage, useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Empty, Page, ProblemNote, ui, Waiting } from '../ui'
import { useNames, useWatch } from './parts'
import { titles } from './titles'

type Report = Schema<'SurveyReport'>
type Row = Report['items'][number]

export const words = sentences({
  title: titles.surveys,
  days: ['Days', 'Dni', 'Дни'],
  lastDays: [
    '{n, plural, one {Last day} other {Last # days}}',
    '{n, plural, one {Ostatni dzień} few {Ostatnie # dni} many {Ostatnich # dni} other {Ostatnie # dnia}}',
    '{n, plural, one {Последний # день} few {Последние # дня} many {Последние # дней} other {Последние # дня}}',
  ],
  byQueue: ['By queue', 'Według kolejek', 'По очередям'],
  byAgent: ['By agent', 'Według konsultantów', 'По операторам'],
  question: ['Question', 'Pytanie', 'Вопрос'],
  answers: ['Answers', 'Odpowiedzi', 'Ответы'],
  figure: ['Figure', 'Wskaźnik', 'Показатель'],
  mean: ['Mean', 'Średnia', 'Среднее'],
  range: ['95 % between', '95% między', '95 % между'],
  csat: ['CSAT (4 and 5)', 'CSAT (4 i 5)', 'CSAT (4 и 5)'],
  yes: ['Yes', 'Tak', 'Да'],
  nps: ['NPS', 'NPS', 'NPS'],
  tooFew: [
    'Under {few} answers: too few to compare, so not ranked.',
    'Poniżej {few} odpowiedzi: za mało, by porównywać, więc bez kolejności.',
    'Меньше {few} ответов: слишком мало для сравнения, без места в списке.',
  ],
  none: ['No answers yet', 'Nie ma jeszcze odpowiedzi', 'Ответов пока нет'],
  noneWhy: [
    'A queue with a survey sends its customers there when their agent has hung up.',
    'Kolejka z ankietą kieruje do niej klientów, gdy konsultant się rozłączy.',
    'Очередь с опросом отправляет туда клиентов, когда оператор положил трубку.',
  ],
})

const DAYS = [1, 7, 30, 90]

/** Those with answers enough by their figure, best first; the others after them, by name, in no order of merit. */
export function ordered(rows: readonly Row[]): Row[] {
  const score = (one: Row): number => (one.scale === '0-10' ? (one.nps ?? 0) / 100 : (one.share ?? 0))
  const name = (one: Row): string => `${one.question} ${one.queue ?? ''} ${one.agent ?? ''}`
  return [
    ...rows.filter((one) => one.ranked).sort((a, b) => score(b) - score(a) || name(a).localeCompare(name(b))),
    ...rows.filter((one) => !one.ranked).sort((a, b) => name(a).localeCompare(name(b))),
  ]
}

export default function Surveys() {
  useWatch()
  const t = useWords(words)
  const [days, setDays] = useState(30)
  const report = useQuery({
    queryKey: ['surveys', days],
    queryFn: ({ signal }) => api.get<Report>('/floor/surveys', { days }, { signal }),
    refetchInterval: 60_000,
  })
  const items = report.data?.items ?? []
  return (
    <Page
      title={t('title')}
      aside={
        <Select
          aria-label={t('days')}
          data={DAYS.map((one) => ({ value: String(one), label: t('lastDays', { n: one }) }))}
          value={String(days)}
          onChange={(value) => setDays(Number(value ?? 30))}
          allowDeselect={false}
        />
      }
    >
      {report.isPending && <Waiting />}
      {report.isError && <ProblemNote problem={report.error} retry={() => void report.refetch()} />}
      {report.isSuccess && !items.length && <Empty title={t('none')} why={t('noneWhy')} />}
      {items.length > 0 && (
        <>
          <Table head={t('byQueue')} rows={items.filter((one) => one.agent === null)} few={report.data?.few ?? 30} />
          <Table head={t('byAgent')} rows={items.filter((one) => one.agent !== null)} few={report.data?.few ?? 30} />
        </>
      )}
    </Page>
  )
}

function Table({ head, rows, few }: { head: string; rows: Row[]; few: number }) {
  const t = useWords(words)
  const s = useWords(shared)
  const names = useNames()
  const language = useLanguage()
  if (!rows.length) return null
  const figure = new Intl.NumberFormat(language, { maximumFractionDigits: 1 })
  const percent = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 })
  const shown = (one: Row): [string, string] =>
    one.scale === '0-10'
      ? [
          `${t('nps')} ${figure.format(one.nps ?? 0)}`,
          `${figure.format(one.nps_low ?? 0)} … ${figure.format(one.nps_high ?? 0)}`,
        ]
      : [
          `${t(one.scale === '1-5' ? 'csat' : 'yes')} ${percent.format(one.share ?? 0)}`,
          `${percent.format(one.low ?? 0)} … ${percent.format(one.high ?? 0)}`,
        ]
  return (
    <section>
      <h2>{head}</h2>
      <table className={ui.table}>
        <thead>
          <tr>
            <th scope="col">{t('question')}</th>
            <th scope="col">{s('queue')}</th>
            {rows[0]?.agent !== null && <th scope="col">{s('agent')}</th>}
            <th scope="col" className={ui.right}>
              {t('answers')}
            </th>
            <th scope="col">{t('figure')}</th>
            <th scope="col">{t('range')}</th>
            <th scope="col" className={ui.right}>
              {t('mean')}
            </th>
          </tr>
        </thead>
        <tbody>
          {ordered(rows).map((one) => (
            <tr key={`${one.survey}/${one.question}/${one.queue}/${one.agent}`} data-few={!one.ranked || undefined}>
              <td>{one.question}</td>
              <td>{names.queue(one.queue ?? '')}</td>
              {one.agent !== null && <td>{names.agent(one.agent)}</td>}
              <td className={`num ${ui.right}`}>{one.n}</td>
              <td className="num">{shown(one)[0]}</td>
              <td className="num">{shown(one)[1]}</td>
              <td className={`num ${ui.right}`}>{one.mean === null ? '–' : figure.format(one.mean)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.some((one) => !one.ranked) && <p className="dim">{t('tooFew', { few })}</p>}
    </section>
  )
}
