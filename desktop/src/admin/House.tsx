/** The house itself: its name, zone, country, domain. */
import { useWords } from '../i18n'
import css from './admin.module.css'
import { Form } from './Form'
import { words } from './words'

export function House() {
  const t = useWords(words)
  return (
    <div className={css.scrolled}>
      <article className={css.form}>
        <h1 className={css.formTitle}>{t('tenant')}</h1>
        <Form table="tenant" id="" />
      </article>
    </div>
  )
}
