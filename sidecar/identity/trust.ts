// Whom a configuration trusts, made ready to verify with.

import { randomBytes } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { callerVariables, type CallerVariable } from '../../shared/caller-environment.ts'
import type { Log } from '../../shared/log.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { exchangeAsked, type Asked } from '../../shared/token-exchange.ts'
import { apiServerKeys } from './api-server.ts'
import { BundleKeys } from './bundle-keys.ts'
import { Bundles, type Followed } from './bundles.ts'
import { clientAuthorization } from './client-credentials.ts'
import { CallerEnds, type Owned } from './caller-ends.ts'
import { principalBy } from './caller-values.ts'
import { callersOf, type CallerOf, type Found } from './callers.ts'
import type { Binds } from './claims.ts'
import type { Endpoint } from './endpoint.ts'
import { createFetchJson, type FetchJson, type AllowedHost } from './fetch-json.ts'
import { Introspection } from './introspection.ts'
import { IssuerKeys, type IssuerKeysOptions } from './issuer-keys.ts'
import { KeyDocuments } from './key-documents.ts'
import { Names } from './names.ts'
import { Proofs } from './proofs.ts'
import { Resource } from './resource.ts'
import { OpaqueTokens } from './opaque-tokens.ts'
import type { OwnWay } from './own-way.ts'
import type { TrustedDomain, TrustedIssuer } from './signed-tokens.ts'
import { SubjectTokens } from './subject-tokens.ts'
import { Svids } from './svids.ts'
import { Verifier } from './verifier.ts'
import { Crowd, Share } from './waiting.ts'

/** For keys, and for what issuers say of tokens: each issuer has a share. */
const MAX_WAITING = 512

const TELL_MS = 60_000

const newNonce = (): string => randomBytes(16).toString('base64url')

export interface Trust {
  readonly resource: Resource
  readonly callerOf: CallerOf
  /** Absent: certificates are nobody's name. */
  readonly svids?: Svids | undefined
  /** Another replica has verified somebody; absent where no process has anything of its caller. */
  readonly note?: CallerEnds['note']
  /** Ends what is nobody's any more; absent where no process has anything of its caller. */
  readonly sweep?: (nowMs: number, processes: Iterable<Owned>) => void
  /** Where callers' tokens are exchanged; absent: nowhere. */
  readonly exchange?: ExchangePlace | undefined
  /** Callers who are being verified: requests that nobody has counted yet. */
  readonly pending: () => number
  readonly close: () => void
}

/** Where and for what callers' tokens are exchanged (RFC 8693). */
export interface ExchangePlace extends Endpoint {
  readonly issuer: string
  readonly asked: Asked
  /** The tokens that callers have brought. */
  readonly subjects: SubjectTokens
}

export interface TrustOptions {
  readonly config: SidecarConfig
  readonly log: Log
  readonly now: () => number
  readonly wallMs: () => number
  /** To hosts of the internet; absent: as the system goes. */
  readonly way?: OwnWay | undefined
}

type Entry = SidecarConfig['issuers'][number]
type Variables = readonly CallerVariable[] | undefined

/** The hosts that are listed; an issuer's own is always one, a public one unless it is listed otherwise. */
const hostsOf = ({ url, hosts }: Entry): readonly AllowedHost[] => [
  ...hosts,
  { host: new URL(url).host, reach: 'public' },
]

/** As tokens of the cluster's own issuer name ServiceAccounts. */
const subjectsOf = ({ serviceAccounts }: Entry): ReadonlySet<string> | undefined =>
  serviceAccounts &&
  new Set(serviceAccounts.map((one) => `system:serviceaccount:${one.replace('/', ':')}`))

const addressesOf = async (name: string): Promise<readonly string[]> =>
  (await lookup(name, { all: true })).map(({ address }) => address)

/** An issuer's hosts, and that of another of its endpoints, a public one unless it is listed otherwise. */
const hostsWith = (entry: Entry, url: string): readonly AllowedHost[] => [
  ...hostsOf(entry),
  { host: new URL(url).host, reach: 'public' },
]

/** What an issuer's tokens may be bound to: what a client shows is seen only where TLS ends here. */
const bindsOf = ({ certificateBound, dpop }: Entry, { tls }: SidecarConfig): Binds => ({
  bindsCertificates: certificateBound === true && tls !== undefined,
  dpop,
})

/** Where the keys of an issuer come from. */
const keySource = (
  entry: Entry,
  { config: { apiServer }, now }: TrustOptions,
  fetchJson: FetchJson,
): IssuerKeysOptions['fetch'] => {
  const { url: issuer, serviceAccounts, ca } = entry
  if (serviceAccounts && apiServer) {
    return () => apiServerKeys({ issuer, ...apiServer, fetchJson })
  }
  const documents = new KeyDocuments({
    issuer: { url: issuer, hosts: hostsOf(entry), ca },
    fetchJson,
    now,
  })
  return () => documents.fetch()
}

/** Whoever bears such a token could make it be told, so it is told rarely. */
const tellLackOfGroups = ({ now, log }: TrustOptions): ((issuer: string) => void) => {
  let toldMs = -Infinity
  return (issuer) => {
    if (now() - toldMs < TELL_MS) return
    toldMs = now()
    log.warn(
      'a caller is taken for one without groups: its token has too many to list (_claim_names); have the issuer list only those of this application, or decide by roles',
      { issuer },
    )
  }
}

interface Shared {
  readonly variables: Variables
  readonly fetchJson: FetchJson
  readonly crowd: Crowd
  readonly resource: Resource
}

/** What processes have of their callers; throws where that can't be. */
const variablesOf = ({ settings }: SidecarConfig): Variables => {
  const items = settings['caller-environment']
  const read = items && callerVariables(items)
  if (read?.ok === false) throw new Error(`settings: caller-environment: ${read.error}`)
  return read?.value
}

/** Tokens that only their issuer can read: of one issuer at most, which the configuration has seen to. */
const opaqueTokens = (
  { config, log, now, wallMs }: TrustOptions,
  { variables, fetchJson, crowd, resource }: Shared,
): OpaqueTokens | undefined => {
  const { introspectionDir } = config
  const entry = config.issuers.find(({ introspectionUrl }) => introspectionUrl !== undefined)
  if (introspectionDir === undefined || entry?.introspectionUrl === undefined) return undefined
  const { url: issuer, introspectionUrl: url, audiences, groupsClaim, ca, verifiedClaims } = entry
  const introspection = new Introspection({
    issuer,
    url,
    hosts: hostsWith(entry, url),
    ca,
    fetchJson,
    authorization: () => clientAuthorization(introspectionDir),
    now,
    log,
    crowd: new Share(crowd),
    crowdOfKnown: new Crowd(MAX_WAITING),
  })
  return new OpaqueTokens({
    issuer,
    audiences: () => audiences ?? resource.audiences,
    groupsClaim,
    principalOf: principalBy(variables, verifiedClaims),
    ...bindsOf(entry, config),
    introspection,
    now,
    wallMs,
  })
}

/** Where tokens are exchanged, and for what: at one issuer at most, which the configuration has seen to. */
const exchangePlace = (
  { issuers, settings, tokenExchangeDir }: SidecarConfig,
  fetchJson: FetchJson,
): ExchangePlace | undefined => {
  const entry = issuers.find(({ tokenExchange }) => tokenExchange !== undefined)
  const asked = exchangeAsked(settings['token-exchange'] ?? [])
  if (tokenExchangeDir === undefined || entry?.tokenExchange === undefined || !asked.ok)
    return undefined
  const { url } = entry.tokenExchange
  return {
    issuer: entry.url,
    url,
    hosts: hostsWith(entry, url),
    ca: entry.ca,
    asked: asked.value,
    fetchJson,
    authorization: () => clientAuthorization(tokenExchangeDir),
    subjects: new SubjectTokens(),
  }
}

/** Where JWT-SVIDs of a trust domain are taken. */
const jwtOf = (
  { source: { name, ids, jwt }, current }: Followed,
  resource: Resource,
  variables: Variables,
): readonly (readonly [string, TrustedDomain])[] => {
  if (jwt === undefined) return []
  const { audiences } = jwt
  const keys = new BundleKeys(current)
  const trusted = { name, ids, keys, principalOf: principalBy(variables) }
  return [[name, { ...trusted, audiences: () => audiences ?? resource.audiences }]]
}

/** Certificates are shown over TLS alone. */
const svidsOf = (
  { config, now, wallMs }: TrustOptions,
  bundles: Bundles,
  takesJwtSvids: boolean,
): Svids | undefined => {
  const areAlone = config.issuers.length === 0 && !takesJwtSvids
  return bundles.all.length === 0 || config.tls === undefined
    ? undefined
    : new Svids({ now, wallMs, bundles, areAlone })
}

/** Notes until when each may call, and by which token. */
const noting =
  (callerOf: CallerOf, ends: CallerEnds, subjects: SubjectTokens | undefined): CallerOf =>
  (arrival, askedBy) => {
    const note = (found: Found): Found => {
      if (!found.ok) return found
      const { principal, untilMs } = found.value
      ends.note(principal, untilMs)
      subjects?.note(arrival.request, principal, untilMs)
      return found
    }
    const found = callerOf(arrival, askedBy)
    return found instanceof Promise ? found.then(note) : note(found)
  }

/** What callers' own variables and tokens need of verification. */
const withEnds = (
  callerOf: CallerOf,
  isNeeded: boolean,
  subjects: SubjectTokens | undefined,
): Pick<Trust, 'callerOf' | 'note' | 'sweep'> => {
  if (!isNeeded) return { callerOf }
  const ends = new CallerEnds(subjects !== undefined)
  return {
    callerOf: noting(callerOf, ends, subjects),
    note: (principal, untilMs) => ends.note(principal, untilMs),
    sweep: (nowMs, processes) => ends.sweep(nowMs, processes),
  }
}

/** Rejects with what keeps trust domains from being used. `port`: what is listened on, once it is. */
export const createTrust = async (options: TrustOptions, port: () => number): Promise<Trust> => {
  const { config, log, now, wallMs } = options
  const { trustDomains: domains } = config
  const variables = variablesOf(config)
  const needsClaims = variables !== undefined || config.tokenExchangeDir !== undefined
  const takesJwtSvids = domains.some(({ jwt }) => jwt !== undefined)
  const resource = new Resource({ ...config, takesJwtSvids }, port)
  const fetchJson = createFetchJson(new Names(addressesOf), options.way)
  const bundles = await Bundles.open(domains, { fetchJson, now, log })
  const crowd = new Crowd(MAX_WAITING)
  const trusted = (entry: Entry): readonly [string, TrustedIssuer] => {
    const { url, audiences, groupsClaim, verifiedClaims } = entry
    const keys = new IssuerKeys({
      issuer: url,
      fetch: keySource(entry, options, fetchJson),
      now,
      // Nothing is kept running by it.
      sleep: (ms) => sleep(ms, undefined, { ref: false }),
      log,
      crowd: new Share(crowd),
    })
    const asked = {
      audiences: () => audiences ?? resource.audiences,
      groupsClaim,
      subjects: subjectsOf(entry),
      principalOf: principalBy(variables, verifiedClaims),
    }
    return [url, { keys, ...asked, ...bindsOf(entry, config) }]
  }
  const verifier = new Verifier({
    onLackOfGroups: tellLackOfGroups(options),
    issuers: new Map(config.issuers.map(trusted)),
    trustDomains: takesJwtSvids
      ? new Map(bundles.all.flatMap((one) => jwtOf(one, resource, variables)))
      : undefined,
    opaque: opaqueTokens(options, { variables, fetchJson, crowd, resource }),
    now,
    wallMs,
  })
  const proofs = config.issuers.some(({ dpop }) => dpop !== undefined)
    ? new Proofs({ isTarget: (url) => resource.isTarget(url), now, wallMs, newNonce })
    : undefined
  const svids = svidsOf(options, bundles, takesJwtSvids)
  bundles.follow()
  const exchange = exchangePlace(config, fetchJson)
  return {
    resource,
    ...withEnds(
      callersOf({ resource, verifier, proofs, svids, needsClaims }),
      needsClaims,
      exchange?.subjects,
    ),
    exchange,
    svids,
    pending: () => verifier.pending + (proofs?.pending ?? 0),
    close: () => bundles.close(),
  }
}
