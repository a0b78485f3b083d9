import { beforeAll, describe, expect, test } from '@jest/globals'
import { createKeyPair } from '../../../../certs/keys.ts'
import { shortDigest } from '../../../../certs/authorities.ts'
import { secretChange, type SecretTexts } from '../../../../certs/stored-authority.ts'
import { createAuthority, signLeaf, type Authority, type Leaf } from '../../../../certs/x509.ts'
import { inspect, type Material } from '../../../../cli/certs/inspection.ts'
import { isPem, materialIn, materialInPem, servingIn } from '../../../../cli/certs/material.ts'
import { inspectionText } from '../../../../cli/certs/text.ts'

const NOW = new Date('2026-11-30T00:00:00Z')
const DAY_MS = 86_400_000
const daysOn = (days: number): Date => new Date(NOW.getTime() + days * DAY_MS)
const serial = new Uint8Array(16).fill(1)

let [ours, other]: [Authority, Authority] = [
  { certificatePem: '', privateKeyPem: '' },
  { certificatePem: '', privateKeyPem: '' },
]
let leaf: Leaf

beforeAll(async () => {
  const [one, two] = [await createKeyPair(), await createKeyPair()]
  ours = createAuthority({ keys: one, now: NOW, serial, lifetimeMs: 365 * DAY_MS })
  other = createAuthority({ keys: two, now: NOW, serial, lifetimeMs: 365 * DAY_MS })
  const template = { keys: two, now: NOW, serial, lifetimeMs: 7 * DAY_MS }
  leaf = signLeaf(ours, { ...template, names: ['outrigger-webhook'] })
}, 60_000)

const textsOf = (current: Authority | undefined, next?: Authority): SecretTexts => {
  const change = secretChange({ current, next, old: [], oldUntil: undefined })
  return Object.fromEntries(Object.entries(change).map(([key, text]) => [key, text ?? undefined]))
}

/** All is well, but for what the row says. */
const faultsOf = (more: Partial<Material>): readonly string[] =>
  inspect({
    now: NOW,
    stored: { where: 'Secret outrigger-system/outrigger-ca', texts: textsOf(ours) },
    bundles: [{ where: 'Mutating', pem: ours.certificatePem }],
    serving: [{ where: 'pod a', end: daysOn(5), authority: shortDigest(ours.certificatePem) }],
    kubectl: 'kubectl -n outrigger-system',
    ...more,
  }).faults.map(({ what, advice }) => `${what} -> ${advice}`)

describe('an inspection', () => {
  test('finds nothing wrong where nothing is', () => {
    expect(faultsOf({})).toEqual([])
  })

  test.each<readonly [string, () => Partial<Material>, RegExp]>([
    [
      'a Secret that is empty',
      () => ({ stored: { where: 'Secret a/outrigger-ca', texts: {} } }),
      /holds no authority yet -> .*get pods/,
    ],
    [
      'a key that is another’s',
      () => ({
        stored: {
          where: 'Secret a/outrigger-ca',
          texts: { ...textsOf(ours), 'ca.key': other.privateKeyPem },
        },
      }),
      /cannot sign: its key does not belong .* -> .*patch secret outrigger-ca --type=merge/,
    ],
    ['an authority that has ended', () => ({ now: daysOn(400) }), /cannot sign: it expired on/],
    ['one that nobody replaces', () => ({ now: daysOn(300) }), /is not being replaced -> .*logs/],
    [
      'a caBundle that is empty',
      () => ({ bundles: [{ where: 'Mutating', pem: '' }] }),
      /Mutating has no caBundle: calls by it fail/,
    ],
    [
      'a caBundle that cannot be read',
      () => ({ bundles: [{ where: 'Mutating', pem: 'x' }] }),
      /caBundle of Mutating cannot be read/,
    ],
    [
      'a caBundle that lacks the next authority',
      () => ({
        stored: { where: 'Secret a/outrigger-ca', texts: textsOf(ours, other) },
      }),
      /lacks [0-9a-f]{16} \(next\) -> .*within a minute/,
    ],
    [
      'a replica whose authority nobody trusts',
      () => ({ serving: [{ where: 'pod a', end: daysOn(5), authority: 'ab' }] }),
      /nobody in the caBundle of Mutating vouches for pod a/,
    ],
    [
      'a replica whose certificate is over',
      () => ({
        serving: [{ where: 'pod a', end: daysOn(-1), authority: shortDigest(ours.certificatePem) }],
      }),
      /of pod a has ended at 2026-11-29T00:00:00Z/,
    ],
    [
      'a replica that tells nothing',
      () => ({ serving: [servingIn('a', '')] }),
      /pod a shows no certificate/,
    ],
  ])('names %s, with what to do', (_name, more, fault) => {
    expect(faultsOf(more()).join('\n')).toMatch(fault)
  })

  test('of a mounted certificate sees who has signed it, and says when nobody trusted has', () => {
    const serving = [{ where: 'Secret a/tls', pem: leaf.certificatePem }]
    const trusted = { stored: undefined, serving }
    expect(faultsOf(trusted)).toEqual([])
    const bundles = [{ where: 'Mutating', pem: other.certificatePem }]
    expect(faultsOf({ ...trusted, bundles }).join()).toContain('vouches for Secret a/tls')
  })
})

describe('what is looked at', () => {
  const encode = (text: string): string => Buffer.from(text).toString('base64')

  test('in objects: the Secret, each entry where they differ, and a mounted certificate', () => {
    const entry = (name: string, pem: string) => ({
      name,
      clientConfig: pem === '' ? {} : { caBundle: encode(pem) },
    })
    const configuration = (...webhooks: readonly ReturnType<typeof entry>[]) => ({
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: 'outrigger' },
      webhooks,
    })
    const secret = (name: string, data: Record<string, string>) => ({
      kind: 'Secret',
      metadata: { name, namespace: 'a' },
      data,
    })
    const found = materialIn([
      secret('outrigger-ca', { 'ca.crt': encode('c'), 'ca.key': encode('k') }),
      secret('tls', { 'tls.crt': encode('l') }),
      configuration(entry('one', 'p'), entry('two', 'p')),
      configuration(entry('one', 'p'), entry('two', '')),
    ])
    expect(found).toEqual({
      stored: { where: 'Secret a/outrigger-ca', texts: { 'ca.crt': 'c', 'ca.key': 'k' } },
      bundles: [
        { where: 'MutatingWebhookConfiguration outrigger', pem: 'p' },
        { where: 'MutatingWebhookConfiguration outrigger, one', pem: 'p' },
        { where: 'MutatingWebhookConfiguration outrigger, two', pem: '' },
      ],
      serving: [{ where: 'Secret a/tls', pem: 'l' }],
    })
  })

  test('in PEM: authorities are a bundle, the rest is what serves', () => {
    const text = `${leaf.certificatePem}${ours.certificatePem}`
    expect([isPem(text), isPem(`kind: Secret\n${text}`), isPem('x')]).toEqual([true, false, false])
    const read = materialInPem('tls.pem', text)
    const found = read.ok ? read.value : { bundles: [], serving: [] }
    expect(found.bundles).toHaveLength(1)
    expect(found.serving).toHaveLength(1)
    expect(faultsOf(found)).toEqual([])
  })

  test('no key is ever shown', () => {
    const stored = { where: 'Secret a/outrigger-ca', texts: textsOf(ours, other) }
    const bundles = [{ where: 'Mutating', pem: ours.certificatePem }]
    const found = inspect({ now: NOW, stored, bundles, serving: [], kubectl: 'kubectl' })
    const shown = `${JSON.stringify(found)}${inspectionText(found)}`
    expect(shown).not.toContain('PRIVATE KEY')
    expect(shown).toContain(shortDigest(other.certificatePem))
  })
})
