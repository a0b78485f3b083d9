// Who calls, by the head alone: everybody with `auth: none`, else the bearer of a token that an issuer of the
// configuration has signed for this server (RFC 6750, section 2.1). Fails closed: who cannot be verified is nobody.

import type { IncomingMessage } from 'node:http'
import { ANONYMOUS, type Principal } from '../access/principal.ts'
import type { Challenge, Resource } from '../identity/resource.ts'
import type { Trust } from '../identity/trust.ts'
import { digestOf, type Refusal } from '../identity/verifier.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { Passage, Stage } from './stage.ts'

const BEARER = /^bearer +([\w.~+/-]+=*)$/i
const IN_QUERY = /[?&]access_token=/i

const anybody: Stage = (passage) => {
  passage.principal = ANONYMOUS
  return undefined
}

/** What is brought: a token, nothing that we know of, or something that is none. */
type Brought =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'malformed'; readonly why: string }

const brought = ({ url = '', headers: { authorization } }: IncomingMessage): Brought => {
  if (IN_QUERY.test(url)) {
    return { kind: 'malformed', why: 'a token never stands in a URL: send it in Authorization' }
  }
  if (authorization === undefined || !/^bearer\b/i.test(authorization)) return { kind: 'nothing' }
  const [, token] = BEARER.exec(authorization) ?? []
  return token === undefined
    ? { kind: 'malformed', why: 'Authorization must be: Bearer, a space, a token' }
    : { kind: 'token', token }
}

const challenged = (
  code: 'unauthenticated' | 'invalid-request',
  message: string,
  resource: Resource,
  { host, challenge }: { readonly host: string | undefined; readonly challenge: Challenge },
): Fault =>
  fault(code, message, { headers: { 'www-authenticate': resource.challenge(host, challenge) } })

const refused = (refusal: Refusal, resource: Resource, host: string | undefined): Fault => {
  if (refusal.kind === 'unavailable') {
    return fault(
      'issuer-unavailable',
      "the token's issuer cannot be asked for its keys now; try again later, and see the sidecar's log",
      { headers: { 'retry-after': '5' } },
    )
  }
  const description = `the token is refused: ${refusal.why}`
  return challenged('unauthenticated', description, resource, {
    host,
    challenge: { error: 'invalid_token', description },
  })
}

const byToken = async (
  passage: Passage,
  { verifier, resource }: Trust,
  token: string,
  digest: string,
): Promise<Fault | undefined> => {
  const found = await verifier.verify(token, digest)
  if (!found.ok) return refused(found.error, resource, passage.request.headers.host)
  passage.principal = found.value
  return undefined
}

const bearer =
  (trust: Trust): Stage =>
  (passage) => {
    const { request } = passage
    const { host } = request.headers
    const found = brought(request)
    if (found.kind === 'nothing') {
      const message = 'this server asks for a bearer token; WWW-Authenticate says where to get one'
      return challenged('unauthenticated', message, trust.resource, { host, challenge: {} })
    }
    if (found.kind === 'malformed') {
      const challenge = { error: 'invalid_request', description: found.why } as const
      return challenged('invalid-request', found.why, trust.resource, { host, challenge })
    }
    const digest = digestOf(found.token)
    const known: Principal | undefined = trust.verifier.recall(digest)
    if (!known) return byToken(passage, trust, found.token, digest)
    passage.principal = known
    return undefined
  }

/** Without trust, everybody is let in: whoever wires it has read `auth: none`. */
export const authenticate = (trust: Trust | undefined): Stage => (trust ? bearer(trust) : anybody)
