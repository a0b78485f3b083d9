// TLS before MCP, where a certificate is configured: else nothing of it is loaded.

import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import type { Tls, TlsParts } from './start-tls.ts'

export type { Tls }

/** Rejects with everything that is wrong with the certificate. */
export const loadTls = async (
  files: SidecarConfig['tls'],
  parts: TlsParts,
): Promise<Tls | undefined> => {
  if (files === undefined) return undefined
  const { startTls } = await import('./start-tls.ts')
  return startTls(files, parts)
}
