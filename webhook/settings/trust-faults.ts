// What is wrong with whom a pod is to trust: what it names and the cluster configuration does not list, with what there
// is to choose from, and what nobody could ever be let in by. Pure.

import { PREFIX, type Key } from '../../shared/annotations.ts'
import { NO_ISSUERS } from '../../shared/identity.ts'
import { MAX_AUDIENCES, type IssuerEntry } from '../../shared/issuers.ts'
import { nearest } from '../../shared/nearest.ts'
import type { Settings } from '../../shared/settings.ts'
import { fixedBy, type Placed } from './placed.ts'
import { mayClaim, publicUrlsFor, type Claimant } from './public-urls.ts'
import {
  allowedAudiences,
  listedIssuers,
  trustedDomains,
  trustedIssuers,
  type Listed,
} from './trust.ts'
import { violation, type Violation } from './violation.ts'

// Of what somebody wrote, a message shows a little, and a few of many.
const MAX_SHOWN = 120
const MAX_TOLD = 3

const shown = (text: string): string =>
  `\`${text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text}\``

const some = (texts: readonly string[]): string => {
  const more = texts.length - MAX_TOLD
  const told = texts.slice(0, MAX_TOLD).map(shown).join(', ')
  return more > 0 ? `${told} and ${more} more` : told
}

const listing = (listed: readonly string[]): string =>
  listed.length === 0 ? 'it lists none.' : `it lists ${some(listed)}.`

// A comparison takes the product of two lengths.
const MAX_COMPARED = 32

/** What there is to choose from: the near one, else the first few. */
const choice = (word: string, listed: readonly string[]): string => {
  const compared = listed.filter(({ length }) => length <= MAX_SHOWN).slice(0, MAX_COMPARED)
  const match = nearest(word, compared)
  return match === undefined ? listing(listed) : `did you mean ${shown(match)}?`
}

interface Unlisted {
  readonly key: Key
  readonly items: readonly string[]
  readonly listed: readonly string[]
  /** What the list is of: `for namespace team-a`. */
  readonly whose?: string
  readonly ask: string
}

const unlisted = (
  { key, items, listed, whose = '', ask }: Unlisted,
  placed: ReadonlyMap<Key, Placed>,
): readonly Violation[] => {
  const [first] = items
  if (first === undefined) return []
  const name = `${placed.get(key)?.where ?? ''}: ${PREFIX}${key}: ${some(items)}`
  const verb = items.length === 1 ? 'is' : 'are'
  const message = `${name} ${verb} not listed in the cluster configuration${whose}; ${choice(first, listed)} Choose one that is, or ask the platform team for ${ask}`
  return [violation('not-listed', message, key)]
}

/** Issuers that are named in vain, since none of the audiences that are demanded may stand in their tokens. */
const issuersInVain = (
  settings: Settings,
  floor: Listed,
  placed: ReadonlyMap<Key, Placed>,
): readonly Violation[] => {
  const trusted = new Set(trustedIssuers(settings, floor).map(({ url }) => url))
  const vain = listedIssuers(settings, floor).filter(({ url }) => !trusted.has(url))
  const [first] = vain
  if (settings['oidc-issuers'] === undefined || !first) return []
  const where = `${placed.get('oidc-issuers')?.where ?? ''}: ${PREFIX}oidc-issuers`
  const message = `${where}: ${some(vain.map(({ url }) => url))} may name none of the audiences in ${PREFIX}oidc-audience; for the first ${listing(first.audiences ?? [])} Take it out, or choose one of its audiences`
  return [violation('not-listed', message, 'oidc-issuers')]
}

/** Credentials to ask about opaque tokens with, and not one issuer to ask. */
const introspectionViolations = (
  settings: Settings,
  placed: ReadonlyMap<Key, Placed>,
  trusted: readonly IssuerEntry[],
): readonly Violation[] => {
  const key = 'introspection-secret'
  if (settings[key] === undefined) return []
  const asked = trusted.flatMap(({ url, introspectionUrl }) => (introspectionUrl ? [url] : []))
  if (asked.length === 1) return []
  const where = `${placed.get(key)?.where ?? ''}: ${PREFIX}${key}`
  const message =
    asked.length === 0
      ? `${where}: none of the chosen issuers is listed with an introspectionUrl: ask the platform team for that in floor.issuers, or leave ${PREFIX}${key} out`
      : `${where}: tokens that are no JWTs name no issuer, and ${some(asked)} could each be asked about one; name in ${PREFIX}oidc-issuers those that you want, first the one to ask`
  return [violation('not-listed', message, key)]
}

/** What the floor lists of the JWT-SVIDs of chosen trust domains. */
const jwtOf = (
  settings: Settings,
  floor: Listed,
): readonly { readonly name: string; readonly audiences?: readonly string[] | undefined }[] => {
  const names = new Set(trustedDomains(settings, floor).map(({ name }) => name))
  return floor.trustDomains.flatMap(({ name, jwt }) =>
    jwt !== undefined && names.has(name) ? [{ name, ...jwt }] : [],
  )
}

/** Issuers and audiences that are chosen and not listed. */
export const choiceViolations = (
  settings: Settings,
  placed: ReadonlyMap<Key, Placed>,
  floor: Listed,
): readonly Violation[] => {
  if (settings.auth === 'none') return []
  const issuers = floor.issuers.map(({ url }) => url)
  const strangers = (settings['oidc-issuers'] ?? []).filter(
    (url) => url !== NO_ISSUERS && !issuers.includes(url),
  )
  const known = [...listedIssuers(settings, floor), ...jwtOf(settings, floor)]
  // Where none of those that are named is known, the audiences are told of by all that are listed.
  const chosen = known.length === 0 ? floor.issuers : known
  const allowed = new Set(chosen.flatMap((one) => [...allowedAudiences(settings, one)]))
  const audiences = settings['oidc-audience'] ?? []
  const listed = chosen.flatMap((one) => one.audiences ?? [])
  const foreign = chosen.length === 0 ? [] : audiences.filter((one) => !allowed.has(one))
  const workloads = new Set(trustedDomains(settings, floor).flatMap(({ ids }) => ids))
  const rows: readonly Unlisted[] = [
    {
      key: 'spiffe-ids',
      items: (settings['spiffe-ids'] ?? []).filter((id) => !workloads.has(id)),
      listed: floor.trustDomains.flatMap(({ ids }) => ids),
      ask: 'floor.trustDomains',
    },
    { key: 'oidc-issuers', items: strangers, listed: issuers, ask: 'floor.issuers' },
    {
      key: 'oidc-audience',
      items: foreign,
      listed,
      whose: ' for the issuers that are chosen',
      ask: 'audiences of floor.issuers',
    },
  ]
  const found = rows.flatMap((row) => unlisted(row, placed))
  if (found.length > 0) return found
  return audiences.length > MAX_AUDIENCES
    ? [violation('bad-value', `${PREFIX}oidc-audience: at most ${MAX_AUDIENCES}`, 'oidc-audience')]
    : [
        ...issuersInVain(settings, floor, placed),
        ...introspectionViolations(settings, placed, trustedIssuers(settings, floor)),
      ]
}

const needsNoUrl = (settings: Settings, floor: Listed): boolean =>
  floor.issuers.length === 0 ||
  settings['oidc-issuers']?.[0] === NO_ISSUERS ||
  (settings['oidc-issuers'] === undefined && listedIssuers(settings, floor).length === 0)

/** Why nobody could ever be let in, by whom the cluster configuration lists. */
const nobodyViolations = (
  settings: Settings,
  placed: ReadonlyMap<Key, Placed>,
  floor: Listed,
): readonly Violation[] => {
  if (trustedDomains(settings, floor).length > 0) return []
  if (floor.issuers.length === 0) {
    const fixed = fixedBy(placed.get('auth'))
    const otherwise = fixed
      ? ` (${fixed.where} fixes oidc)`
      : `, or set ${PREFIX}auth: none (anybody may call) where floor.allowAnonymous is on`
    const message = `${PREFIX}auth: oidc: the cluster configuration lists no issuer, so nobody can be verified: ask the platform team for floor.issuers${otherwise}`
    return [violation('not-listed', message, 'auth')]
  }
  if (settings['oidc-issuers']?.[0] !== NO_ISSUERS) return []
  const where = `${placed.get('oidc-issuers')?.where ?? ''}: ${PREFIX}oidc-issuers`
  const message = `${where}: ${NO_ISSUERS} lets in workloads by their SVIDs alone, and ${PREFIX}spiffe-ids chooses none: name some that the cluster configuration lists, or issuers`
  return [violation('incomplete', message, 'spiffe-ids')]
}

/** Why no token could be for a pod that has no URL. */
const namelessViolations = (settings: Settings, floor: Listed): readonly Violation[] => {
  // Who shows a certificate names no URL.
  if (needsNoUrl(settings, floor)) return []
  const proven = listedIssuers(settings, floor).find(({ dpop }) => dpop === 'required')
  if (proven) {
    const message = `${PREFIX}public-url is missing: tokens of ${shown(proven.url)} come with proofs (DPoP), which name this server's own URL; set it to the URL that clients use, or choose other issuers by ${PREFIX}oidc-issuers`
    return [violation('incomplete', message, 'public-url')]
  }
  if (settings['oidc-audience'] !== undefined) return []
  const message = `${PREFIX}public-url is missing: with auth: oidc a token must name this server's own URL as its audience; set it to the URL that clients use, or ${PREFIX}oidc-audience to an audience that the cluster configuration lists (floor.issuers)`
  return [violation('incomplete', message, 'public-url')]
}

/** Why nobody could ever be let in, and a URL that is not the pod's to claim. */
export const identityViolations = (
  settings: Settings,
  placed: ReadonlyMap<Key, Placed>,
  { floor, claimant }: { readonly floor: Listed; readonly claimant: Claimant },
): readonly Violation[] => {
  if (settings.auth === 'none') return []
  const nobody = nobodyViolations(settings, placed, floor)
  if (nobody.length > 0) return nobody
  const url = settings['public-url']
  if (url === undefined) return namelessViolations(settings, floor)
  const listed = publicUrlsFor(claimant, floor.publicUrls)
  return mayClaim(url, listed)
    ? []
    : unlisted(
        {
          key: 'public-url',
          items: [url],
          listed,
          whose: ` for ${claimant.name} in namespace ${claimant.namespace}`,
          ask: 'floor.publicUrls',
        },
        placed,
      )
}

/** Who was chosen, or by no word left out, and is not let in, since no token of theirs could name the server. */
const namelessWarnings = (settings: Settings, floor: Listed): readonly string[] => {
  const taken = trustedDomains(settings, floor).filter(({ jwt }) => jwt !== undefined)
  const lost = jwtOf(settings, floor).filter(({ name }) => !taken.some((one) => one.name === name))
  const areIssuersLost =
    settings['oidc-issuers'] === undefined &&
    floor.issuers.length > 0 &&
    listedIssuers(settings, floor).length === 0
  const could = `could name this server: set ${PREFIX}public-url, or ${PREFIX}oidc-audience`
  return [
    ...(areIssuersLost
      ? [
          `no tokens of issuers are taken, since none ${could}; ${PREFIX}oidc-issuers: ${NO_ISSUERS} says that it is meant so`,
        ]
      : []),
    ...(lost.length === 0
      ? []
      : [`JWT-SVIDs of ${some(lost.map(({ name }) => name))} are not taken: none ${could}`]),
  ]
}

/** What a user should know of a choice that holds. */
export const identityWarnings = (settings: Settings, floor: Listed): readonly string[] => {
  if (settings.auth === 'none') return []
  const isUnnamed = settings['oidc-audience'] !== undefined && settings['public-url'] === undefined
  return [
    ...namelessWarnings(settings, floor),
    ...(isUnnamed && listedIssuers(settings, floor).length > 0
      ? [
          `${PREFIX}public-url is missing: clients that look for the issuer themselves (RFC 9728) find none; those that bring a token for ${PREFIX}oidc-audience are served`,
        ]
      : []),
  ]
}
