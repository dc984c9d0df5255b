/** Ready, pressed before the bar is there: kept, said on the page, and done as soon as the bar has come. */
import { useState } from 'react'
import { useAct } from '../app/keys'
import { sentences, useWords } from '../i18n'
import { acts } from './acts'

const words = sentences({
  soon: ['Ready in a moment…', 'Gotowość za chwilę…', 'Готовность через мгновение…'],
})

let asked = false

/** Stands wherever the agent's bar is still being loaded. */
export function Early() {
  const t = useWords(words)
  const [told, setTold] = useState(asked)
  useAct(acts.state, () => {
    asked = true
    setTold(true)
  })
  return told ? <span role="status">{t('soon')}</span> : null
}

/** Whether Ready was pressed meanwhile; told once. Whoever signs out takes their press along. */
export function pressedEarly(): boolean {
  const was = asked
  asked = false
  return was
}
