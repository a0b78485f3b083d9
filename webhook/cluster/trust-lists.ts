// The floor's lists of who may be trusted, as the cluster configuration has them: what is wrong with them beyond their
// form. Pure.

import { z } from 'zod'
import type { IssuerEntry } from '../../shared/issuers.ts'
import type { SchemaFault } from '../../shared/schema-words.ts'
import { trustDomainFaults } from '../../shared/trust-domains.ts'
import type { Floor } from '../settings/floor.ts'
import { EVERY_NAMESPACE, patternFault, sharedFault, urlOf } from '../settings/public-urls.ts'

const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

/** The URLs of one namespace's servers. */
const url = z.string().min(1).max(2048)
const name = z.string().min(1).max(253)
const urls = z
  .array(
    z.union([
      url,
      z.strictObject({
        url,
        /** Of the workload. */
        name: name.optional(),
        serviceAccount: name.optional(),
      }),
    ]),
  )
  .max(256)

/** For whom a list is: what is no name of a namespace would hold for nobody, in silence. */
export const namespaceSchema = z
  .string()
  .refine(
    (name) => name === EVERY_NAMESPACE || NAMESPACE.test(name),
    'must be a namespace, or * for every namespace',
  )

export const publicUrlsSchema = z.record(namespaceSchema, urls).superRefine((listed, context) => {
  for (const [namespace, patterns] of Object.entries(listed)) {
    for (const [index, one] of patterns.entries()) {
      const pattern = urlOf(one)
      const shared = namespace === EVERY_NAMESPACE ? sharedFault(pattern) : undefined
      const message = patternFault(pattern) ?? shared
      if (message !== undefined)
        context.addIssue({ code: 'custom', message, path: [namespace, index] })
    }
  }
})

/** Where a pod's own server could answer in the place of who is asked. */
const isHere = (urls: readonly string[], hosts: IssuerEntry['hosts']): boolean =>
  urls.some((one) => one.startsWith('http:')) || hosts.some(({ reach }) => reach === 'loopback')

const HERE =
  'loopback is the pod’s own server, which could sign its own callers: use https and reach public or private; floor.allowLoopbackIssuers: true is for servers on one’s own machine'

const COMMA =
  'no annotation could choose it: a comma is what separates the items of oidc-issuers and oidc-audience'

/** Where it is asked for something. */
const endpointsOf = ({ url, introspectionUrl = '', tokenExchange }: Floor['issuers'][number]) => [
  url,
  introspectionUrl,
  tokenExchange?.url ?? '',
]

/** What is wrong with the issuers beyond the form of each. */
export const issuerFaults = ({ issuers, allowLoopbackIssuers }: Floor): readonly SchemaFault[] => {
  const own = issuers.findIndex(({ serviceAccounts }) => serviceAccounts)
  return issuers.flatMap((issuer, index) => {
    const at = (member: string, message: string): SchemaFault => ({
      path: ['floor', 'issuers', String(index), member],
      message,
    })
    const first = issuers.findIndex(({ url }) => url === issuer.url)
    return [
      ...(first === index ? [] : [at('url', `stands there twice: at floor.issuers.${first}, too`)]),
      ...(issuer.url.includes(',') ? [at('url', COMMA)] : []),
      ...(issuer.serviceAccounts && index !== own
        ? [at('serviceAccounts', `a cluster has one issuer of its own: floor.issuers.${own}`)]
        : []),
      ...((issuer.audiences ?? []).some((one) => one.includes(','))
        ? [at('audiences', COMMA)]
        : []),
      ...(isHere(endpointsOf(issuer), issuer.hosts) && !allowLoopbackIssuers
        ? [at('url', HERE)]
        : []),
    ]
  })
}

/** What is wrong with the trust domains beyond the form of each. */
export const listedDomainFaults = ({
  trustDomains,
  allowLoopbackIssuers,
}: Floor): readonly SchemaFault[] => [
  ...trustDomainFaults('floor.trustDomains', trustDomains),
  ...trustDomains.flatMap(({ bundleUrl = '', hosts = [], jwt }, index) => {
    const at = (member: string, message: string): SchemaFault => ({
      path: ['floor', 'trustDomains', String(index), member],
      message,
    })
    return [
      ...(isHere([bundleUrl], hosts) && !allowLoopbackIssuers ? [at('bundleUrl', HERE)] : []),
      ...((jwt?.audiences ?? []).some((one) => one.includes(',')) ? [at('jwt', COMMA)] : []),
    ]
  }),
]
