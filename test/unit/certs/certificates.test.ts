import { createPrivateKey, X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { createKeyPair, type KeyPair } from '../../../certs/keys.ts'
import {
  checkAuthority,
  ensureAuthority,
  type AuthorityStore,
} from '../../../certs/stored-authority.ts'
import { createAuthority, signLeaf, type Authority, type Leaf } from '../../../certs/x509.ts'

const NOW = new Date('2026-11-23T00:00:00Z')
const DAY_MS = 86_400_000
const serial = new Uint8Array(16).fill(255)

let keys: KeyPair
let otherKeys: KeyPair
let authority: Authority
let made: Authority
let leaf: Leaf

beforeAll(async () => {
  keys = await createKeyPair()
  otherKeys = await createKeyPair()
  authority = createAuthority({ keys, now: NOW, serial, lifetimeMs: 30 * DAY_MS })
  made = createAuthority({ keys: otherKeys, now: NOW, serial, lifetimeMs: DAY_MS })
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

  test('validity begins a little early and ends on time; the serial number is positive', () => {
    const certificate = new X509Certificate(leaf.certificatePem)
    expect(new Date(certificate.validFrom)).toEqual(new Date(NOW.getTime() - 300_000))
    expect(new Date(certificate.validTo)).toEqual(new Date(NOW.getTime() + DAY_MS))
    expect(certificate.serialNumber).toMatch(/^01F+$/)
  })
})

describe('checkAuthority', () => {
  test.each([
    ['fits', () => authority, NOW, true],
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

describe('ensureAuthority', () => {
  /** A Secret in memory; `before` runs ahead of each write, as a rival replica would. */
  const memoryStore = (
    before: (write: (authority: Authority | undefined) => void) => void = () => undefined,
  ): AuthorityStore & { current(): Authority | undefined } => {
    let stored: Authority | undefined
    let version = 1
    const put = (next: Authority | undefined): void => {
      stored = next
      version += 1
    }
    return {
      current: () => stored,
      read: () => Promise.resolve({ authority: stored, version: String(version) }),
      write: (next, expected) => {
        before(put)
        if (String(version) !== expected) return Promise.resolve('conflict')
        put(next)
        return Promise.resolve('written')
      },
    }
  }

  const create = (): Promise<Authority> => Promise.resolve(made)

  test('makes and stores one where there is none', async () => {
    const store = memoryStore()
    const result = await ensureAuthority(store, create, NOW)
    expect(result).toEqual({ ok: true, value: store.current() })
  })

  test('reads what is there, and makes none', async () => {
    const store = memoryStore()
    await store.write(authority, '1')
    const never = (): Promise<Authority> => Promise.reject(new Error('made one'))
    expect(await ensureAuthority(store, never, NOW)).toEqual({ ok: true, value: authority })
  })

  test('the first writer wins; the loser takes what it wrote', async () => {
    let isFirst = true
    const store = memoryStore((put) => {
      if (isFirst) put(authority)
      isFirst = false
    })
    expect(await ensureAuthority(store, create, NOW)).toEqual({ ok: true, value: authority })
  })

  test('two replicas at once end with the same one', async () => {
    const store = memoryStore()
    const [a, b] = await Promise.all([
      ensureAuthority(store, create, NOW),
      ensureAuthority(store, create, NOW),
    ])
    expect(a).toEqual(b)
    expect(a.ok).toBe(true)
  })

  test('what cannot be used is told, and not replaced', async () => {
    const store = memoryStore()
    const broken = { ...authority, privateKeyPem: 'x' }
    await store.write(broken, '1')
    const result = await ensureAuthority(store, create, NOW)
    expect(result).toMatchObject({ ok: false })
    expect(store.current()).toBe(broken)
  })

  test('gives up on a Secret that somebody else keeps changing', async () => {
    const store = memoryStore((put) => put(undefined))
    expect(await ensureAuthority(store, create, NOW)).toMatchObject({ ok: false })
  })
})
