// Trust domains whose workloads may call by their X.509-SVIDs: the entries of a configuration. Pure.

import * as z from 'zod/mini'
import { areAuthorities } from './authorities.ts'
import { fail, ok, type Result } from './result.ts'
import { faultWords, schemaFaults } from './schema-words.ts'
import { isTrustDomain, trustDomainOfPattern } from './spiffe.ts'

export const MAX_TRUST_DOMAINS = 16

const trustDomainName = z
  .string()
  .check(z.refine(isTrustDomain, 'must be the name of a trust domain, such as example.org'))

const bundle = z
  .string()
  .check(
    z.maxLength(262_144),
    z.refine(areAuthorities, 'must be certificates of authorities in PEM, and nothing else'),
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

const members = {
  name: trustDomainName,
  /** Of its workloads those that may call; `/*` at the end is everything below. */
  ids: spiffeIds,
}

/** With its authorities. */
export const trustDomainSchema = z.strictObject({ ...members, bundle })

/** With its authorities, or the file that holds them, which is read again whenever it changes. */
export const trustDomainSourceSchema = z.strictObject({
  ...members,
  bundle: z.optional(bundle),
  bundleFile: z.optional(z.string().check(z.startsWith('/'))),
})

/** As the cluster configuration lists it. @public */
export type TrustDomainEntry = Readonly<z.output<typeof trustDomainSchema>>
export type TrustDomainSource = Readonly<z.output<typeof trustDomainSourceSchema>>

const beyondForm = (domains: readonly TrustDomainSource[]): readonly string[] =>
  domains.flatMap(({ name, ids, bundle: inline, bundleFile }, index) => {
    const strange = ids.find((id) => trustDomainOfPattern(id) !== name)
    const isTwice = domains.findIndex((one) => one.name === name) !== index
    return [
      ...(isTwice ? [`${name} stands there twice`] : []),
      ...(strange === undefined ? [] : [`${name}: ids: ${strange} is of another trust domain`]),
      ...((inline === undefined) === (bundleFile === undefined)
        ? [`${name}: its authorities stand in one of bundle and bundleFile`]
        : []),
    ]
  })

const sources = z
  .array(trustDomainSourceSchema)
  .check(z.minLength(1), z.maxLength(MAX_TRUST_DOMAINS))

/** What of a sidecar's document decides about them. */
interface Document {
  readonly trustDomains?: unknown
  readonly tls?: object | undefined
  readonly settings: { readonly auth: string }
}

/** Reads those of a sidecar's document, which has some; on failure every error at once. */
export const readTrustDomains = ({
  trustDomains,
  tls,
  settings,
}: Document): Result<readonly TrustDomainSource[], readonly string[]> => {
  const shape = sources.safeParse(trustDomains)
  const faults = [
    ...(tls === undefined
      ? ['X.509-SVIDs are shown over TLS, which needs a certificate (tls)']
      : []),
    ...(settings.auth === 'none' ? ['auth: none lets everybody call, whatever stands here'] : []),
    ...(shape.success
      ? beyondForm(shape.data)
      : schemaFaults(sources, trustDomains, shape.error.issues).map(faultWords)),
  ]
  return shape.success && faults.length === 0
    ? ok(shape.data)
    : fail(faults.map((fault) => `trustDomains: ${fault}`))
}
