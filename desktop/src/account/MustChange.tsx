/** A temporary password must give way to one's own before anything else. */
import { useQueryClient } from '@tanstack/react-query'
import { api } from '../api/client'
import { become, ME } from '../api/session'
import { useWords } from '../i18n'
import { shared } from '../i18n/shared'
import sign from '../sign/sign.module.css'
import { Button } from '../ui'
import { NewPassword } from './NewPassword'
import { words } from './words'

export default function MustChange() {
  const t = useWords(words)
  const s = useWords(shared)
  const queries = useQueryClient()
  return (
    <main className={sign.page}>
      <div className={sign.box}>
        <h1 className={sign.title}>{t('mustChange')}</h1>
        <p className={sign.why}>{t('mustChangeWhy')}</p>
        <NewPassword temporary done={() => void queries.invalidateQueries({ queryKey: [...ME], exact: true })} />
        <Button
          variant="subtle"
          color="gray"
          onClick={() => {
            void api.delete('/session').finally(() => become(queries, null))
          }}
        >
          {s('signOut')}
        </Button>
      </div>
    </main>
  )
}
