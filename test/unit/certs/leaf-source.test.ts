import { describe, expect, test } from '@jest/globals'
import { renewalAt, whyRenew } from '../../../certs/leaf-source.ts'
import type { Leaf } from '../../../certs/x509.ts'

const HOUR_MS = 3_600_000
const START = new Date('2026-11-23T00:00:00Z')
const later = (hours: number): Date => new Date(START.getTime() + hours * HOUR_MS)

const leafOf = (authorityPem: string, from = START, hours = 90): Leaf => ({
  certificatePem: '',
  privateKeyPem: '',
  authorityPem,
  notBefore: from,
  notAfter: new Date(from.getTime() + hours * HOUR_MS),
})

describe('renewalAt', () => {
  test.each([
    ['two thirds of its life', 0.5, 60],
    ['earlier by jitter', 0, 55.5],
    ['later by jitter', 0.999_999, 64.5],
  ])('%s', (_name, random, hours) => {
    const at = renewalAt(leafOf('a'), random)
    expect((at.getTime() - START.getTime()) / HOUR_MS).toBeCloseTo(hours, 3)
  })
})

describe('whyRenew', () => {
  const held = { renewAt: later(60), lifetimeMs: 90 * HOUR_MS }
  test.each([
    ['there is none', undefined, later(1), 'there is none'],
    ['it is young', leafOf('a'), later(1), undefined],
    ['it is due', leafOf('a'), later(60), 'it is due'],
    ['it has expired', leafOf('a'), later(90), 'it has expired'],
    ['the time has gone back before it', leafOf('a'), later(-1), 'it is not valid yet'],
    ['the time has gone back since', leafOf('a', START, 900), later(1), 'its time was wrong'],
    ['another authority signs', leafOf('b'), later(1), 'another authority signs'],
  ])('where %s', (_name, leaf, now, why) => {
    const signing = { now, authorityPem: 'a', isTrusted: true }
    expect(whyRenew({ ...held, leaf }, signing)).toBe(why)
  })

  test.each([
    ['a leaf that serves waits, even where it is due', later(60), undefined],
    ['one that has expired does not', later(90), 'it has expired'],
  ])('for an authority that is not trusted everywhere yet %s', (_name, now, why) => {
    const signing = { now, authorityPem: 'a', isTrusted: false }
    expect(whyRenew({ ...held, leaf: leafOf('b') }, signing)).toBe(why)
  })
})
