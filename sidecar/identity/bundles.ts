// The bundles of the trust domains that are believed: from the configuration, from a file that is read again and again, or
// from an endpoint that is asked again and again. Each says what holds now.

import { KeptFile, needed } from '../../shared/kept-file.ts'
import type { Log } from '../../shared/log.ts'
import { fail, type Result } from '../../shared/result.ts'
import { readBundle, type SpiffeBundle } from '../../shared/spiffe-bundle.ts'
import { textFile } from '../../shared/text-source.ts'
import { MAX_TRUST_DOMAINS, type TrustDomainSource } from '../../shared/trust-domains.ts'
import { BundleEndpoint } from './bundle-endpoint.ts'
import { BundleSequence } from './bundle-sequence.ts'
import type { FetchJson, FetchRules } from './fetch-json.ts'
import { Places } from './places.ts'
import { Crowd, type WhenGone } from './waiting.ts'

const LOOK_MS = 2000
const MAX_BYTES = 262_144

export interface BundlesOptions {
  readonly fetchJson: FetchJson
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly log: Log
}

/** A trust domain, with what its bundle says now; undefined where none is to be had yet, or any more. */
export interface Followed {
  readonly source: TrustDomainSource
  readonly current: () => SpiffeBundle | undefined
  /** Looks again and again, until `close`; hears of each look that may have changed it. */
  readonly follow: (onLook: () => void) => void
  readonly close: () => void
}

/** Reads one file's bundles, each of which may follow the one before. */
const reader = (): ((text: string) => Result<SpiffeBundle, readonly string[]>) => {
  const sequence = new BundleSequence()
  return (text) => {
    const read = readBundle(text)
    const next = read.ok ? sequence.follow(read.value) : read
    return next.ok ? next : fail([next.error])
  }
}

const fixed = (source: TrustDomainSource, bundle: string): Followed => {
  const read = readBundle(bundle)
  const value = read.ok ? read.value : undefined
  return { source, current: () => value, follow: () => undefined, close: () => undefined }
}

/** Rejects where the file cannot be used. */
const ofFile = async (source: TrustDomainSource, path: string, log: Log): Promise<Followed> => {
  const { name } = source
  const opened = await KeptFile.open<SpiffeBundle>({
    what: `the bundle of the trust domain ${name}`,
    source: textFile(path, MAX_BYTES),
    parse: needed(reader()),
    log,
  })
  if (!opened.ok) throw new Error(`the bundle of ${name}: ${path}: ${opened.error.join('; ')}`)
  const file = opened.value
  return {
    source,
    current: () => file.current(),
    follow: (onLook) =>
      file.follow(LOOK_MS, (outcome) => {
        if (outcome === 'taken') onLook()
      }),
    close: () => file.close(),
  }
}

const stays: WhenGone = () => undefined

/** One document at a time: names are looked up two at once, and issuers' are too. */
const oneByOne = (fetchJson: FetchJson): FetchJson => {
  const places = new Places(1, new Crowd(MAX_TRUST_DOMAINS))
  return async (url, rules) => {
    const fetched = await places.take(stays, () => fetchJson(url, rules))
    return fetched.ok ? fetched.value : fail('others are fetched now')
  }
}

/** Whom to find at an endpoint that shows an SVID. */
const expectedAt = (
  { endpointId: id }: TrustDomainSource,
  standing: SpiffeBundle | undefined,
): Pick<FetchRules, 'svid'> =>
  id === undefined ? {} : { svid: { id, authorities: standing?.authorities ?? '' } }

const firstOf = ({ bundle, endpointId }: TrustDomainSource): SpiffeBundle | undefined => {
  const read = endpointId === undefined ? undefined : readBundle(bundle ?? '')
  return read?.ok ? read.value : undefined
}

const ofEndpoint = (
  source: TrustDomainSource,
  url: string,
  { fetchJson, now, log }: BundlesOptions,
): Followed => {
  const { name, hosts = [], ca } = source
  const own = { host: new URL(url).host, reach: 'public' } as const
  const rules = { hosts: [...hosts, own], ca }
  const endpoint = new BundleEndpoint({
    name,
    url,
    first: firstOf(source),
    fetch: (standing) => {
      // It has a time of its own for each document.
      const { signal } = new AbortController()
      return fetchJson(url, { ...rules, ...expectedAt(source, standing), signal })
    },
    now,
    log,
  })
  return {
    source,
    current: () => endpoint.current(),
    follow: (onLook) => void endpoint.follow(onLook),
    close: () => endpoint.close(),
  }
}

const open = async (source: TrustDomainSource, options: BundlesOptions): Promise<Followed> => {
  const { bundle = '', bundleFile, bundleUrl } = source
  if (bundleFile !== undefined) return ofFile(source, bundleFile, options.log)
  return bundleUrl === undefined ? fixed(source, bundle) : ofEndpoint(source, bundleUrl, options)
}

/** What a configuration takes of a trust domain and its bundle has not: then nobody is let in by that. */
const lackOf = ({ jwt }: TrustDomainSource, bundle: SpiffeBundle): string | undefined => {
  if (jwt !== undefined && bundle.jwtKeys.length === 0) {
    return 'it holds no keys of the use jwt-svid: no JWT-SVID is believed'
  }
  return jwt === undefined && bundle.authorities === ''
    ? 'it holds no authorities: no X.509-SVID is believed; its JWT-SVIDs are taken where jwt says so'
    : undefined
}

export class Bundles {
  readonly all: readonly Followed[]
  private readonly log: Log
  private readonly listeners: (() => void)[] = []
  /** Those that were looked at for what they lack. */
  private readonly seen = new WeakSet<SpiffeBundle>()

  private constructor(all: readonly Followed[], log: Log) {
    this.all = all
    this.log = log
    for (const one of all) this.tellLack(one)
  }

  /** Rejects with what keeps one from being used. */
  static async open(
    sources: readonly TrustDomainSource[],
    options: BundlesOptions,
  ): Promise<Bundles> {
    const parts = { ...options, fetchJson: oneByOne(options.fetchJson) }
    return new Bundles(await Promise.all(sources.map((one) => open(one, parts))), options.log)
  }

  /** Calls back after each look that may have changed one. */
  onLook(listener: () => void): void {
    this.listeners.push(listener)
  }

  /** Follows all of them, until `close`. */
  follow(): void {
    for (const one of this.all) {
      one.follow(() => {
        this.tellLack(one)
        for (const listener of this.listeners) listener()
      })
    }
  }

  close(): void {
    for (const { close } of this.all) close()
  }

  /** Of each bundle once. */
  private tellLack({ source, current }: Followed): void {
    const bundle = current()
    if (!bundle || this.seen.has(bundle)) return
    this.seen.add(bundle)
    const why = lackOf(source, bundle)
    if (why === undefined) return
    this.log.warn('the bundle of a trust domain lets in nobody', { trustDomain: source.name, why })
  }
}
