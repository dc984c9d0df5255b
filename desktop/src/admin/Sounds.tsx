/** Sounds of the house: uploaded, heard, deleted; a deleted one can come back for 30 s. */
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { Link } from 'wouter'
import { ApiProblem, api, PREFIX } from '../api/client'
import { say, sentences, useLanguage, useWords } from '../i18n'
import { clock } from '../i18n/format'
import { moreProblems, problemSentence } from '../i18n/problems'
import { shared } from '../i18n/shared'
import { Button, Icon, ProblemNote, ui, useProblemText, Waiting } from '../ui'
import css from './admin.module.css'
import { idFrom } from './draft'
import { Play, SOUNDS, useSettings, useSounds } from './parts'
import { placeOf } from './say'
import { UNDO_FOR } from './store'
import { words } from './words'

moreProblems(
  sentences({
    'SOUND-WRONG': [
      'this is no sound file that can be read, or it is too short.',
      'to nie jest plik dźwiękowy, który da się odczytać, albo jest za krótki.',
      'это не звуковой файл, который можно прочесть, или он слишком короткий.',
    ],
    'IN-USE': [
      'It is in use: choose another there first. {detail}',
      'Jest używane: najpierw wybierz tam inne. {detail}',
      'Используется: сначала выберите там другое. {detail}',
    ],
    'SETTINGS-WRONG': [
      'Some of this can’t be; nothing was saved.',
      'Części nie da się zapisać; nic nie zapisano.',
      'Часть этого невозможна; ничего не сохранено.',
    ],
    'LAST-ADMINISTRATOR': [
      'This is the last administrator: make another one first.',
      'To ostatni administrator: najpierw utwórz drugiego.',
      'Это последний администратор: сначала создайте другого.',
    ],
  }),
)

interface Job {
  name: string
  state: 'sent' | 'there' | 'wrong'
  problem?: unknown
}

const TOO_BIG = 20 * 1024 * 1024

export function Sounds() {
  const { data, error, refetch } = useSounds()
  const { tree } = useSettings()
  const queries = useQueryClient()
  const t = useWords(words)
  const s = useWords(shared)
  const language = useLanguage()
  const text = useProblemText()
  const [jobs, setJobs] = useState<Job[]>([])
  const [gone, setGone] = useState<{ name: string; blob: Blob } | null>(null)
  const [problem, setProblem] = useState<unknown>(null)
  const [over, setOver] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  const fresh = () => queries.invalidateQueries({ queryKey: [...SOUNDS] })
  useEffect(() => {
    if (!gone) return
    const timer = setTimeout(() => setGone(null), UNDO_FOR * 1000)
    return () => clearTimeout(timer)
  }, [gone])

  async function upload(files: Iterable<File>) {
    setProblem(null)
    const taken = (data?.items ?? []).map((one) => one.name)
    for (const file of files) {
      const name = idFrom(file.name.replace(/\.[a-z0-9]{1,5}$/i, ''), taken)
      taken.push(name)
      const tell = (job: Job) => setJobs((all) => [...all.filter((one) => one.name !== name), job])
      tell({ name, state: 'sent' })
      try {
        if (file.size > TOO_BIG) throw new ApiProblem('TOO-BIG', 413, '')
        await api.post(`/admin/sounds?name=${encodeURIComponent(name)}`, file, { within: 120 })
        await fresh()
        tell({ name, state: 'there' })
      } catch (caught) {
        tell({ name: file.name, state: 'wrong', problem: caught })
        setJobs((all) => all.filter((one) => one.name !== name || one.state === 'wrong'))
      }
    }
  }

  async function remove(name: string) {
    setProblem(null)
    try {
      const path = `/admin/sounds/${encodeURIComponent(name)}`
      const answer = await fetch(PREFIX + path)
      const blob = answer.ok ? await answer.blob() : null
      await api.delete(path)
      if (blob) setGone({ name, blob })
      await fresh()
    } catch (caught) {
      setProblem(caught)
    }
  }

  async function bring() {
    if (!gone) return
    try {
      await api.post(`/admin/sounds?name=${encodeURIComponent(gone.name)}`, gone.blob, { within: 120 })
      setGone(null)
      await fresh()
    } catch (caught) {
      setProblem(caught)
    }
  }

  if (error) return <ProblemNote problem={error} retry={() => void refetch()} />
  if (!data) return <Waiting />
  return (
    <section
      className={css.scrolled}
      aria-label={t('sounds')}
      data-over={over || undefined}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        void upload(event.dataTransfer.files)
      }}
    >
      <div className={css.sheet}>
        <div className={css.sheetHead}>
          <h1>{t('sounds')}</h1>
          <p className={css.hint}>{t('uploadWhy')}</p>
          <Button size="xs" leftSection={<Icon name="upload" size={14} />} onClick={() => input.current?.click()}>
            {t('upload')}
          </Button>
          <input
            ref={input}
            type="file"
            accept="audio/*,.wav,.mp3,.flac,.ogg,.m4a,.aac"
            multiple
            hidden
            aria-label={t('upload')}
            onChange={(event) => {
              void upload([...(event.currentTarget.files ?? [])])
              event.currentTarget.value = ''
            }}
          />
        </div>
        <div role="status" className={css.jobs}>
          {jobs.map((job) => (
            <p key={job.name} data-bad={job.state === 'wrong' || undefined}>
              {job.state === 'sent' && t('uploading', { name: job.name })}
              {job.state === 'there' && t('uploaded', { name: job.name })}
              {job.state === 'wrong' && t('notTaken', { name: job.name, why: whyOf(job.problem) })}
            </p>
          ))}
          {gone && (
            <p className={css.line}>
              {t('soundGone', { name: gone.name })}
              <Button size="xs" variant="default" onClick={() => void bring()}>
                {s('undo')}
              </Button>
            </p>
          )}
          {problem ? <p data-bad>{text(problem)}</p> : null}
        </div>
        <table className={ui.table}>
          <thead>
            <tr>
              <th scope="col">{t('name')}</th>
              <th scope="col" className={ui.right}>
                {t('length')}
              </th>
              <th scope="col">{t('usedBy')}</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {data.items.map((one) => (
              <tr key={one.name}>
                <th scope="row">
                  {one.name} {one.built_in && <small className="dim">{t('builtIn')}</small>}
                </th>
                <td className={`${ui.right} num`}>{one.seconds === null ? '–' : clock(one.seconds)}</td>
                <td>
                  {one.used_by.length
                    ? one.used_by.slice(0, 5).map((key, index) => (
                        <span key={key}>
                          {index ? ', ' : ''}
                          <Link href={placeOf(key, tree)}>{key}</Link>
                        </span>
                      ))
                    : '–'}
                </td>
                <td className={ui.right}>
                  {!one.built_in && (
                    <span className={css.acts}>
                      <Play name={one.name} />
                      <Button
                        size="xs"
                        variant="subtle"
                        color="gray"
                        aria-label={`${s('delete')}: ${one.name}`}
                        onClick={() => void remove(one.name)}
                      >
                        {s('delete')}
                      </Button>
                    </span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
  function whyOf(caught: unknown): string {
    if (!(caught instanceof ApiProblem)) return String(caught)
    const { sentence, values } = problemSentence(caught)
    return say(sentence, values, language)
  }
}
