// What this server is called as a protected resource (RFC 8707, RFC 9728) and how its callers are told to bring a token
// (RFC 6750, section 3). Pure.

import { MCP_PATH } from '../../shared/names.ts'
import { isLoopback, LOOPBACK_HOSTS } from '../../shared/origin.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { ALGORITHMS } from './algorithms.ts'

export const WELL_KNOWN = '/.well-known/oauth-protected-resource'

export interface Challenge {
  /** Absent where no credentials came (RFC 6750, section 3.1). */
  readonly error?:
    | 'invalid_request'
    | 'invalid_token'
    | 'insufficient_scope'
    | 'invalid_dpop_proof'
    | 'use_dpop_nonce'
  readonly description?: string
}

/** By what a caller knows it. */
export interface Asked {
  readonly host: string | undefined
  /** One of its paths, without a slash behind. */
  readonly path: string
  /** The scheme of the credentials that came; else, or where it is another, Bearer's. */
  readonly scheme?: Scheme
}

export type Scheme = 'Bearer' | 'DPoP'

type Config = Pick<SidecarConfig, 'settings' | 'issuers' | 'host' | 'tls'> & {
  /** Whether workloads bring their JWT-SVIDs. */
  readonly takesJwtSvids?: boolean
}

/** What may stand in such a value (RFC 6750, section 3). */
const quotable = (text: string): string => text.replaceAll(/[^ !#-[\]-~]/g, '?')

/** The signatures of proofs (RFC 9449, section 5.1). */
const PROOF_ALGORITHMS = Object.keys(ALGORITHMS)

/** How tokens may be brought, the usual way first; where each must be bound to a key, by DPoP alone. */
const schemesOf = ({ issuers, takesJwtSvids }: Config): readonly Scheme[] => {
  const takesProofs = issuers.some(({ dpop }) => dpop !== undefined)
  const takesBearers =
    !takesProofs || takesJwtSvids === true || issuers.some(({ dpop }) => dpop !== 'required')
  return [
    ...(takesBearers ? (['Bearer'] as const) : []),
    ...(takesProofs ? (['DPoP'] as const) : []),
  ]
}

/** A Host that can stand in a quoted value and in a URL, whatever else a browser takes for one. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i

const withoutSlash = (text: string): string => text.replace(/\/$/, '')

/** A URL in one spelling (RFC 3986, section 6.2), without what stands behind its path. */
const targetOf = (text: string): string | undefined => {
  const url = URL.parse(text)
  if (!url) return undefined
  url.search = ''
  url.hash = ''
  return withoutSlash(url.href)
}

export class Resource {
  readonly scopes: readonly string[]
  private readonly publicUrl: string | undefined
  private readonly issuers: readonly string[]
  private readonly isLocal: boolean
  private readonly scheme: 'http' | 'https'
  private readonly bindsCertificates: boolean
  private readonly schemes: readonly Scheme[]
  private readonly port: () => number

  /** `port`: what is listened on, once it is. */
  constructor(config: Config, port: () => number) {
    const { settings, issuers, host, tls } = config
    this.publicUrl = settings['public-url']
    this.scopes = settings['required-scopes'] ?? []
    this.issuers = issuers.map(({ url }) => url)
    this.schemes = schemesOf(config)
    this.isLocal = isLoopback(host)
    this.bindsCertificates =
      issuers.some(({ certificateBound }) => certificateBound) && tls !== undefined
    this.scheme = tls === undefined ? 'http' : 'https'
    this.port = port
  }

  /**
   * The audiences that mean it alone: its public URL as it is written and as others write it, or on this machine alone the
   * listener's by each name. Clients write an URL with a slash behind or without.
   */
  get audiences(): readonly string[] {
    const local = this.isLocal ? LOOPBACK_HOSTS.map((name) => this.localUrl(name)) : []
    const own =
      this.publicUrl === undefined ? local : [this.publicUrl, new URL(this.publicUrl).href]
    return [...new Set(own.flatMap((url) => [url, withoutSlash(url), `${withoutSlash(url)}/`]))]
  }

  /**
   * Of which of its paths the metadata stands at a place: at the root, or with the path of a URL of its own inserted.
   * Undefined for another place; no path has a slash behind.
   */
  pathOf(place: string, isEndpoint: (path: string) => boolean): string | undefined {
    if (place !== WELL_KNOWN && !place.startsWith(`${WELL_KNOWN}/`)) return undefined
    const path = place.slice(WELL_KNOWN.length)
    if (isEndpoint(path)) return path
    const isOwn = this.publicUrl && path === withoutSlash(new URL(this.publicUrl).pathname)
    return path === '' || isOwn ? MCP_PATH : undefined
  }

  /** The document of RFC 9728, for who has called it so, as latin1 text. */
  metadata(asked: Asked): string {
    const document = JSON.stringify({
      resource: this.urlFor(asked),
      authorization_servers: this.issuers,
      bearer_methods_supported: ['header'],
      ...(this.bindsCertificates ? { tls_client_certificate_bound_access_tokens: true } : {}),
      ...(this.schemes.includes('DPoP')
        ? { dpop_signing_alg_values_supported: PROOF_ALGORITHMS }
        : {}),
      ...(this.schemes.includes('Bearer') ? {} : { dpop_bound_access_tokens_required: true }),
      ...(this.scopes.length === 0 ? {} : { scopes_supported: this.scopes }),
    })
    return Buffer.from(document).toString('latin1')
  }

  /** The value of WWW-Authenticate: a challenge of each scheme, of which that of the credentials says what is wrong. */
  challenge(asked: Asked, { error, description }: Challenge): string {
    const { origin, pathname, search } = new URL(this.urlFor(asked))
    const places = [
      ...(this.scopes.length === 0 ? [] : [`scope="${this.scopes.join(' ')}"`]),
      `resource_metadata="${origin}${WELL_KNOWN}${withoutSlash(pathname)}${search}"`,
    ]
    const faults = [
      ...(error === undefined ? [] : [`error="${error}"`]),
      ...(description === undefined ? [] : [`error_description="${quotable(description)}"`]),
    ]
    const [first = 'Bearer', second] = this.schemes
    const scheme = asked.scheme === second && second !== undefined ? second : first
    const ordered = [scheme, ...this.schemes.filter((one) => one !== scheme)]
    return ordered
      .map((one) => {
        const algs = one === 'DPoP' ? [`algs="${PROOF_ALGORITHMS.join(' ')}"`] : []
        return `${one} ${[...(one === scheme ? faults : []), ...algs, ...places].join(', ')}`
      })
      .join(', ')
  }

  /** Whether a URL is its own as clients call it, whatever query and fragment stand behind (RFC 9449, section 4.3). */
  isTarget(text: string): boolean {
    const url = targetOf(text)
    const own =
      this.publicUrl === undefined
        ? LOOPBACK_HOSTS.filter(() => this.isLocal).map((name) => this.localUrl(name))
        : [this.publicUrl]
    return url !== undefined && own.some((one) => targetOf(one) === url)
  }

  private localUrl(name: string): string {
    return `${this.scheme}://${name}:${this.port()}${MCP_PATH}`
  }

  /** Its public URL; without, by the name and the path that the caller knows it by, which were judged before. */
  private urlFor({ host, path }: Asked): string {
    if (this.publicUrl !== undefined) return this.publicUrl
    const url = HOST.test(host ?? '') ? URL.parse(`${this.scheme}://${host}${path}`) : null
    return url?.href ?? this.localUrl('127.0.0.1')
  }
}
