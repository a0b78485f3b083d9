// Over TLS MCP is served where a Secret brings a certificate, on every port that is the sidecar's: whose it is, and what that
// changes for who calls already. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import type { Settings } from '../../shared/settings.ts'
import { trustedDomains, type Listed } from '../settings/trust.ts'
import { violation, type Violation } from '../settings/violation.ts'
import type { Transport } from './transport.ts'

/** The Secret of the sidecar's certificate: the annotation's, else the server's own that it shows in its place. */
export const tlsSecretOf = (transport: Transport, settings: Settings): string | undefined =>
  settings['tls-secret'] ?? (transport.kind === 'http' ? transport.ownSecret : undefined)

/** Ports at which clients may have called by plain HTTP until now. */
const plainPorts = (transport: Transport): readonly string[] =>
  transport.kind === 'http' && transport.tls.isTls
    ? []
    : [
        ...transport.standIns.map(({ port }) => String(port)),
        ...(transport.kind === 'http' ? transport.names.moved : []),
      ]

/** Of the container that `server` names. */
export const tlsWarnings = (
  server: string,
  transport: Transport,
  settings: Settings,
): readonly string[] => {
  const secret = tlsSecretOf(transport, settings)
  if (secret === undefined) return []
  const url = settings['public-url']
  const ports = plainPorts(transport)
  const found = `container ${server}: the sidecar speaks TLS in its place, by the certificate of Secret ${secret}, which the server mounts; if that is another's, name the right one with ${PREFIX}tls-secret`
  const changed = `container ${server}: MCP is served over TLS, by the certificate of Secret ${secret}, on port ${ports.join(', ')} too: clients that call by http:// are refused there`
  const plain = `container ${server}: public-url says http, and the sidecar speaks TLS (${PREFIX}tls-secret): unless a proxy stands there, write https`
  return [
    ...(settings['tls-secret'] === undefined ? [found] : []),
    ...(ports.length > 0 ? [changed] : []),
    ...(url?.startsWith('http:') === true ? [plain] : []),
  ]
}

/** Certificates are shown where TLS is spoken alone; without it workloads need JWT-SVIDs that are taken. */
export const svidViolations = (
  transport: Transport | undefined,
  settings: Settings,
  floor: Listed,
): readonly Violation[] => {
  if (transport === undefined || tlsSecretOf(transport, settings) !== undefined) return []
  const domain = trustedDomains(settings, floor).find(({ jwt }) => jwt === undefined)
  return domain === undefined
    ? []
    : [
        violation(
          'incomplete',
          `${PREFIX}tls-secret is missing: workloads of ${domain.name} show their X.509-SVIDs (${PREFIX}spiffe-ids) over TLS; name the Secret of this namespace with the sidecar's certificate`,
          'tls-secret',
        ),
      ]
}
