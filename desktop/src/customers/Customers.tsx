/** Customers: find one, see and edit the card. The question and the open card stand in the address. */
import { TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useLocation, useRoute, useSearch } from 'wouter'
import { api } from '../api/client'
import { useWords } from '../i18n'
import { shared } from '../i18n/shared'
import { Button, Empty, Icon, Page, ProblemNote, Waiting } from '../ui'
import { CustomerView, FoundList, NewCustomer } from './CustomerPane'
import css from './customers.module.css'
import type { Found } from './types'
import { words } from './words'

export default function Customers() {
  const t = useWords(words)
  const s = useWords(shared)
  const [, go] = useLocation()
  const search = useSearch()
  const [, parts] = useRoute('/customers/:id')
  const id = parts?.id
  const [text, setText] = useState(() => new URLSearchParams(search).get('q') ?? '')
  const [asked] = useDebouncedValue(text.trim(), 150)
  const [making, setMaking] = useState(false)
  useEffect(() => {
    if (!id) go(`/customers${asked ? `?q=${encodeURIComponent(asked)}` : ''}`, { replace: true })
  }, [asked, id, go])
  const list = useInfiniteQuery({
    queryKey: ['customers', 'page', asked],
    queryFn: ({ pageParam }) =>
      api.get<{ items: Found[]; next: string | null }>('/customers', { q: asked, cursor: pageParam, limit: 50 }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    placeholderData: (before) => before,
    enabled: !id,
  })
  if (id) {
    return (
      <div className={css.one}>
        <button type="button" className={css.textButton} onClick={() => window.history.back()}>
          <Icon name="left" size={16} /> {s('back')}
        </button>
        <CustomerView key={id} id={id} />
      </div>
    )
  }
  const items = list.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Page
      title={t('customers')}
      aside={
        <Button variant="default" leftSection={<Icon name="plus" size={16} />} onClick={() => setMaking((one) => !one)}>
          {t('make')}
        </Button>
      }
    >
      {making && (
        <div className={css.box}>
          <NewCustomer number={null} made={(made) => go(`/customers/${made}`)} />
        </div>
      )}
      <TextInput
        size="md"
        aria-label={t('find')}
        placeholder={t('find')}
        description={t('findWhy')}
        inputWrapperOrder={['input', 'description']}
        leftSection={<Icon name="search" />}
        value={text}
        autoFocus
        onChange={(event) => setText(event.currentTarget.value)}
      />
      {list.isPending && <Waiting />}
      {list.isError && <ProblemNote problem={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess &&
        (items.length ? (
          <div className={css.box}>
            <FoundList items={items} choose={(one) => go(`/customers/${one}`)} />
          </div>
        ) : (
          <Empty title={asked ? t('none') : t('noneYet')} why={asked ? undefined : t('noneYetWhy')} />
        ))}
      {list.hasNextPage && (
        <Button variant="default" mt="md" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          {s('more')}
        </Button>
      )}
    </Page>
  )
}
