// TLS before MCP, where a certificate is configured: else nothing of it is loaded.

import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import type { Tls, TlsParts } from './start-tls.ts'

export type { Tls }

/** Rejects with everything that is wrong with the certificate. */
export const loadTls = async (
  { tls, issuers, settings }: Pick<SidecarConfig, 'tls' | 'issuers' | 'settings'>,
  parts: Pick<TlsParts, 'log' | 'wallMs' | 'metrics'>,
): Promise<Tls | undefined> => {
  if (tls === undefined) return undefined
  const { startTls } = await import('./start-tls.ts')
  const asksForCertificate = issuers.some((issuer) => issuer.certificateBound)
  return startTls(tls, { ...parts, asksForCertificate, publicUrl: settings['public-url'] })
}
