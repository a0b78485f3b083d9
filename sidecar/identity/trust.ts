// Whom a configuration trusts, made ready to verify with.

import { lookup } from 'node:dns/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../shared/log.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { createFetchJson, type IssuerHost } from './fetch-json.ts'
import { IssuerKeys } from './issuer-keys.ts'
import { KeyDocuments } from './key-documents.ts'
import { Names } from './names.ts'
import { Resource } from './resource.ts'
import { Verifier, type TrustedIssuer } from './verifier.ts'
import { Crowd } from './waiting.ts'

/** For keys. */
const MAX_WAITING = 512

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

const addressesOf = async (name: string): Promise<readonly string[]> =>
  (await lookup(name, { all: true })).map(({ address }) => address)

/** `port`: what is listened on, once it is. */
export const createTrust = (
  { config, log, now, wallMs }: TrustOptions,
  port: () => number,
): Trust => {
  const resource = new Resource(config, port)
  const fetchJson = createFetchJson(new Names(addressesOf))
  const crowd = new Crowd(MAX_WAITING)
  const trusted = (entry: Entry): readonly [string, TrustedIssuer] => {
    const { url, audiences, groupsClaim } = entry
    const documents = new KeyDocuments({ issuer: { url, hosts: hostsOf(entry) }, fetchJson, now })
    const keys = new IssuerKeys({
      issuer: url,
      fetch: () => documents.fetch(),
      now,
      // Nothing is kept running by it.
      sleep: (ms) => sleep(ms, undefined, { ref: false }),
      log,
      crowd,
    })
    return [url, { keys, audiences: () => audiences ?? resource.audiences, groupsClaim }]
  }
  const verifier = new Verifier({ issuers: new Map(config.issuers.map(trusted)), now, wallMs })
  return { resource, verifier }
}
