// Over TLS MCP is served where a Secret brings a certificate, on every port that is the sidecar's: what that changes for who
// calls already. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import type { Settings } from '../../shared/settings.ts'
import type { Transport } from './transport.ts'

/** Ports at which clients may have called by plain HTTP until now. */
const knownPorts = (transport: Transport): readonly string[] => [
  ...transport.standIns.map(({ port }) => String(port)),
  ...(transport.kind === 'http' ? transport.names.moved : []),
]

/** Of the container that `server` names. */
export const tlsWarnings = (
  server: string,
  transport: Transport,
  settings: Settings,
): readonly string[] => {
  const { 'tls-secret': secret, 'public-url': url } = settings
  if (secret === undefined) return []
  const ports = knownPorts(transport)
  const changed = `container ${server}: MCP is served over TLS, by the certificate of Secret ${secret}, on port ${ports.join(', ')} too: clients that call by http:// are refused there`
  const plain = `container ${server}: public-url says http, and the sidecar speaks TLS (${PREFIX}tls-secret): unless a proxy stands there, write https`
  return [
    ...(ports.length > 0 ? [changed] : []),
    ...(url?.startsWith('http:') === true ? [plain] : []),
  ]
}
