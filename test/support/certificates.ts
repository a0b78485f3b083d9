// Certificates as somebody else's authority would make them, right ones and wrong ones. Keys take a while, so that all share
// a few; no two authorities have the same.

import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  privateEncrypt,
} from 'node:crypto'
import { isIP } from 'node:net'
import forge from 'node-forge'

export interface Issued {
  readonly cert: string
  readonly key: string
}

export interface Terms {
  readonly commonName?: string
  /** DNS names and addresses. */
  readonly names?: readonly string[]
  readonly uris?: readonly string[]
  readonly isAuthority?: boolean
  /** How many authorities may stand below one. */
  readonly maxBelow?: number
  readonly keyUsage?: Readonly<Record<string, boolean>>
  readonly extended?: Readonly<Record<string, boolean>>
  /** Further extensions as node-forge takes them. */
  readonly extensions?: readonly object[]
  /** Milliseconds from now. */
  readonly fromMs?: number
  readonly untilMs?: number
  /** Who signs it; absent: it does so itself. */
  readonly by?: Issued
  readonly key?: string
}

const DAY_MS = 86_400_000

export const aKey = (modulusLength = 2048): string =>
  generateKeyPairSync('rsa', { modulusLength })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()

const shared = new Map<'leaf', string>()
const leafKey = (): string => {
  const key = shared.get('leaf') ?? aKey()
  shared.set('leaf', key)
  return key
}

const altNames = ({ names = [], uris = [] }: Terms): object[] => [
  ...names.map((name) => (isIP(name) ? { type: 7, ip: name } : { type: 2, value: name })),
  ...uris.map((value) => ({ type: 6, value })),
]

const usages = ({ isAuthority = false, keyUsage, extended }: Terms): object[] => [
  {
    name: 'keyUsage',
    critical: true,
    ...(keyUsage ??
      (isAuthority ? { keyCertSign: true, cRLSign: true } : { digitalSignature: true })),
  },
  ...(isAuthority && extended === undefined
    ? []
    : [{ name: 'extKeyUsage', ...(extended ?? { serverAuth: true, clientAuth: true }) }]),
]

const forgeKeyOf = (privatePem: string): forge.pki.PublicKey => {
  const publicKey = createPublicKey(createPrivateKey(privatePem))
  return forge.pki.publicKeyFromPem(publicKey.export({ type: 'spki', format: 'pem' }).toString())
}

const extensionsOf = (terms: Terms): object[] => {
  const alternative = altNames(terms)
  return [
    {
      name: 'basicConstraints',
      critical: true,
      cA: terms.isAuthority === true,
      ...(terms.maxBelow === undefined ? {} : { pathLenConstraint: terms.maxBelow }),
    },
    ...usages(terms),
    ...(alternative.length === 0 ? [] : [{ name: 'subjectAltName', altNames: alternative }]),
    ...(terms.extensions ?? []),
  ]
}

/** What says SHA-256 before a digest (RFC 8017, section 9.2). */
const SHA_256 = Buffer.from('3031300d060960864801650304020105000420', 'hex')

/** node-forge's own signature takes a second or more beside other work. */
const signerOf = (pem: string): forge.pki.rsa.PrivateKey => {
  const key = forge.pki.privateKeyFromPem(pem)
  key.sign = (digest) => {
    if (typeof digest === 'string') throw new Error('a digest is signed, no text')
    const bytes = Buffer.concat([SHA_256, Buffer.from(digest.digest().getBytes(), 'latin1')])
    const terms = { key: pem, padding: constants.RSA_PKCS1_PADDING }
    return privateEncrypt(terms, bytes).toString('latin1')
  }
  return key
}

let serial = 1

export const issue = (terms: Terms): Issued => {
  const { commonName = 'test', by, fromMs = -DAY_MS, untilMs = DAY_MS } = terms
  const key = terms.key ?? (terms.isAuthority === true ? aKey() : leafKey())
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forgeKeyOf(key)
  certificate.serialNumber = `01${(serial++).toString(16).padStart(8, '0')}`
  certificate.validity.notBefore = new Date(Date.now() + fromMs)
  certificate.validity.notAfter = new Date(Date.now() + untilMs)
  const subject = [{ name: 'commonName', value: commonName }]
  certificate.setSubject(subject)
  certificate.setIssuer(by ? forge.pki.certificateFromPem(by.cert).subject.attributes : subject)
  certificate.setExtensions(extensionsOf(terms))
  certificate.sign(signerOf(by?.key ?? key), forge.md.sha256.create())
  return { cert: forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n'), key }
}

export const anAuthority = (commonName = 'authority', more: Terms = {}): Issued =>
  issue({ commonName, isAuthority: true, ...more })
