// What an inspection looks at: the objects of a cluster, of a file of them, or certificates in PEM. Keys are never kept.

import { objectAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { certificatesIn } from '../../shared/key-pair.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { TLS_CERT_KEY } from '../../shared/names.ts'
import type { Bundle, Material, Serving } from './inspection.ts'

export const CA_SECRET = 'outrigger-ca'
export const CONFIGURATION = 'outrigger'
export const KINDS = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'] as const

const decode = (text: string): string => Buffer.from(text, 'base64').toString()

const textsOf = (secret: JsonObject): Readonly<Record<string, string>> =>
  Object.fromEntries([
    ...Object.keys(objectAt(secret, 'data')).map((key) => [
      key,
      decode(stringAt(secret, 'data', key) ?? ''),
    ]),
    ...Object.keys(objectAt(secret, 'stringData')).map((key) => [
      key,
      stringAt(secret, 'stringData', key) ?? '',
    ]),
  ])

/** A configuration's bundles: one where all its entries have the same, else one for each. */
const bundlesOf = (configuration: JsonObject): readonly Bundle[] => {
  const called = `${stringAt(configuration, 'kind')} ${stringAt(configuration, 'metadata', 'name')}`
  const entries = objectsAt(configuration, 'webhooks').map((entry) => ({
    where: `${called}, ${stringAt(entry, 'name') ?? '?'}`,
    pem: decode(stringAt(entry, 'clientConfig', 'caBundle') ?? ''),
  }))
  const [first, ...others] = entries
  return first && others.every(({ pem }) => pem === first.pem)
    ? [{ where: called, pem: first.pem }]
    : entries
}

/** What there is of it, but for when it is looked at. */
export type Found = Pick<Material, 'stored' | 'bundles' | 'serving'>

const placeOf = (object: JsonObject): string => {
  const namespace = stringAt(object, 'metadata', 'namespace')
  const name = stringAt(object, 'metadata', 'name') ?? '?'
  return `Secret ${namespace === undefined ? '' : `${namespace}/`}${name}`
}

/** What objects hold of it; other objects are not looked at. */
export const materialIn = (objects: readonly JsonObject[]): Found => {
  const secrets = objects.filter((object) => object['kind'] === 'Secret')
  const ca = secrets.find((secret) => stringAt(secret, 'metadata', 'name') === CA_SECRET)
  const configurations = objects.filter((object) => KINDS.some((kind) => object['kind'] === kind))
  const served = secrets.filter((secret) => secret !== ca && textsOf(secret)[TLS_CERT_KEY])
  return {
    stored: ca && { where: placeOf(ca), texts: textsOf(ca) },
    bundles: configurations.flatMap(bundlesOf),
    serving: served.map((secret) => ({
      where: placeOf(secret),
      pem: textsOf(secret)[TLS_CERT_KEY],
    })),
  }
}

/** Certificates in PEM: authorities are a bundle, the first other one is what serves. */
export const materialInPem = (file: string, text: string): Result<Found, string> => {
  const read = certificatesIn(text)
  if (!read.ok) return fail(`${file}: ${read.error}`)
  const all = read.value
  const pem = all.filter(({ ca }) => ca).map(String)
  return ok({
    stored: undefined,
    bundles: pem.length === 0 ? [] : [{ where: file, pem: pem.join('') }],
    serving: all.filter(({ ca }) => !ca).map((each) => ({ where: file, pem: each.toString() })),
  })
}

/** What a replica says of its certificate in its metrics. */
export const servingIn = (pod: string, metrics: string): Serving => {
  const seconds = /^outrigger_certificate_not_after_seconds (\S+)$/m.exec(metrics)?.[1]
  const authority = /^outrigger_certificate_signed_by\{authority="([0-9a-f]+)"\} 1$/m.exec(
    metrics,
  )?.[1]
  return {
    where: `pod ${pod}`,
    end: seconds === undefined ? undefined : new Date(Number(seconds) * 1000),
    authority,
  }
}

/** Of certificates, or of something else, which is told to be none. */
export const isPem = (text: string): boolean =>
  text.includes('-----BEGIN ') && !/^\s*kind:|"kind":/m.test(text)
