/** Passkeys of the browser: made, and used to sign in. */
import { api } from '../api/client'
import type { Me } from '../api/session'

/** null: possible here. */
export function passkeysWhyNot(): 'passkeyBrowser' | 'passkeyHost' | null {
  if (typeof PublicKeyCredential === 'undefined' || !('parseCreationOptionsFromJSON' in PublicKeyCredential))
    return 'passkeyBrowser'
  return /^[\d.]+$|^\[/.test(location.hostname) ? 'passkeyHost' : null
}

/** `password`: needed once signing in was a while ago. */
export async function makePasskey(label: string, password: string): Promise<void> {
  const proof = password ? { password } : undefined
  const options = await api.post<PublicKeyCredentialCreationOptionsJSON>('/me/passkeys/begin', proof)
  const made = await navigator.credentials.create({
    publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
  })
  await api.post('/me/passkeys', { credential: (made as PublicKeyCredential).toJSON(), label })
}

export async function signInWithPasskey(): Promise<Me> {
  const options = await api.post<PublicKeyCredentialRequestOptionsJSON>('/session/passkey/begin')
  const found = await navigator.credentials.get({
    publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
  })
  return api.post<Me>('/session/passkey', { credential: (found as PublicKeyCredential).toJSON() })
}
