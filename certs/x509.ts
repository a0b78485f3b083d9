// Assembles and signs X.509 certificates: one authority, and leaves that it signs. Keys, time and
// serial numbers are arguments. The only importer of node-forge.

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
export const AUTHORITY_LIFETIME_MS = 3650 * DAY_MS
// Clocks of nodes differ: a certificate is valid from a little before it was made.
const SKEW_MS = 5 * 60_000
const NAME = 'Outrigger webhook CA'

const attributes = (commonName: string): forge.pki.CertificateField[] => [
  { name: 'commonName', value: commonName },
]

// A serial number is positive and at most 20 octets (RFC 5280 section 4.1.2.2).
const serialNumber = (bytes: Uint8Array): string => `01${Buffer.from(bytes).toString('hex')}`

const draft = ({ keys, now, serial, lifetimeMs }: Template): forge.pki.Certificate => {
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.publicKeyFromPem(keys.publicKeyPem)
  certificate.serialNumber = serialNumber(serial)
  certificate.validity.notBefore = new Date(now.getTime() - SKEW_MS)
  certificate.validity.notAfter = new Date(now.getTime() + lifetimeMs)
  return certificate
}

const sign = (certificate: forge.pki.Certificate, privateKeyPem: string): string => {
  certificate.sign(forge.pki.privateKeyFromPem(privateKeyPem), forge.md.sha256.create())
  return forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n')
}

/** A self-signed authority that may sign leaves and nothing below them. */
export const createAuthority = (template: Template): Authority => {
  const certificate = draft(template)
  certificate.setSubject(attributes(NAME))
  certificate.setIssuer(attributes(NAME))
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

/** A serving certificate for the names, DNS names or addresses, signed by the authority. */
export const signLeaf = (
  authority: Authority,
  template: Template & { readonly names: readonly [string, ...string[]] },
): Leaf => {
  const issuer = forge.pki.certificateFromPem(authority.certificatePem)
  const certificate = draft(template)
  certificate.setSubject(attributes(template.names[0].slice(0, 64)))
  certificate.setIssuer(issuer.subject.attributes)
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: false },
    { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: template.names.map(altName) },
  ])
  return {
    certificatePem: sign(certificate, authority.privateKeyPem),
    privateKeyPem: template.keys.privateKeyPem,
    authorityPem: authority.certificatePem,
    notBefore: certificate.validity.notBefore,
    notAfter: certificate.validity.notAfter,
  }
}
