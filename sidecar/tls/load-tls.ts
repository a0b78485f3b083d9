// TLS before MCP, where a certificate is configured: else nothing of it is loaded.

import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import type { Svids } from '../identity/svids.ts'
import type { Tls, TlsParts } from './start-tls.ts'

export type { Tls }

/** Who comes by a certificate; where nothing else lets anybody in, who has none is not let in at all. */
const clientsOf = (svids: Svids): TlsParts['clients'] => ({
  get authorities() {
    return svids.authorities
  },
  isKnown: (socket, by) => svids.admit(socket, by),
  areAlone: svids.areAlone,
  onChange: (listener) => svids.onChange(listener),
})

/** Rejects with everything that is wrong with the certificate. */
export const loadTls = async (
  { tls, issuers, settings }: Pick<SidecarConfig, 'tls' | 'issuers' | 'settings'>,
  parts: Pick<TlsParts, 'log' | 'wallMs' | 'metrics' | 'onFreed' | 'handshakeMs'>,
  svids: Svids | undefined,
): Promise<Tls | undefined> => {
  if (tls === undefined) return undefined
  const { startTls } = await import('./start-tls.ts')
  const asksForCertificate = issuers.some((issuer) => issuer.certificateBound)
  const clients = svids && clientsOf(svids)
  return startTls(tls, { ...parts, asksForCertificate, clients, publicUrl: settings['public-url'] })
}
