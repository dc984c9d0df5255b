import '@mantine/core/styles.layer.css'
import './theme/base.css'
import { setNonce } from 'get-nonce'
import { createRoot } from 'react-dom/client'
import { App } from './app/App'

// For the style that keeps the page still behind a dialog.
setNonce(document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '')

createRoot(document.getElementById('root')!).render(<App />)
