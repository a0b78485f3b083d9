// For what a pod's processes may get tokens of their callers: what the floor lists for the one issuer that is asked. Pure.

import { PREFIX, type Key } from '../../shared/annotations.ts'
import type { Settings } from '../../shared/settings.ts'
import { exchangeAsked, itemsOf, strangersIn } from '../../shared/token-exchange.ts'
import type { Placed } from './placed.ts'
import { trustedDomains, trustedIssuers, type Listed } from './trust.ts'
import { violation, type Violation } from './violation.ts'

const KEY = 'token-exchange'
const SECRET_KEY = 'token-exchange-secret'

/** Where tokens could be exchanged, of the chosen issuers. */
const offersOf = (settings: Settings, floor: Listed) =>
  trustedIssuers(settings, floor).flatMap(({ url, tokenExchange }) =>
    tokenExchange ? [{ url, listed: tokenExchange }] : [],
  )

/** Why nothing of it could be exchanged, or not at one place. */
const issuerFault = (
  items: readonly string[],
  offers: ReturnType<typeof offersOf>,
): string | undefined => {
  const [first, second] = offers
  if (first === undefined) {
    return `none of the chosen issuers is listed with a tokenExchange: ask the platform team for that in floor.issuers, or leave ${PREFIX}${KEY} out`
  }
  if (second !== undefined) {
    return `tokens are exchanged at one issuer, by one pair of credentials, and ${first.url} and ${second.url} could each be asked; choose one of them in ${PREFIX}oidc-issuers`
  }
  const asked = exchangeAsked(items)
  const strangers = asked.ok ? strangersIn(asked.value, first.listed) : []
  if (strangers.length === 0) return undefined
  const listed = itemsOf(first.listed)
  return `${strangers.join(', ')}: not listed in the cluster configuration for ${first.url}; it lists ${listed.length === 0 ? 'none' : listed.join(', ')}. Choose of these, or ask the platform team for it in tokenExchange of floor.issuers`
}

/** What of it the floor does not let through, or cannot be done. */
export const tokenExchangeViolations = (
  settings: Settings,
  placed: ReadonlyMap<Key, Placed>,
  floor: Listed,
): readonly Violation[] => {
  const { [KEY]: items, [SECRET_KEY]: secret } = settings
  const at = (key: Key): string => `${placed.get(key)?.where ?? ''}: ${PREFIX}${key}`
  if (items === undefined) {
    return secret === undefined
      ? []
      : [
          violation(
            'incomplete',
            `${at(SECRET_KEY)}: nothing is exchanged without ${PREFIX}${KEY}, which says for what; set both, or leave it out`,
            SECRET_KEY,
          ),
        ]
  }
  const asked = exchangeAsked(items)
  if (!asked.ok) return [violation('bad-value', `${at(KEY)}: ${asked.error}`, KEY)]
  if (secret === undefined) {
    return [
      violation(
        'incomplete',
        `${at(KEY)}: nothing is exchanged without ${PREFIX}${SECRET_KEY}, a Secret with client-id and client-secret, by which the issuer knows who asks; set both`,
        KEY,
      ),
    ]
  }
  if (settings.auth === 'none') return []
  const why = issuerFault(items, offersOf(settings, floor))
  return why === undefined ? [] : [violation('not-listed', `${at(KEY)}: ${why}`, KEY)]
}

/** Who is let in by the settings, and has no process, since nothing of theirs can be exchanged. */
export const tokenExchangeWarnings = (settings: Settings, floor: Listed): readonly string[] => {
  if (settings[KEY] === undefined) return []
  const lost = trustedIssuers(settings, floor).flatMap(({ url, tokenExchange }) =>
    tokenExchange ? [] : [url],
  )
  return [
    ...(lost.length === 0
      ? []
      : [
          `${PREFIX}${KEY}: every caller of ${lost.slice(0, 5).join(', ')} is refused: it is listed without a tokenExchange in floor.issuers`,
        ]),
    ...(trustedDomains(settings, floor).length === 0
      ? []
      : [
          `${PREFIX}${KEY}: every workload that comes with an SVID is refused: those are exchanged nowhere`,
        ]),
  ]
}
