// What the flags of `outrigger run` say of a trust domain whose workloads may call: read, and as the sidecar's document has
// it. Pure.

import { resolve } from 'node:path'
import { fail, ok, type Result } from '../../shared/result.ts'
import { trustDomainOfPattern } from '../../shared/spiffe.ts'
import type { Given } from '../command/flags.ts'

export interface SpiffeFlags {
  readonly ids: readonly string[]
  /** The file of their bundle, or where it is to be had. */
  readonly bundle:
    | { readonly file: string }
    | {
        readonly url: string
        /** The file of its certificate's authorities. */
        readonly ca: string | undefined
        /** Whom to find there, and the file of the bundle by which that is believed at first. */
        readonly endpoint: { readonly id: string; readonly first: string } | undefined
      }
  readonly takesJwt: boolean
}

/** What stands in the files of an endpoint's flags. */
export interface BundleTexts {
  readonly ca: string | undefined
  readonly first: string | undefined
}

/** One place, or with the endpoint's ID both. */
const bundleIn = ({ text }: Given): SpiffeFlags['bundle'] | undefined => {
  const [file, url, id] = [
    text('spiffe-bundle'),
    text('spiffe-bundle-url'),
    text('spiffe-endpoint-id'),
  ]
  const ca = text('spiffe-bundle-ca')
  if (id === undefined) {
    if (file !== undefined) return url === undefined ? { file } : undefined
    return url === undefined ? undefined : { url, ca, endpoint: undefined }
  }
  return file === undefined || url === undefined
    ? undefined
    : { url, ca, endpoint: { id, first: file } }
}

const SPIFFE = ['spiffe-ids', 'spiffe-bundle', 'spiffe-bundle-url'] as const

/** Flags about an endpoint that there is none of. */
const strayFault = ({ text }: Given): string | undefined => {
  const [url, file] = [text('spiffe-bundle-url'), text('spiffe-bundle')]
  if (text('spiffe-bundle-ca') !== undefined && url === undefined) {
    return '--spiffe-bundle-ca: of no use without --spiffe-bundle-url URL'
  }
  const isFound = url !== undefined && file !== undefined
  return text('spiffe-endpoint-id') === undefined || isFound
    ? undefined
    : '--spiffe-endpoint-id: of no use without --spiffe-bundle-url URL, and --spiffe-bundle FILE by which it is believed at first'
}

/** Whose they are and one bundle, or nothing. */
export const spiffeIn = (given: Given): Result<SpiffeFlags | undefined, string> => {
  const stray = strayFault(given)
  if (stray !== undefined) return fail(stray)
  const takesJwt = given.has('spiffe-jwt')
  if (!takesJwt && SPIFFE.every((flag) => given.text(flag) === undefined)) return ok(undefined)
  const ids = given.text('spiffe-ids')
  const bundle = bundleIn(given)
  return ids === undefined || bundle === undefined
    ? fail(
        '--spiffe-ids needs one of --spiffe-bundle and --spiffe-bundle-url, and neither they nor --spiffe-jwt are of use without it',
      )
    : ok({ ids: ids.split(',').map((id) => id.trim()), bundle, takesJwt })
}

/** As of issuers, what is named may be on this machine or network. */
const placeOf = (
  { bundle }: SpiffeFlags,
  { ca, first }: BundleTexts,
): Readonly<Record<string, unknown>> => {
  if ('file' in bundle) return { bundleFile: resolve(bundle.file) }
  const { url: bundleUrl, endpoint } = bundle
  const host = URL.parse(bundleUrl)?.host ?? ''
  const shown = endpoint ? { endpointId: endpoint.id, bundle: first } : {}
  const hosts = [{ host, reach: 'loopback' }]
  return { bundleUrl, hosts, ...shown, ...(ca === undefined ? {} : { ca }) }
}

/** The member of the document; nothing where no flag says anything. */
export const trustDomainsIn = (
  spiffe: SpiffeFlags | undefined,
  audiences: readonly string[],
  texts: BundleTexts,
): { readonly trustDomains?: unknown } => {
  if (spiffe === undefined) return {}
  const { ids, takesJwt } = spiffe
  const name = trustDomainOfPattern(ids[0] ?? '') ?? ''
  const jwt = takesJwt ? { jwt: audiences.length === 0 ? {} : { audiences } } : {}
  return { trustDomains: [{ name, ids, ...placeOf(spiffe, texts), ...jwt }] }
}
