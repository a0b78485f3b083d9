// Whom a configuration trusts, made ready to verify with.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../shared/log.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { fetchJson, type IssuerHost } from './fetch-json.ts'
import { IssuerKeys } from './issuer-keys.ts'
import { Resource } from './resource.ts'
import { Verifier, type TrustedIssuer } from './verifier.ts'

export interface Trust {
  readonly resource: Resource
  readonly verifier: Verifier
}

export interface TrustOptions {
  readonly config: SidecarConfig
  readonly log: Log
  readonly now: () => number
  readonly wallMs: () => number
}

type Entry = SidecarConfig['issuers'][number]

/** The hosts that are listed; an issuer's own is always one, a public one unless it is listed otherwise. */
const hostsOf = ({ url, hosts }: Entry): readonly IssuerHost[] => [
  ...hosts,
  { host: new URL(url).host, reach: 'public' },
]

export const createTrust = ({ config, log, now, wallMs }: TrustOptions): Trust => {
  const resource = new Resource(config)
  const entry = (issuer: Entry): readonly [string, TrustedIssuer] => {
    const { url, audiences } = issuer
    const of = { url, hosts: hostsOf(issuer) }
    const keys = new IssuerKeys({ issuer: of, fetchJson, now, sleep, log })
    return [url, { keys, audiences: () => audiences ?? resource.audiences }]
  }
  const verifier = new Verifier({ issuers: new Map(config.issuers.map(entry)), wallMs })
  return { resource, verifier }
}
