// Who calls, by the head alone: everybody with `auth: none`, else the bearer of a token that an issuer of the
// configuration has signed for this server (RFC 6750, section 2.1). Fails closed: who cannot be verified is nobody.

import type { IncomingMessage } from 'node:http'
import type { Result } from '../../shared/result.ts'
import { ANONYMOUS } from '../access/principal.ts'
import { thumbprintOf } from '../identity/client-certificate.ts'
import { LastTokens, type KnownToken } from '../identity/last-tokens.ts'
import type { Asked, Challenge, Resource } from '../identity/resource.ts'
import type { Trust } from '../identity/trust.ts'
import type { Bearer, Refusal } from '../identity/verifier.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { askedBy } from './resource-metadata.ts'
import type { Passage, Stage } from './stage.ts'

const BEARER = /^bearer +([\w.~+/-]+=*)$/i
const IN_QUERY = /[?&]access_token=/i

const anybody: Stage = (passage) => {
  passage.principal = ANONYMOUS
  return undefined
}

/** What is brought: a token, nothing that we know of, or something that is none. */
type Brought =
  | { readonly kind: 'token'; readonly token: KnownToken }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'malformed'; readonly why: string }

const brought = (
  { url = '', headers: { authorization }, socket }: IncomingMessage,
  last: LastTokens,
): Brought => {
  if (IN_QUERY.test(url)) {
    return { kind: 'malformed', why: 'a token never stands in a URL: send it in Authorization' }
  }
  if (authorization === undefined) return { kind: 'nothing' }
  const known = last.find(socket, authorization)
  if (known) return { kind: 'token', token: known }
  if (!/^bearer\b/i.test(authorization)) return { kind: 'nothing' }
  const [, text] = BEARER.exec(authorization) ?? []
  return text === undefined
    ? { kind: 'malformed', why: 'Authorization must be: Bearer, a space, a token' }
    : { kind: 'token', token: last.keep(socket, authorization, text) }
}

const challenged = (
  code: 'unauthenticated' | 'invalid-request',
  message: string,
  resource: Resource,
  { asked, challenge }: { readonly asked: Asked; readonly challenge: Challenge },
): Fault =>
  fault(code, message, { headers: { 'www-authenticate': resource.challenge(asked, challenge) } })

const refused = (refusal: Refusal, resource: Resource, asked: Asked): Fault => {
  if (refusal.kind === 'gone') {
    return fault('request-cancelled', 'its client has gone before it was known who calls')
  }
  if (refusal.kind === 'busy') {
    return fault('no-capacity', 'too many wait until their tokens are verified; try again later', {
      headers: { 'retry-after': '1' },
    })
  }
  if (refusal.kind === 'unavailable') {
    return fault(
      'issuer-unavailable',
      "the token's issuer cannot be asked for its keys now; try again later, and see the sidecar's log",
      { headers: { 'retry-after': `${Math.ceil(refusal.retryMs / 1000)}` } },
    )
  }
  const description = `the token is refused: ${refusal.why}`
  return challenged('unauthenticated', description, resource, {
    asked,
    challenge: { error: 'invalid_token', description },
  })
}

/** Of who has brought no token. */
const without = (
  found: Exclude<Brought, { readonly kind: 'token' }>,
  resource: Resource,
  asked: Asked,
): Fault => {
  if (found.kind === 'nothing') {
    const message = 'this server asks for a bearer token; WWW-Authenticate says where to get one'
    return challenged('unauthenticated', message, resource, { asked, challenge: {} })
  }
  const challenge = { error: 'invalid_request', description: found.why } as const
  return challenged('invalid-request', found.why, resource, { asked, challenge })
}

const bearer = ({ verifier, resource }: Trust): Stage => {
  const last = new LastTokens()
  const take = (passage: Passage, found: Result<Bearer, Refusal>): Fault | undefined => {
    if (!found.ok) return refused(found.error, resource, askedBy(passage.request))
    passage.principal = found.value.principal
    passage.untilMs = found.value.untilMs
    return undefined
  }
  return (passage) => {
    const { request, reply } = passage
    const found = brought(request, last)
    if (found.kind !== 'token') return without(found, resource, askedBy(request))
    const { text, digest } = found.token
    const known = verifier.identify(
      text,
      (gone) => reply.onGone(gone),
      () => thumbprintOf(request.socket),
      digest,
    )
    return known instanceof Promise
      ? known.then((later) => take(passage, later))
      : take(passage, known)
  }
}

/** Without trust, everybody is let in: whoever wires it has read `auth: none`. */
export const authenticate = (trust: Trust | undefined): Stage => (trust ? bearer(trust) : anybody)
