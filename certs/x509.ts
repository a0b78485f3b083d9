// Assembles and signs X.509 certificates: one authority, leaves that it signs, and such as nobody else has signed. Keys, time
// and serial numbers are arguments. The only importer of node-forge.

import { constants, createPrivateKey, privateEncrypt, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import forge from 'node-forge'
import type { KeyPair } from './keys.ts'

export interface Authority {
  readonly certificatePem: string
  readonly privateKeyPem: string
}

/** A serving certificate with its key and the authority that vouches for it. */
export interface Leaf {
  readonly certificatePem: string
  readonly privateKeyPem: string
  readonly authorityPem: string
  readonly notBefore: Date
  readonly notAfter: Date
}

interface Template {
  readonly keys: KeyPair
  readonly now: Date
  /** 16 random bytes. */
  readonly serial: Uint8Array
  readonly lifetimeMs: number
}

const DAY_MS = 86_400_000
export const AUTHORITY_LIFETIME_MS = 365 * DAY_MS
/** Clocks differ: a certificate is valid from a little before it was made, of a short life a twelfth. */
const MAX_SKEW_MS = 5 * 60_000
export const skewMs = (lifetimeMs: number): number => Math.min(MAX_SKEW_MS, lifetimeMs / 12)
/** By this name an authority is known as one that we have made, and may replace. */
export const AUTHORITY_NAME = 'Outrigger webhook CA'

const attributes = (commonName: string): forge.pki.CertificateField[] => [
  { name: 'commonName', value: commonName },
]

// A serial number is positive and at most 20 octets (RFC 5280 section 4.1.2.2).
const serialNumber = (bytes: Uint8Array): string => `01${Buffer.from(bytes).toString('hex')}`

/** As it stands in a certificate. */
const wholeSecond = (ms: number): Date => new Date(ms - (ms % 1000))

const draft = ({ keys, now, serial, lifetimeMs }: Template): forge.pki.Certificate => {
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.publicKeyFromPem(keys.publicKeyPem)
  certificate.serialNumber = serialNumber(serial)
  certificate.validity.notBefore = wholeSecond(now.getTime() - skewMs(lifetimeMs))
  certificate.validity.notAfter = wholeSecond(now.getTime() + lifetimeMs)
  return certificate
}

/** What stands before a SHA-256 digest where it is signed by RSA (RFC 8017 section 9.2). */
const SHA_256 = Buffer.from('3031300d060960864801650304020105000420', 'hex')

/** Signs natively: in JavaScript one signature keeps every review waiting for tens of milliseconds. */
const signerOf = (privateKeyPem: string): forge.pki.rsa.PrivateKey => {
  const key = createPrivateKey(privateKeyPem)
  const signer = forge.pki.privateKeyFromPem(privateKeyPem)
  signer.sign = (digest) => {
    if (typeof digest === 'string') throw new Error('a digest is signed, not a text')
    const bytes = Buffer.concat([SHA_256, Buffer.from(digest.digest().getBytes(), 'latin1')])
    return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, bytes).toString('latin1')
  }
  return signer
}

const sign = (certificate: forge.pki.Certificate, privateKeyPem: string): string => {
  certificate.sign(signerOf(privateKeyPem), forge.md.sha256.create())
  return forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n')
}

/** A self-signed authority that may sign leaves and nothing below them. */
export const createAuthority = (template: Template): Authority => {
  const certificate = draft(template)
  certificate.setSubject(attributes(AUTHORITY_NAME))
  certificate.setIssuer(attributes(AUTHORITY_NAME))
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
    { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
    { name: 'subjectKeyIdentifier' },
  ])
  const { privateKeyPem } = template.keys
  return { certificatePem: sign(certificate, privateKeyPem), privateKeyPem }
}

const altName = (name: string): object =>
  isIP(name) ? { type: 7, ip: name } : { type: 2, value: name }

/** By which of its keys an authority signs, where it says so: two of ours bear one name, and a bundle may hold both. */
const keyIdentifierOf = (issuer: forge.pki.Certificate): readonly object[] => {
  const extension = issuer.getExtension('subjectKeyIdentifier')
  if (!extension || !('subjectKeyIdentifier' in extension)) return []
  const bytes = Buffer.from(String(extension.subjectKeyIdentifier), 'hex')
  return [{ name: 'authorityKeyIdentifier', keyIdentifier: bytes.toString('latin1') }]
}

interface Named extends Template {
  /** DNS names or addresses. */
  readonly names: readonly [string, ...string[]]
}

/** A serving certificate for the names, signed by the authority; it never outlives that. */
export const signLeaf = (authority: Authority, template: Named): Leaf => {
  const certificate = draft(template)
  const end = new Date(new X509Certificate(authority.certificatePem).validTo)
  if (certificate.validity.notAfter > end) certificate.validity.notAfter = end
  certificate.setSubject(attributes(template.names[0].slice(0, 64)))
  const issuer = forge.pki.certificateFromPem(authority.certificatePem)
  certificate.setIssuer(issuer.subject.attributes)
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: false },
    { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: template.names.map(altName) },
    ...keyIdentifierOf(issuer),
  ])
  return {
    certificatePem: sign(certificate, authority.privateKeyPem),
    privateKeyPem: template.keys.privateKeyPem,
    authorityPem: authority.certificatePem,
    notBefore: certificate.validity.notBefore,
    notAfter: certificate.validity.notAfter,
  }
}

/** A certificate that is believed by whoever holds it, of either end of a connection: it has signed itself and can sign no other. */
export const createPinned = (template: Named): Pick<Leaf, 'certificatePem' | 'privateKeyPem'> => {
  const certificate = draft(template)
  const name = attributes(template.names[0].slice(0, 64))
  certificate.setSubject(name)
  certificate.setIssuer(name)
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: false },
    { name: 'keyUsage', critical: true, digitalSignature: true },
    { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
    { name: 'subjectAltName', altNames: template.names.map(altName) },
  ])
  const { privateKeyPem } = template.keys
  return { certificatePem: sign(certificate, privateKeyPem), privateKeyPem }
}
