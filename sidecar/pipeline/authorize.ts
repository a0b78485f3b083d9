// What the caller may do: everything, with the scopes that every call needs. The only maker of permits.

import { grant } from '../access/permit.ts'
import type { Resource } from '../identity/resource.ts'
import { fault } from '../mcp/faults.ts'
import type { Stage } from './stage.ts'

const permit: Stage = (passage) => {
  if (passage.principal === undefined) return fault('unauthenticated', 'nobody is known to call')
  passage.permit = grant(passage.principal)
  return undefined
}

const withScopes =
  (resource: Resource): Stage =>
  (passage) => {
    const has = new Set(passage.principal?.identity?.scopes)
    const missing = resource.scopes.filter((scope) => !has.has(scope))
    if (missing.length === 0) return permit(passage)
    const description = `the token lacks scopes that every call needs: ${missing.join(' ')}`
    const { host } = passage.request.headers
    const challenge = { error: 'insufficient_scope', description } as const
    return fault('insufficient-scope', description, {
      headers: { 'www-authenticate': resource.challenge(host, challenge) },
    })
  }

/** `resource` says which scopes those are; absent where nobody has any. */
export const authorize = (resource: Resource | undefined): Stage =>
  resource && resource.scopes.length > 0 ? withScopes(resource) : permit
