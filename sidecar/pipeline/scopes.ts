// Whether the token has the scopes that every call needs, which the head says: who lacks one makes us read no body.

import type { Resource } from '../identity/resource.ts'
import { fault } from '../mcp/faults.ts'
import { askedBy } from './resource-metadata.ts'
import type { Stage } from './stage.ts'

/** Each call asks, nearly always with few of either: a Set would take longer to make than the search. */
const hasAll = (granted: readonly string[], needed: readonly string[]): boolean => {
  for (const scope of needed) if (!granted.includes(scope)) return false
  return true
}

/** `resource` says which scopes those are; absent where nobody has any. */
export const scopes =
  (resource: Resource | undefined): Stage =>
  ({ principal, request }) => {
    if (!resource || resource.scopes.length === 0) return undefined
    const { scopes: granted = [] } = principal?.identity ?? {}
    if (hasAll(granted, resource.scopes)) return undefined
    const has = new Set(granted)
    const missing = resource.scopes.filter((scope) => !has.has(scope))
    const description = `the token lacks scopes that every call needs: ${missing.join(' ')}`
    const challenge = { error: 'insufficient_scope', description } as const
    return fault('insufficient-scope', description, {
      headers: { 'www-authenticate': resource.challenge(askedBy(request), challenge) },
    })
  }
