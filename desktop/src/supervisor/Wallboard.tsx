/** The wallboard: tiles to 12 queues, a table above that, lines on a telephone. The order is the user's. */
import { Button, Select, TextInput } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useCallback, useMemo, useRef, useState } from 'react'
import { Link, useLocation, useSearch } from 'wouter'
import { useCentre } from '../api/session'
import { useWords } from '../i18n'
import { live } from '../live/store'
import { Empty, Icon } from '../ui'
import css from './board.module.css'
import { moved, ordered, sameList, storedOrder, storeOrder, useGathered } from './figures'
import { MessageButton, useNames, useWatch } from './parts'
import { Row, Strip, Tile } from './Tile'
import { words } from './words'

const TILES = 12
const ROW = 40
/** Longer ones become virtual. */
const PLAIN = 60

/** Queues that one may see, in the user's order, narrowed by what stands in the address. */
export function useBoard() {
  const names = useNames()
  const query = new URLSearchParams(useSearch())
  const client = query.get('client') ?? ''
  const text = (query.get('q') ?? '').toLocaleLowerCase()
  const [order, setOrder] = useState(storedOrder)
  const gather = useCallback(() => [...live.idsOf('queue')], [])
  const ids = useGathered(['queue'], gather, sameList)
  const name = names.queue
  const all = useMemo(() => ordered(ids, order, name), [ids, order, name])
  const shown = useMemo(
    () =>
      all.filter(
        (id) =>
          (!client || live.get('queue', id)?.client === client) &&
          (!text || name(id).toLocaleLowerCase().includes(text)),
      ),
    [all, client, text, name],
  )
  const place = (id: string, by: number) => {
    const next = moved(all, id, by)
    setOrder(next)
    storeOrder(next)
  }
  const before = (id: string, other: string) => place(id, all.indexOf(other) - all.indexOf(id))
  return { all, shown, names, client, text, place, before }
}

export default function Wallboard() {
  useWatch()
  const t = useWords(words)
  const { data } = useCentre()
  const { all, shown, names, client, text, place, before } = useBoard()
  const [, go] = useLocation()
  const search = useSearch()
  const phone = useMediaQuery('(max-width: 700px)', false, { getInitialValueInEffect: false })
  const [arranging, setArranging] = useState(false)
  const dragged = useRef<string | null>(null)

  const filter = (key: string, value: string) => {
    const query = new URLSearchParams(search)
    if (value) query.set(key, value)
    else query.delete(key)
    go(`/wallboard${query.size ? `?${query}` : ''}`, { replace: true })
  }

  const clients = data?.clients ?? []
  return (
    <div className={css.page}>
      <div className={css.head}>
        <h1>{t('wallboard')}</h1>
        {all.length > TILES && (
          <TextInput
            aria-label={t('findQueue')}
            placeholder={t('findQueue')}
            defaultValue={text}
            onChange={(event) => filter('q', event.currentTarget.value)}
            w={160}
          />
        )}
        {clients.length > 1 && (
          <Select
            aria-label={t('filter')}
            data={[
              { value: '', label: t('allQueues') },
              ...clients.map((one) => ({ value: one.id, label: one.name || one.id })),
            ]}
            value={client}
            onChange={(value) => filter('client', value ?? '')}
            allowDeselect={false}
            w={180}
          />
        )}
        {!phone && shown.length > 1 && (
          <Button variant={arranging ? 'filled' : 'default'} onClick={() => setArranging(!arranging)}>
            {arranging ? t('arranged') : t('arrange')}
          </Button>
        )}
        <MessageButton />
        {!phone && (
          <Button
            component={Link}
            href={`/wall${search ? `?${search}` : ''}`}
            leftSection={<Icon name="full" size={16} />}
          >
            {t('toWall')}
          </Button>
        )}
      </div>
      {!all.length ? (
        <Empty title={t('noQueues')} why={t('noQueuesWhy')} />
      ) : !shown.length ? (
        <Empty title={t('hiddenAll')}>
          <Button variant="default" onClick={() => go('/wallboard', { replace: true })}>
            {t('showAll')}
          </Button>
        </Empty>
      ) : phone ? (
        <ul className={css.strips}>
          {shown.map((id) => (
            <Strip key={id} id={id} />
          ))}
        </ul>
      ) : arranging ? (
        <div className={css.scroll}>
          <p className="dim">{t('drag')}</p>
          <ol className={css.arrange}>
            {shown.map((id, index) => (
              <li
                key={id}
                draggable
                onDragStart={(event) => {
                  dragged.current = id
                  event.dataTransfer.effectAllowed = 'move'
                }}
                onDragOver={(event) => event.preventDefault()}
                onDrop={(event) => {
                  event.preventDefault()
                  if (dragged.current && dragged.current !== id) before(dragged.current, id)
                  dragged.current = null
                }}
              >
                <Icon name="drag" />
                <span>{names.queue(id)}</span>
                <Button
                  variant="default"
                  size="compact-md"
                  disabled={!index}
                  aria-label={t('earlier', { name: names.queue(id) })}
                  onClick={() => before(id, shown[index - 1]!)}
                >
                  <Icon name="left" />
                </Button>
                <Button
                  variant="default"
                  size="compact-md"
                  disabled={index === shown.length - 1}
                  aria-label={t('later', { name: names.queue(id) })}
                  onClick={() => place(id, all.indexOf(shown[index + 1]!) - all.indexOf(id))}
                >
                  <Icon name="right" />
                </Button>
              </li>
            ))}
          </ol>
        </div>
      ) : shown.length <= TILES ? (
        <div className={css.scroll}>
          <div className={css.tiles}>
            {shown.map((id) => (
              <Tile key={id} id={id} />
            ))}
          </div>
        </div>
      ) : (
        <Board ids={shown} />
      )}
    </div>
  )
}

function Board({ ids }: { ids: string[] }) {
  const t = useWords(words)
  const scroller = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({
    count: ids.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: ids.length <= PLAIN ? ids.length : 8,
    getItemKey: (index) => ids[index]!,
  })
  return (
    <div ref={scroller} className={css.tableScroll} role="region" aria-label={t('wallboard')}>
      <table className={css.table} aria-rowcount={ids.length + 1}>
        <thead>
          <tr>
            <th>{t('queue')}</th>
            <th>{t('waiting')}</th>
            <th>{t('longest')}</th>
            <th>{t('service')}</th>
            <th>{t('serviceToday')}</th>
            <th>{t('lost')}</th>
            <th title={t('nextLong')}>{t('next')}</th>
            <th>
              {t('free')} · {t('talking')} · {t('wrapping')} · {t('away')}
            </th>
          </tr>
        </thead>
        <tbody style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map((one) => (
            <Row key={one.key} id={ids[one.index]!} top={one.start} />
          ))}
        </tbody>
      </table>
    </div>
  )
}
