// The authorities of a cluster, and what becomes of them: trusted first, signing second, dropped last. Which step is due
// is a function of what is stored, of the time, and of what every caBundle has held for a while. Pure.
//
//   begin    nothing is stored, or ours vouches for nothing now: a new one signs at once
//   prepare  ours is past two thirds of its life: the next one is made, and only trusted
//   promote  the next one has been trusted for long enough: it signs, and the one before it is trusted still
//   remember somebody has put another one there: the one before it is trusted still
//   forget   no leaf of those before is left: they are dropped

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { fail, ok, type Result } from '../shared/result.ts'
import { AUTHORITY_NAME, type Authority } from './x509.ts'

export interface Authorities {
  /** Signs; undefined while nothing is stored. */
  readonly current: Authority | undefined
  /** Is trusted already, and will sign next. */
  readonly next: Authority | undefined
  /** Certificates of those that signed before. */
  readonly old: readonly string[]
  /** When no leaf of those is left. */
  readonly oldUntil: Date | undefined
}

export const NO_AUTHORITIES: Authorities = {
  current: undefined,
  next: undefined,
  old: [],
  oldUntil: undefined,
}

/** So many of those before are kept: each was put in another's place by hand, but one. */
const MAX_OLD = 8

const keyFault = ({ certificatePem, privateKeyPem }: Authority): string | undefined => {
  const certificate = new X509Certificate(certificatePem)
  const key = createPrivateKey(privateKeyPem)
  if (!certificate.ca) return 'its certificate is no authority'
  if (key.asymmetricKeyType !== 'rsa') return 'its key is no RSA key'
  return certificate.checkPrivateKey(key) ? undefined : 'its key does not belong to its certificate'
}

/** Whether an authority could sign at some time: it parses, is an authority, and has its own key. */
const faultOf = (authority: Authority): string | undefined => {
  try {
    return keyFault(authority)
  } catch {
    return 'it does not parse'
  }
}

/** By what a certificate is told from others where a person reads it, and in metrics. */
export const shortDigest = (certificatePem: string): string =>
  new X509Certificate(certificatePem).fingerprint256.replaceAll(':', '').toLowerCase().slice(0, 16)

export interface Life {
  readonly from: Date
  readonly until: Date
  /** Made here, so that it may be replaced. */
  readonly isOurs: boolean
}

export const lifeOf = (certificatePem: string): Life => {
  const { validFrom, validTo, subject, issuer } = new X509Certificate(certificatePem)
  const isOurs = subject === `CN=${AUTHORITY_NAME}` && issuer === subject
  return { from: new Date(validFrom), until: new Date(validTo), isOurs }
}

const timeFault = (
  { from, until }: Pick<Life, 'from' | 'until'>,
  now: Date,
): string | undefined => {
  if (until <= now) return `it expired on ${until.toISOString()}`
  return from <= now ? undefined : `it is not valid before ${from.toISOString()}`
}

/** Whether a stored authority can sign now. */
export const checkAuthority = (authority: Authority, now: Date): Result<Authority, string> => {
  const fault = faultOf(authority) ?? timeFault(lifeOf(authority.certificatePem), now)
  return fault === undefined ? ok(authority) : fail(fault)
}

/** What one process knows besides what is stored. */
export interface Seen {
  readonly now: Date
  /** The certificate of the authority that signed when it looked last. */
  readonly known: string | undefined
  /** Whether every caBundle has held a certificate for long enough for each API server to know it. */
  readonly isTrusted: (certificatePem: string) => boolean
  /** For how long those before are trusted after the last leaf of them was signed. */
  readonly keepMs: number
}

export type Step =
  | { readonly kind: 'rest' }
  | { readonly kind: 'begin' }
  | { readonly kind: 'prepare' }
  | { readonly kind: 'promote'; readonly next: Authority }
  | { readonly kind: 'remember'; readonly certificatePem: string | undefined }
  | { readonly kind: 'forget' }
  | { readonly kind: 'unusable'; readonly why: string }

const REST: Step = { kind: 'rest' }

/** The next one, where it could take the place now. */
const usableNext = ({ next }: Authorities, now: Date): Authority | undefined =>
  next && checkAuthority(next, now).ok ? next : undefined

/** What is due where the authority that signs can sign. */
const rotation = (stored: Authorities, current: Life, seen: Seen): Step => {
  if (!current.isOurs) return REST
  const next = usableNext(stored, seen.now)
  if (next) return seen.isTrusted(next.certificatePem) ? { kind: 'promote', next } : REST
  const life = current.until.getTime() - current.from.getTime()
  const isDue = seen.now.getTime() >= current.from.getTime() + (life * 2) / 3
  return isDue ? { kind: 'prepare' } : REST
}

/** Whether it is known until when those before are to be trusted; a date that is far off was another clock's. */
const isDated = ({ old, oldUntil }: Authorities, { now, keepMs }: Seen): boolean =>
  old.length === 0 || (oldUntil !== undefined && oldUntil.getTime() <= now.getTime() + 2 * keepMs)

/** What is due for those that signed before. */
const retirement = (stored: Authorities, seen: Seen): Step => {
  const { known } = seen
  const trusted = [stored.current?.certificatePem, stored.next?.certificatePem, ...stored.old]
  if (known !== undefined && !trusted.includes(known)) {
    return { kind: 'remember', certificatePem: known }
  }
  if (!isDated(stored, seen)) return { kind: 'remember', certificatePem: undefined }
  const isOver = stored.oldUntil !== undefined && stored.oldUntil <= seen.now
  return stored.old.length > 0 && isOver ? { kind: 'forget' } : REST
}

/** Of an authority that vouches for nothing now: ours is replaced, somebody else's is theirs to mend. */
const replacement = (stored: Authorities, { isOurs, until, from }: Life, seen: Seen): Step => {
  if (!isOurs) return { kind: 'unusable', why: timeFault({ from, until }, seen.now) ?? '' }
  const next = usableNext(stored, seen.now)
  return next ? { kind: 'promote', next } : { kind: 'begin' }
}

/** The one step that is due now. */
export const nextStep = (stored: Authorities, seen: Seen): Step => {
  const { current } = stored
  if (!current) return { kind: 'begin' }
  const fault = faultOf(current)
  if (fault !== undefined) return { kind: 'unusable', why: fault }
  const life = lifeOf(current.certificatePem)
  if (timeFault(life, seen.now) !== undefined) return replacement(stored, life, seen)
  const retired = retirement(stored, seen)
  return retired.kind === 'rest' ? rotation(stored, life, seen) : retired
}

/** Those before, with one more that stops to sign now. */
const withOld = (
  { old }: Authorities,
  certificatePem: string | undefined,
  { now, keepMs }: Seen,
): Pick<Authorities, 'old' | 'oldUntil'> => {
  const more = certificatePem === undefined || old.includes(certificatePem) ? [] : [certificatePem]
  const all = [...old, ...more].slice(-MAX_OLD)
  return { old: all, oldUntil: all.length > 0 ? new Date(now.getTime() + keepMs) : undefined }
}

/** What is to be stored once a step is done; `make` gives a new authority where one is needed. */
export const stepped = async (
  stored: Authorities,
  step: Exclude<Step, { kind: 'rest' | 'unusable' }>,
  seen: Seen,
  make: () => Promise<Authority>,
): Promise<Authorities> => {
  const before = stored.current?.certificatePem
  if (step.kind === 'forget') return { ...stored, old: [], oldUntil: undefined }
  if (step.kind === 'prepare') return { ...stored, next: await make() }
  if (step.kind === 'remember') {
    // What was made ready for another one's place is not for this one's.
    const next = step.certificatePem === undefined ? stored.next : undefined
    return { ...stored, next, ...withOld(stored, step.certificatePem, seen) }
  }
  const current = step.kind === 'promote' ? step.next : await make()
  return { current, next: undefined, ...withOld(stored, before ?? seen.known, seen) }
}

const isCertificate = (pem: string): boolean => {
  try {
    return new X509Certificate(pem).ca
  } catch {
    return false
  }
}

/** Whom API servers are to trust, as one PEM text: the same text whichever of them signs. */
export const bundleOf = ({ current, next, old }: Authorities): string => {
  const all = [current?.certificatePem, next?.certificatePem, ...old]
  const texts = all.flatMap((pem) => (pem !== undefined && isCertificate(pem) ? [pem.trim()] : []))
  const from = (pem: string): number => lifeOf(pem).from.getTime()
  return [...new Set(texts)]
    .toSorted((one, other) => from(one) - from(other) || (one < other ? -1 : 1))
    .map((pem) => `${pem}\n`)
    .join('')
}

/** When the authorities end, by what they are for. */
export const authorityEnds = ({
  current,
  next,
  old,
}: Authorities): readonly (readonly [role: string, end: Date])[] =>
  [
    ['signing', current?.certificatePem] as const,
    ['next', next?.certificatePem] as const,
    ...old.map((pem) => ['old', pem] as const),
  ].flatMap(([role, pem]): (readonly [string, Date])[] =>
    pem !== undefined && isCertificate(pem) ? [[role, lifeOf(pem).until]] : [],
  )
