// Trust domains whose workloads may call by their SVIDs: the entries of a configuration. X.509-SVIDs are shown over TLS,
// JWT-SVIDs come as bearer tokens, where `jwt` says so. Pure.

import * as z from 'zod/mini'
import { allowedHosts, audienceList, authoritiesText, chosenAudiences, ownUrl } from './issuers.ts'
import { fail, ok, type Result } from './result.ts'
import { faultWords, type SchemaFault } from './schema-words.ts'
import type { Settings } from './settings.ts'
import { isTrustDomain, trustDomainOf, trustDomainOfPattern } from './spiffe.ts'
import { readBundle } from './spiffe-bundle.ts'

export const MAX_TRUST_DOMAINS = 16

const trustDomainName = z
  .string()
  .check(z.refine(isTrustDomain, 'must be the name of a trust domain, such as example.org'))

const bundle = z.string().check(
  z.maxLength(262_144),
  z.refine((text) => {
    const read = readBundle(text)
    return read.ok && read.value.authorities.length + read.value.jwtKeys.length > 0
  }, 'must be certificates of authorities in PEM, and nothing else, or a bundle in JSON as SPIFFE has it, with keys'),
)

const spiffeIds = z
  .array(
    z
      .string()
      .check(
        z.refine(
          (id) => trustDomainOfPattern(id) !== undefined,
          'must be a SPIFFE ID, such as spiffe://example.org/ns/a/sa/b, or one with a star at the end, spiffe://example.org/ns/a/*',
        ),
      ),
  )
  .check(z.minLength(1), z.maxLength(256))

/** JWT-SVIDs are taken. */
const jwtSchema = z.strictObject({
  /** Of which one must name one; absent: the server's own URL. */
  audiences: z.optional(audienceList),
})

const members = {
  name: trustDomainName,
  /** Of its workloads those that may call; `/*` at the end is everything below. */
  ids: spiffeIds,
  /** Its authorities and keys. */
  bundle: z.optional(bundle),
  /** Where they are to be had instead, asked for again and again (SPIFFE Federation). */
  bundleUrl: z.optional(ownUrl),
  /**
   * The SPIFFE ID that is shown there (https_spiffe): it is believed by the bundle that was had last, `bundle` before the
   * first one, which lets in nobody itself. Absent: its host's certificate counts (https_web).
   */
  endpointId: z.optional(
    z
      .string()
      .check(
        z.refine(
          (id) => trustDomainOf(id) !== undefined,
          'must be a SPIFFE ID, such as spiffe://example.org/spire/server',
        ),
      ),
  ),
  /** Hosts that may be asked for that besides its own, and how far their names may lead. */
  hosts: z.optional(allowedHosts),
  /** The authorities of its certificate, in PEM; absent: the usual ones. */
  ca: z.optional(authoritiesText),
  jwt: z.optional(jwtSchema),
}

/** With its bundle. */
export const trustDomainSchema = z.strictObject(members)

/** With its bundle, or the file that holds it, which is read again whenever it changes. */
export const trustDomainSourceSchema = z.strictObject({
  ...members,
  bundleFile: z.optional(z.string().check(z.startsWith('/'))),
})

/** As the cluster configuration lists it. @public */
export type TrustDomainEntry = Readonly<z.output<typeof trustDomainSchema>>
export type TrustDomainSource = Readonly<z.output<typeof trustDomainSourceSchema>>

const NO_JWT_KEYS =
  'jwt: its bundle holds no keys of JWT-SVIDs: it must be one in JSON, as SPIFFE has it, with keys of the use jwt-svid'

/** What is wrong with an endpoint that shows an SVID. */
const endpointFault = (domain: TrustDomainSource, id: string): string | undefined => {
  const { name, bundle: inline, bundleFile, bundleUrl, ca } = domain
  if (bundleUrl?.startsWith('https:') !== true)
    return 'endpointId is shown over TLS by the endpoint of bundleUrl, which has to be an https URL'
  if (trustDomainOf(id) !== name) return `endpointId is of another trust domain than ${name}`
  if (ca !== undefined) return 'with endpointId the bundle says whom to believe, and no ca does'
  const first = inline === undefined ? undefined : readBundle(inline)
  return bundleFile === undefined && first?.ok === true && first.value.authorities !== ''
    ? undefined
    : 'with endpointId its first bundle has to stand in bundle, with authorities, to believe the endpoint by'
}

/** Where its bundle is, one place of those there are. */
const placeFault = (domain: TrustDomainSource): string | undefined => {
  const { bundle: inline, bundleFile, bundleUrl, endpointId, hosts, ca } = domain
  if (endpointId !== undefined) return endpointFault(domain, endpointId)
  const places = [inline, bundleFile, bundleUrl].filter((place) => place !== undefined)
  if (places.length !== 1) return 'its authorities stand in one of bundle, bundleFile and bundleUrl'
  return bundleUrl === undefined && (hosts !== undefined || ca !== undefined)
    ? 'hosts and ca are those of bundleUrl, which is missing'
    : undefined
}

/** What is wrong with a trust domain beyond the form of each member. */
const trustDomainFault = (domain: TrustDomainSource): string | undefined => {
  const { jwt, bundle: inline, bundleUrl } = domain
  const place = placeFault(domain)
  // Of an endpoint it says itself which keys there are.
  const isWhole = inline !== undefined && bundleUrl === undefined
  if (place !== undefined || jwt === undefined || !isWhole) return place
  const read = readBundle(inline)
  return read.ok && read.value.jwtKeys.length > 0 ? undefined : NO_JWT_KEYS
}

/** What is wrong with a list of them beyond the form of each; `list`: where a document has it. */
export const trustDomainFaults = (
  list: string,
  domains: readonly TrustDomainSource[],
): readonly SchemaFault[] =>
  domains.flatMap((domain, index) => {
    const { name, ids } = domain
    const at = (message: string, ...members: readonly string[]): SchemaFault => ({
      path: [...list.split('.'), `${index}`, ...members],
      message,
    })
    const first = domains.findIndex((one) => one.name === name)
    const strange = ids.findIndex((id) => trustDomainOfPattern(id) !== name)
    const fault = trustDomainFault(domain)
    return [
      ...(first === index ? [] : [at(`stands there twice: at ${list}.${first}, too`, 'name')]),
      ...(strange < 0 ? [] : [at(`is of another trust domain than ${name}`, 'ids', `${strange}`)]),
      ...(fault === undefined ? [] : [at(fault, 'bundle')]),
    ]
  })

/** Those of a sidecar's document. */
export const trustDomainList = z
  .array(trustDomainSourceSchema)
  .check(z.minLength(1), z.maxLength(MAX_TRUST_DOMAINS))

/** Where a sidecar's document has them. */
const LIST = 'trustDomains'

/** What of a sidecar's document decides about them. */
interface Document {
  readonly trustDomains?: readonly TrustDomainSource[] | undefined
  readonly tls?: object | undefined
  readonly host: string
  readonly settings: Settings
}

const NO_TLS =
  'X.509-SVIDs are shown over TLS, which needs a certificate (tls); JWT-SVIDs are taken where jwt says so'

/** Each with the audiences that settings choose. */
const withAudiences = (
  domains: readonly TrustDomainSource[],
  document: Document,
): Result<readonly TrustDomainSource[], readonly string[]> => {
  const errors: string[] = []
  const chosen = domains.map((domain) => {
    if (domain.jwt === undefined) return domain
    const audiences = chosenAudiences(domain.name, domain.jwt.audiences, document)
    if (audiences.ok) return { ...domain, jwt: { audiences: audiences.value } }
    errors.push(audiences.error)
    return domain
  })
  return errors.length > 0 ? fail(errors) : ok(chosen)
}

/** Those of a sidecar's document as settings choose of them; on failure every error at once. */
export const chosenTrustDomains = (
  document: Document,
): Result<readonly TrustDomainSource[], readonly string[]> => {
  const { trustDomains: domains, tls, settings } = document
  if (domains === undefined) return ok([])
  const chosen = withAudiences(domains, document)
  const ofAll = [
    ...(tls === undefined && domains.some(({ jwt }) => jwt === undefined) ? [NO_TLS] : []),
    ...(settings.auth === 'none' ? ['auth: none lets everybody call, whatever stands here'] : []),
    ...(chosen.ok ? [] : chosen.error),
  ]
  const faults = [
    ...ofAll.map((fault) => `${LIST}: ${fault}`),
    ...trustDomainFaults(LIST, domains).map(faultWords),
  ]
  return chosen.ok && faults.length === 0 ? chosen : fail(faults)
}
