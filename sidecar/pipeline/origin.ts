// Host and Origin rules against DNS rebinding (2025-11-25 and 2026-07-28: transports, security). Pure.
// Absent Origin passes; a present one must be known; a header that comes twice is refused.

import { hostOf, originOf } from '../../shared/origin.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { Stage } from './stage.ts'

export interface OriginRules {
  /** Lower-case host names, without port. */
  readonly hosts: ReadonlySet<string>
  /** Any Host passes (never any Origin). */
  readonly anyHost: boolean
  /** Serialized origins, e.g. `https://inspector.example`. */
  readonly origins: ReadonlySet<string>
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']
const MAX_LENGTH = 512

/** Who is known, by the configuration: loopback, the address that is listened on, what is listed, the public URL. */
export const originRules = ({
  host,
  allowedHosts,
  allowedOrigins,
  settings: { 'public-url': publicUrl },
}: Pick<SidecarConfig, 'host' | 'allowedHosts' | 'allowedOrigins'> & {
  readonly settings: Pick<SidecarConfig['settings'], 'public-url'>
}): OriginRules => ({
  hosts: new Set([
    ...LOOPBACK,
    ...[host, ...allowedHosts].flatMap((name) => hostOf(name) ?? []),
    ...(publicUrl === undefined ? [] : [new URL(publicUrl).hostname]),
  ]),
  anyHost: allowedHosts.includes('*'),
  origins: new Set(allowedOrigins.flatMap((origin) => originOf(origin) ?? [])),
})

const hostName = (host: string): string => host.toLowerCase().replace(/:\d{1,5}$/, '')

const isOneOf = (rawHeaders: readonly string[], name: string): boolean => {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const raw = rawHeaders[index]
    if (raw?.length === name.length && raw.toLowerCase() === name) count++
  }
  return count <= 1
}

/** Whether an Origin is one that browsers, and programs that are built like them, may call us from. */
export const isAllowedOrigin = (rules: OriginRules, origin: string): boolean => {
  if (origin.length > MAX_LENGTH) return false
  const serialized = originOf(origin)
  if (serialized === undefined || serialized !== origin.toLowerCase()) return false
  return (
    rules.origins.has(serialized) ||
    (/^https?:/.test(serialized) && rules.hosts.has(new URL(serialized).hostname))
  )
}

/** What is wrong with Host and Origin; undefined where they may pass. */
export const originFault = (
  rules: OriginRules,
  headers: { readonly host?: string | undefined; readonly origin?: string | undefined },
  rawHeaders: readonly string[],
): Fault | undefined => {
  const { host, origin } = headers
  if (!isOneOf(rawHeaders, 'host') || !isOneOf(rawHeaders, 'origin')) {
    return fault('host-refused', 'Host or Origin came more than once')
  }
  if (
    host === undefined ||
    host.length > MAX_LENGTH ||
    !(rules.anyHost || rules.hosts.has(hostName(host)))
  ) {
    return fault(
      'host-refused',
      'this Host is not one that the server is known by: set outrigger.dev/public-url or allowedHosts; outrigger run: --allowed-host',
    )
  }
  return origin === undefined || isAllowedOrigin(rules, origin)
    ? undefined
    : fault(
        'origin-refused',
        'this Origin is not allowed: set outrigger.dev/public-url or allowedOrigins',
      )
}

export const origin =
  (rules: OriginRules): Stage =>
  ({ request }) =>
    originFault(rules, request.headers, request.rawHeaders)
