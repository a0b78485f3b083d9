// A certificate with its key, as two PEM texts hold them: usable, or everything that is wrong with them, each with what to
// do. Pure.

import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { codeOf } from './error-code.ts'
import { fail, ok, type Result } from './result.ts'

export interface PemFiles {
  readonly certFile: string
  readonly keyFile: string
}

export interface PemTexts {
  readonly cert: string
  readonly key: string
}

export interface KeyPair extends PemTexts {
  /** The server's own, the first of the text. */
  readonly certificate: X509Certificate
  readonly subject: string
  readonly notAfterMs: number
}

export const MIN_VERSION = 'TLSv1.2'

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
/** A leaf and what lies between it and a root. */
const MAX_CERTIFICATES = 16

/** The certificates of a text, in their order; the reason where one of them is none, or there are none. */
export const certificatesIn = (pem: string): Result<readonly X509Certificate[], string> => {
  const blocks = pem.match(BLOCK) ?? []
  if (blocks.length === 0) return fail('holds no certificate in PEM')
  if (blocks.length > MAX_CERTIFICATES) return fail(`holds more than ${MAX_CERTIFICATES} of them`)
  const certificates: X509Certificate[] = []
  for (const block of blocks) {
    try {
      certificates.push(new X509Certificate(block))
    } catch {
      return fail(`its certificate number ${certificates.length + 1} cannot be read`)
    }
  }
  return ok(certificates)
}

const keyIn = (pem: string): Result<KeyObject, string> => {
  if (/ENCRYPTED/.test(pem)) return fail('is encrypted: write it without a passphrase')
  try {
    return ok(createPrivateKey({ key: pem, format: 'pem' }))
  } catch {
    return fail('holds no private key in PEM')
  }
}

/** `CN=a, O=b`, as one line. */
const subjectOf = (certificate: X509Certificate): string =>
  (certificate.subject || certificate.subjectAltName || 'nobody').replaceAll('\n', ', ')

/** What is wrong with the time of a certificate; undefined where it is valid now. */
const timeFault = ({ validFrom, validTo }: X509Certificate, nowMs: number): string | undefined => {
  if (!(nowMs < Date.parse(validTo))) return `has expired at ${validTo}: put a new one there`
  return Date.parse(validFrom) <= nowMs
    ? undefined
    : `is not valid before ${validFrom}: look at this machine's clock`
}

/** Why the key is not the certificate's; undefined where it is. */
const matchFault = (
  [first, ...others]: readonly X509Certificate[],
  key: KeyObject,
): string | undefined => {
  if (first === undefined || first.checkPrivateKey(key)) return undefined
  return others.some((other) => other.checkPrivateKey(key))
    ? "is another's than the first certificate's: the server's own comes first, then those that signed it"
    : `does not belong to the certificate (${subjectOf(first)}): the two must be written together`
}

/** What OpenSSL has against them, such as a key that is too short. */
const contextFault = ({ cert, key }: PemTexts): string | undefined => {
  try {
    createSecureContext({ cert, key, minVersion: MIN_VERSION })
    return undefined
  } catch (error) {
    return `cannot be used by OpenSSL (${codeOf(error)})`
  }
}

const pairFaults = (
  texts: PemTexts,
  { certFile, keyFile }: PemFiles,
  found: { readonly chain: readonly X509Certificate[]; readonly key: KeyObject },
  nowMs: number,
): readonly string[] => {
  const [first] = found.chain
  const time = first && timeFault(first, nowMs)
  const match = matchFault(found.chain, found.key)
  const other = time === undefined && match === undefined ? contextFault(texts) : undefined
  return [
    ...(time === undefined ? [] : [`the certificate ${certFile} ${time}`]),
    ...(match === undefined ? [] : [`the key ${keyFile} ${match}`]),
    ...(other === undefined
      ? []
      : [`the certificate ${certFile} with its key ${keyFile} ${other}`]),
  ]
}

/** The pair, or every fault by its file. */
export const readKeyPair = (
  texts: PemTexts,
  files: PemFiles,
  nowMs: number,
): Result<KeyPair, readonly string[]> => {
  const [chain, key] = [certificatesIn(texts.cert), keyIn(texts.key)]
  if (!chain.ok || !key.ok) {
    return fail([
      ...(chain.ok ? [] : [`the certificate ${files.certFile} ${chain.error}`]),
      ...(key.ok ? [] : [`the key ${files.keyFile} ${key.error}`]),
    ])
  }
  const faults = pairFaults(texts, files, { chain: chain.value, key: key.value }, nowMs)
  const [first] = chain.value
  return faults.length > 0 || first === undefined
    ? fail(faults)
    : ok({
        ...texts,
        certificate: first,
        subject: subjectOf(first),
        notAfterMs: Date.parse(first.validTo),
      })
}
