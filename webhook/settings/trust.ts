// Whose tokens a pod's server accepts, and for which audiences: what its settings choose of the floor's lists. They can
// narrow, and never bring an issuer, an audience or another server's URL. Pure.

import type { Settings } from '../../shared/settings.ts'
import type { IssuerEntry } from '../../shared/issuers.ts'
import { covers, trustDomainOfPattern } from '../../shared/spiffe.ts'
import type { TrustDomainEntry } from '../../shared/trust-domains.ts'
import type { Floor } from './floor.ts'
import { urlSpellings } from './public-urls.ts'

export type Listed = Pick<Floor, 'issuers' | 'publicUrls' | 'trustDomains'>

/** Whether tokens could name a server as their audience: by its own URL, or by one that is chosen. */
const couldBeNamed = (settings: Settings): boolean =>
  settings['public-url'] !== undefined || settings['oidc-audience'] !== undefined

/**
 * The listed issuers that are chosen, in the order in which they are named. Without a word, all; and where workloads are
 * chosen, those whose tokens could name the server.
 */
export const listedIssuers = (settings: Settings, { issuers }: Listed): readonly IssuerEntry[] => {
  const named = settings['oidc-issuers']
  if (named !== undefined) {
    return named.flatMap((url) => issuers.filter((issuer) => issuer.url === url))
  }
  return settings['spiffe-ids'] === undefined || couldBeNamed(settings) ? issuers : []
}

/** The audiences that may stand in an issuer's tokens for this server: the listed ones, and its own URL. */
export const allowedAudiences = (
  settings: Settings,
  { audiences }: { readonly audiences?: readonly string[] | undefined },
): ReadonlySet<string> => {
  const own = settings['public-url']
  return new Set([...(audiences ?? []), ...(own === undefined ? [] : urlSpellings(own))])
}

/** Opaque tokens name no issuer: of those that are named, the first that can be asked is asked, and the others are believed by their keys. */
const askingFirst = (
  settings: Settings,
  issuers: readonly IssuerEntry[],
): readonly IssuerEntry[] => {
  if (settings['oidc-issuers'] === undefined) return issuers
  const first = issuers.find(({ introspectionUrl }) => introspectionUrl !== undefined)
  return issuers.map((issuer) => {
    const { introspectionUrl: _url, ...keys } = issuer
    return issuer === first ? issuer : keys
  })
}

/** The chosen issuers with the chosen audiences; without a word on these, a token must name the server's own URL. */
export const trustedIssuers = (settings: Settings, floor: Listed): readonly IssuerEntry[] =>
  askingFirst(settings, trustedWith(settings, floor))

const trustedWith = (settings: Settings, floor: Listed): readonly IssuerEntry[] => {
  const named = settings['oidc-audience']
  return listedIssuers(settings, floor).flatMap((issuer) => {
    const { audiences: _listed, introspectionUrl, tokenExchange, dpop, ...keys } = issuer
    const rest = {
      ...keys,
      // Proofs name the server's own URL. Where they are required, a pod without one is denied.
      ...(dpop === undefined || settings['public-url'] === undefined ? {} : { dpop }),
      // Without credentials nothing could be asked.
      ...(introspectionUrl === undefined || settings['introspection-secret'] === undefined
        ? {}
        : { introspectionUrl }),
      // Nobody has asked for it.
      ...(tokenExchange === undefined || settings['token-exchange'] === undefined
        ? {}
        : { tokenExchange }),
    }
    if (named === undefined) return [rest]
    const allowed = allowedAudiences(settings, issuer)
    const audiences = named.filter((audience) => allowed.has(audience))
    return audiences.length === 0 ? [] : [{ ...rest, audiences }]
  })
}

/** What a pod takes of JWT-SVIDs: none where none could name it as their audience. */
const jwtFor = (settings: Settings, { jwt }: TrustDomainEntry): Pick<TrustDomainEntry, 'jwt'> => {
  if (jwt === undefined || !couldBeNamed(settings)) return {}
  const named = settings['oidc-audience']
  if (named === undefined) return { jwt: {} }
  const allowed = allowedAudiences(settings, jwt)
  const audiences = named.filter((audience) => allowed.has(audience))
  return audiences.length === 0 ? {} : { jwt: { audiences } }
}

/** The trust domains of whose listed workloads some are chosen, each with those alone; without a word, none. */
export const trustedDomains = (
  settings: Settings,
  { trustDomains }: Listed,
): readonly TrustDomainEntry[] =>
  trustDomains.flatMap((domain) => {
    const ids = (settings['spiffe-ids'] ?? []).filter(
      (id) =>
        trustDomainOfPattern(id) === domain.name &&
        domain.ids.some((pattern) => covers(pattern, id)),
    )
    const { jwt: _listed, ...rest } = domain
    return ids.length === 0 ? [] : [{ ...rest, ids, ...jwtFor(settings, domain) }]
  })
