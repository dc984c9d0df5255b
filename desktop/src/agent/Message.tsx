/** What a customer has left, to be heard on the page: by its controls, or by its key from wherever the focus is. */
import { useRef } from 'react'
import { keyOf, printed, useAct } from '../app/keys'
import { useWords } from '../i18n'
import type { ContactLive } from '../live/types'
import { Kbd } from '../ui'
import css from './inCall.module.css'
import { acts, words } from './inCallWords'

export default function Message({ contact }: { contact: ContactLive }) {
  const t = useWords(words)
  const sound = useRef<HTMLAudioElement>(null)
  useAct(acts.message, () => {
    const one = sound.current
    if (!one) return
    // Stopped before it began: nothing to tell.
    if (one.paused) one.play().catch(() => {})
    else one.pause()
  })
  return (
    <span className={css.message}>
      {/* biome-ignore lint/a11y/useMediaCaption: what a customer said has no captions */}
      <audio
        ref={sound}
        controls
        controlsList="nodownload noplaybackrate"
        preload="none"
        aria-label={t('message')}
        aria-keyshortcuts={keyOf(acts.message)}
        src={`/api/v1/messages/${encodeURIComponent(contact.id)}/sound`}
      />
      <Kbd>{printed(keyOf(acts.message))}</Kbd>
    </span>
  )
}
