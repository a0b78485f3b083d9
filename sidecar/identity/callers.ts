// Who a request's caller is, by its head: the bearer of a token that an issuer of the configuration has signed for this server
// (RFC 6750, section 2.1), with the proof of its key where it is bound to one (RFC 9449, section 7.1); else what the client
// is told. Fails closed: who cannot be verified is nobody.

import type { IncomingMessage } from 'node:http'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Principal } from '../access/principal.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { Shown } from './connection.ts'
import { LastTokens, standingOf, type KnownToken } from './last-tokens.ts'
import type { Proofs } from './proofs.ts'
import { digestOf } from './remembered.ts'
import type { Asked, Challenge, Resource } from './resource.ts'
import type { Svids } from './svids.ts'
import { byScheme, type Bearer, type Refusal, type Verifier } from './verifier.ts'
import type { WhenGone } from './waiting.ts'

/** Behind a scheme that is known. */
const CREDENTIALS = /^\w+ +([\w.~+/-]+=*)$/
const IN_QUERY = /[?&]access_token=/i

export interface Caller {
  readonly principal: Principal
  /** Until when it is known to be that (monotonic milliseconds). */
  readonly untilMs: number
  /** What the client is to make its next proof with, where that has changed. */
  readonly nonce?: string | undefined
}

export type Found = Result<Caller, Fault>

/** By what a client knows the server. */
type AskedBy = (request: IncomingMessage) => Asked

/** A request that has just come. */
export interface Arrival {
  readonly request: IncomingMessage
  readonly reply: { readonly onGone: (gone: () => void) => void }
  /** Monotonic milliseconds. */
  readonly arrivedMs: number
}

/** One that somebody has to look at. */
interface Knock {
  readonly request: IncomingMessage
  readonly whenGone: WhenGone
  readonly askedBy: AskedBy
}

/** At once, where that was verified a while ago. */
export type CallerOf = (arrival: Arrival, askedBy: AskedBy) => Found | Promise<Found>

export interface Means {
  readonly resource: Resource
  readonly verifier: Verifier
  /** Absent: no token may be bound to a client's key. */
  readonly proofs?: Proofs | undefined
  /** Absent: certificates are nobody's name. */
  readonly svids?: Pick<Svids, 'of'> | undefined
  /** The server's processes have claims of their callers in their environment: certificates bring none. */
  readonly needsClaims?: boolean | undefined
}

/** What is brought: a token, nothing at all, something that we know nothing of, or something that is no token. */
type Brought =
  | {
      readonly kind: 'token'
      readonly token: KnownToken
      /** To be kept where it is good; absent: it is not to be. */
      readonly header?: string
      /** Who looks at the proof that comes with it; absent where none is to come. */
      readonly proofs?: Proofs
    }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'malformed'; readonly why: string }

/** Where a connection's last token was the same, nobody looks for it. */
const bearerIn = (header: string): Brought => {
  const [, text] = CREDENTIALS.exec(header) ?? []
  return text === undefined
    ? { kind: 'malformed', why: 'Authorization must be: Bearer, a space, a token' }
    : { kind: 'token', token: { text, digest: digestOf(text) }, header }
}

const provenIn = (header: string, proofs: Proofs): Brought => {
  const [, text] = CREDENTIALS.exec(header) ?? []
  return text === undefined
    ? { kind: 'malformed', why: 'Authorization must be: DPoP, a space, a token' }
    : { kind: 'token', token: { text, digest: digestOf(text) }, proofs }
}

const brought = (
  { url = '', headers: { authorization }, socket }: IncomingMessage,
  { proofs }: Means,
  last: LastTokens,
): Brought => {
  if (IN_QUERY.test(url)) {
    return { kind: 'malformed', why: 'a token never stands in a URL: send it in Authorization' }
  }
  if (authorization === undefined) return { kind: 'nothing' }
  const token = last.find(socket, authorization)
  if (token) return { kind: 'token', token, header: authorization }
  if (/^bearer\b/i.test(authorization)) return bearerIn(authorization)
  return proofs && /^dpop\b/i.test(authorization)
    ? provenIn(authorization, proofs)
    : { kind: 'unknown' }
}

const challenged = (
  code: 'unauthenticated' | 'invalid-request',
  message: string,
  { resource, proofs }: Means,
  { knock, challenge }: { readonly knock: Knock; readonly challenge: Challenge },
): Fault => {
  const headers = {
    'www-authenticate': resource.challenge(knock.askedBy(knock.request), challenge),
  }
  return fault(code, message, {
    headers: proofs ? { ...headers, 'dpop-nonce': proofs.nonce } : headers,
  })
}

const lacking = (what: string): Fault =>
  fault(
    'forbidden',
    `the server's processes are given what their callers' tokens say, or are good for (outrigger.dev/caller-environment, token-exchange), and ${what}`,
  )

const refused = (refusal: Refusal, means: Means, knock: Knock): Fault => {
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
  if (refusal.kind === 'lacking') return lacking(`this token does not do: ${refusal.why}`)
  const description = `the token is refused: ${refusal.why}`
  const { error = 'invalid_token' } = refusal
  return challenged('unauthenticated', description, means, {
    knock,
    challenge: { error, description },
  })
}

const NO_TOKEN = 'this server asks for a bearer token; WWW-Authenticate says where to get one'
const UNKNOWN =
  'Authorization is of a scheme that is not taken here, and a certificate counts only without it: leave it out, or send a token that WWW-Authenticate asks for'

/** Of who has brought no token. */
const without = (
  found: Exclude<Brought, { readonly kind: 'token' }>,
  means: Means,
  knock: Knock,
): Fault => {
  if (found.kind !== 'malformed') {
    const message = found.kind === 'unknown' && means.svids ? UNKNOWN : NO_TOKEN
    return challenged('unauthenticated', message, means, { knock, challenge: {} })
  }
  const challenge = { error: 'invalid_request', description: found.why } as const
  return challenged('invalid-request', found.why, means, { knock, challenge })
}

/** By its connection's certificate, where no Authorization came. */
const shownBy = (svids: Pick<Svids, 'of'>, means: Means, knock: Knock): Found => {
  if (means.needsClaims) return fail(lacking('a certificate says nothing of that: bring a token'))
  const { socket } = knock.request
  const shown = svids.of(socket)
  if (shown.ok) return shown
  const message = `neither a token came nor a certificate that is good: ${shown.error}; connect anew with another, or send a token where one is taken`
  const { headers = {}, ...rest } = challenged('unauthenticated', message, means, {
    knock,
    challenge: {},
  })
  return fail({ ...rest, headers: { ...headers, connection: 'close' } })
}

const told = (found: Result<Bearer, Refusal>, means: Means, knock: Knock): Found => {
  const bearer = byScheme(found, false)
  return bearer.ok ? bearer : fail(refused(bearer.error, means, knock))
}

/** With the proof that the client holds the key that its token is bound to. */
const proven = async (
  found: Result<Bearer, Refusal>,
  means: Means,
  knock: Knock,
  { proofs, token }: { readonly proofs: Proofs; readonly token: string },
): Promise<Found> => {
  const bound = byScheme(found, true)
  if (!bound.ok) return fail(refused(bound.error, means, knock))
  const { method = '', headers } = knock.request
  const proof = typeof headers['dpop'] === 'string' ? headers['dpop'] : undefined
  const claimed = { proof, method, token, key: bound.value.key }
  const checked = await proofs.check(claimed, knock.whenGone)
  return checked.ok
    ? ok({ ...bound.value, nonce: checked.value.nonce })
    : fail(refused(checked.error, means, knock))
}

/** Who has called on this connection a moment ago, and brings the same again. */
const calledBefore = (
  { request: { url = '', headers, socket }, arrivedMs }: Arrival,
  last: LastTokens,
): Found | undefined => {
  const { authorization } = headers
  // What may stand in a URL is looked at each time.
  return authorization === undefined || /[?&]/.test(url)
    ? undefined
    : last.bearer(socket, authorization, arrivedMs)
}

export const callersOf = (means: Means, last = new LastTokens()): CallerOf => {
  const identified = (
    knock: Knock,
    { token, proofs }: Extract<Brought, { readonly kind: 'token' }>,
  ): ReturnType<CallerOf> => {
    const { request, whenGone } = knock
    const shown = new Shown(request.socket)
    const known = means.verifier.identify(token.text, whenGone, shown, token.digest)
    if (proofs) {
      const claim = { proofs, token: token.text }
      return Promise.resolve(known).then((one) => proven(one, means, knock, claim))
    }
    return known instanceof Promise
      ? known.then((later) => told(later, means, knock))
      : told(known, means, knock)
  }
  const callerOf = (knock: Knock, found: Brought): ReturnType<CallerOf> => {
    if (found.kind === 'token') return identified(knock, found)
    if (found.kind === 'nothing' && means.svids) return shownBy(means.svids, means, knock)
    return fail(without(found, means, knock))
  }
  /** A connection keeps its header as long as that is good. */
  const kept = (caller: Found, { request, arrivedMs }: Arrival, found: Brought): Found => {
    const { socket } = request
    if (!caller.ok) last.forget(socket)
    else if (found.kind === 'token' && found.header !== undefined) {
      last.keep(socket, found.header, found.token, standingOf(caller.value, arrivedMs))
    }
    return caller
  }
  return (arrival, askedBy) => {
    const before = calledBefore(arrival, last)
    if (before) return before
    const { request, reply } = arrival
    const knock = { request, whenGone: (gone: () => void) => reply.onGone(gone), askedBy }
    const found = brought(request, means, last)
    const caller = callerOf(knock, found)
    return caller instanceof Promise
      ? caller.then((later) => kept(later, arrival, found))
      : kept(caller, arrival, found)
  }
}
