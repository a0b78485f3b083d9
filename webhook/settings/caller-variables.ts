// What a pod may have of its callers in the environment of its server's processes: variables that the floor lists, and claims
// in which an issuer that it believes is listed as one to believe. Pure.

import { PREFIX, type Key } from '../../shared/annotations.ts'
import { callerVariables, claimsIn } from '../../shared/caller-environment.ts'
import type { Settings } from '../../shared/settings.ts'
import type { Floor } from './floor.ts'
import type { Placed } from './placed.ts'
import { trustedDomains, trustedIssuers, type Listed } from './trust.ts'
import { violation, type Violation } from './violation.ts'

const KEY = 'caller-environment'
// Of many, a message shows a few.
const MAX_TOLD = 5

const some = (texts: readonly string[]): string => {
  const more = texts.length - MAX_TOLD
  const told = texts.slice(0, MAX_TOLD).join(', ')
  return more > 0 ? `${told} and ${more} more` : told
}

const listing = (listed: readonly string[]): string =>
  listed.length === 0 ? 'it lists none' : `it lists ${some(listed)}`

type Issuers = ReturnType<typeof trustedIssuers>

const claimFaults = (claims: readonly string[], issuers: Issuers): string | undefined => {
  const believed = [...new Set(issuers.flatMap(({ verifiedClaims = [] }) => verifiedClaims))]
  const strangers = claims.filter((claim) => !believed.includes(claim))
  const [{ url } = { url: 'the issuer' }] = issuers
  if (strangers.length === 0) return undefined
  const list = JSON.stringify([...believed, ...strangers.slice(0, MAX_TOLD)])
  return `claims ${some(strangers)}: the cluster configuration believes none of the chosen issuers in that; ${listing(believed)}. Choose of these, or ask the platform team for \`verifiedClaims: ${list}\` of ${url} in floor.issuers`
}

const variableFaults = (
  names: readonly string[],
  listed: Floor['allowCallerVariables'],
): string | undefined => {
  const strangers = names.filter((name) => !listed.includes(name))
  if (strangers.length === 0) return undefined
  const list = JSON.stringify([...listed, ...strangers.slice(0, MAX_TOLD)])
  return `variables ${some(strangers)}: no caller may fill them, by the cluster configuration; ${listing(listed)}. Choose of these, or ask the platform team for \`floor: { allowCallerVariables: ${list} }\``
}

/** What of it the floor does not let through. */
export const callerVariableViolations = (
  settings: Settings,
  placed: ReadonlyMap<Key, Placed>,
  floor: Listed & Pick<Floor, 'allowCallerVariables'>,
): readonly Violation[] => {
  const items = settings[KEY]
  if (items === undefined) return []
  const where = `${placed.get(KEY)?.where ?? ''}: ${PREFIX}${KEY}`
  const read = callerVariables(items)
  if (!read.ok) return [violation('bad-value', `${where}: ${read.error}`, KEY)]
  const variables = read.value
  const names = variables.map(({ name }) => name)
  const found = [
    variableFaults(names, floor.allowCallerVariables),
    settings.auth === 'none'
      ? undefined
      : claimFaults(claimsIn(variables), trustedIssuers(settings, floor)),
  ]
  return found.flatMap((fault) =>
    fault === undefined ? [] : [violation('not-listed', `${where}: ${fault}`, KEY)],
  )
}

/** Who is let in by the settings, and refused since the floor believes nobody in what is needed of them. */
export const callerVariableWarnings = (settings: Settings, floor: Listed): readonly string[] => {
  const read = callerVariables(settings[KEY] ?? [])
  if (!read.ok || read.value.length === 0) return []
  const claims = claimsIn(read.value)
  const lost = trustedIssuers(settings, floor).filter(
    ({ verifiedClaims = [] }) => !claims.every((claim) => verifiedClaims.includes(claim)),
  )
  return [
    ...(lost.length === 0
      ? []
      : [
          `${PREFIX}${KEY}: every caller of ${some(lost.map(({ url }) => url))} is refused: its verifiedClaims in floor.issuers lack some of ${some(claims)}`,
        ]),
    ...(trustedDomains(settings, floor).length === 0
      ? []
      : [
          `${PREFIX}${KEY}: every workload that comes with an SVID is refused: those say nothing of ${some(claims)}`,
        ]),
  ]
}
