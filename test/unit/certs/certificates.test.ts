import { createPrivateKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer } from 'node:tls'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { createKeyPair, type KeyPair } from '../../../certs/keys.ts'
import { checkAuthority } from '../../../certs/authorities.ts'
import {
  createAuthority,
  createPinned,
  signLeaf,
  type Authority,
  type Leaf,
} from '../../../certs/x509.ts'

const NOW = new Date('2026-11-23T00:00:00Z')
const DAY_MS = 86_400_000
const serial = new Uint8Array(16).fill(255)

let keys: KeyPair
let otherKeys: KeyPair
let authority: Authority
let leaf: Leaf

beforeAll(async () => {
  keys = await createKeyPair()
  otherKeys = await createKeyPair()
  authority = createAuthority({ keys, now: NOW, serial, lifetimeMs: 30 * DAY_MS })
  leaf = signLeaf(authority, {
    keys: otherKeys,
    now: NOW,
    serial,
    lifetimeMs: DAY_MS,
    names: ['outrigger-webhook.outrigger-system.svc', 'localhost', '127.0.0.1', '::1'],
  })
}, 60_000)

describe('certificates', () => {
  test('the authority signs, and only leaves', () => {
    const certificate = new X509Certificate(authority.certificatePem)
    expect(certificate.ca).toBe(true)
    expect(certificate.checkIssued(certificate)).toBe(true)
    expect(certificate.checkPrivateKey(createPrivateKey(authority.privateKeyPem))).toBe(true)
  })

  test('the leaf is the authority’s, for its names, and no authority', () => {
    const [issuer, certificate] = [authority.certificatePem, leaf.certificatePem].map(
      (pem) => new X509Certificate(pem),
    )
    expect(issuer && certificate?.checkIssued(issuer)).toBe(true)
    expect(issuer && certificate?.verify(issuer.publicKey)).toBe(true)
    expect(certificate?.ca).toBe(false)
    expect(certificate?.checkHost('outrigger-webhook.outrigger-system.svc')).toBeDefined()
    expect(certificate?.checkHost('elsewhere')).toBeUndefined()
    expect(certificate?.checkIP('127.0.0.1')).toBe('127.0.0.1')
    expect(certificate?.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
  })

  test('the leaf says which key has signed it, and never outlives its authority', () => {
    const issuer = new X509Certificate(authority.certificatePem)
    const template = { keys: otherKeys, now: NOW, serial, lifetimeMs: 90 * DAY_MS }
    const long = signLeaf(authority, { ...template, names: ['a'] })
    expect(new Date(new X509Certificate(long.certificatePem).validTo)).toEqual(long.notAfter)
    expect(long.notAfter).toEqual(new Date(issuer.validTo))
    const other = createAuthority({ keys: otherKeys, now: NOW, serial, lifetimeMs: DAY_MS })
    // Of two authorities of one name OpenSSL takes the right one by its key.
    expect(new X509Certificate(long.certificatePem).checkIssued(issuer)).toBe(true)
    const wrong = new X509Certificate(other.certificatePem)
    expect(new X509Certificate(long.certificatePem).checkIssued(wrong)).toBe(false)
  })

  test('validity begins a little early and ends on time; the serial number is positive', () => {
    const certificate = new X509Certificate(leaf.certificatePem)
    expect(new Date(certificate.validFrom)).toEqual(new Date(NOW.getTime() - 300_000))
    expect(new Date(certificate.validTo)).toEqual(new Date(NOW.getTime() + DAY_MS))
    expect(certificate.serialNumber).toMatch(/^01F+$/)
  })
})

describe('a pinned certificate', () => {
  const name = 'replicas.deployment-a.team.outrigger'
  const pinned = (of: KeyPair, names: readonly [string, ...string[]] = [name]) =>
    createPinned({ keys: of, now: new Date(), serial, lifetimeMs: 3650 * DAY_MS, names })

  test('is both ends’, long good, and signs nothing', () => {
    const { certificatePem, privateKeyPem } = pinned(keys)
    const certificate = new X509Certificate(certificatePem)
    expect(certificate.ca).toBe(false)
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(certificate.checkPrivateKey(createPrivateKey(privateKeyPem))).toBe(true)
    expect(certificate.subjectAltName).toBe(`DNS:${name}`)
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
    expect(new Date(certificate.validTo).getTime() - Date.now()).toBeGreaterThan(3649 * DAY_MS)
  })

  test('a name that is longer than a subject may be is whole among its names', () => {
    const long = `replicas.${'a'.repeat(63)}.team.outrigger`
    const certificate = new X509Certificate(pinned(keys, [long]).certificatePem)
    expect(certificate.subjectAltName).toBe(`DNS:${long}`)
  })

  /** What a client hears where both ends must know each other. */
  const shake = async (client: KeyPair): Promise<string> => {
    const { certificatePem: cert, privateKeyPem: key } = pinned(keys)
    const version = { minVersion: 'TLSv1.3' } as const
    const server = createServer({ cert, key, ca: cert, requestCert: true, ...version }, (socket) =>
      socket.end(`known: ${socket.authorized}`),
    )
    server.on('tlsClientError', () => undefined)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const own = pinned(client)
    const pair = { cert: own.certificatePem, key: own.privateKeyPem }
    const socket = connect({ port, host: '127.0.0.1', ca: cert, servername: name, ...pair, ...version }) // prettier-ignore
    try {
      let text = ''
      for await (const chunk of socket) text += String(chunk)
      return text
    } catch {
      return ''
    } finally {
      socket.destroy()
      server.close()
    }
  }

  test('two who hold it know each other over TLS 1.3, and nobody else', async () => {
    expect(await shake(keys)).toBe('known: true')
    expect(await shake(otherKeys)).toBe('')
  })
})

describe('checkAuthority', () => {
  test.each([
    ['fits', () => authority, NOW, true],
    ['is not valid yet', () => authority, new Date(NOW.getTime() - DAY_MS), false],
    ['has expired', () => authority, new Date(NOW.getTime() + 31 * DAY_MS), false],
    [
      'has another key',
      () => ({ ...authority, privateKeyPem: otherKeys.privateKeyPem }),
      NOW,
      false,
    ],
    ['is a leaf', () => leaf, NOW, false],
    ['is no certificate', () => ({ ...authority, certificatePem: 'x' }), NOW, false],
    ['has no key', () => ({ ...authority, privateKeyPem: '' }), NOW, false],
  ])('an authority that %s', (_name, make, now, isRight) => {
    expect(checkAuthority(make(), now).ok).toBe(isRight)
  })
})
