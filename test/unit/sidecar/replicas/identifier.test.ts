// Session ids that say which replica holds them: nobody makes one, or another of one, without the key.

import { describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { addressOf } from '../../../../shared/address.ts'
import { mintId, readId } from '../../../../sidecar/replicas/identifier.ts'

const KEY = Buffer.alloc(32, 1)
const OTHER = Buffer.alloc(32, 2)
const FORGED = { ok: false, error: 'forged' }

const bytesOf = (address: string): Uint8Array => {
  const bytes = addressOf(address)
  if (!bytes) throw new Error(`${address} is no address`)
  return bytes
}
const mint = (address: string, key = KEY): string => mintId(key, bytesOf(address), randomBytes)

describe.each([
  ['IPv4', '10.1.2.3', 48],
  ['IPv6', 'fd00::1:2', 64],
])('an address of %s', (_name, address, length) => {
  test('is read from an id that its replica has minted', () => {
    const id = mint(address)
    expect(id).toMatch(new RegExp(`^[\\w-]{${length}}$`))
    expect(readId([KEY], id)).toEqual({ ok: true, value: address })
    expect(readId([OTHER, KEY], id)).toEqual({ ok: true, value: address })
  })

  test('is nobody’s where one letter of the id is another', () => {
    const id = mint(address)
    for (let at = 0; at < id.length; at++) {
      const letter = id[at] === 'A' ? 'B' : 'A'
      expect(readId([KEY], `${id.slice(0, at)}${letter}${id.slice(at + 1)}`)).toEqual(FORGED)
    }
  })

  test('is nobody’s without its key', () => {
    expect(readId([OTHER], mint(address))).toEqual(FORGED)
    expect(readId([], mint(address))).toEqual(FORGED)
  })
})

test('two ids have nothing in common at their beginnings', () => {
  const names = Array.from({ length: 100 }, () => mint('10.1.2.3').slice(0, 8))
  expect(new Set(names).size).toBe(100)
})

test.each([
  ['nothing', ''],
  ['an id that says nothing', randomBytes(24).toString('base64url')],
  ['an id that is cut off', mint('10.1.2.3').slice(1)],
  ['an id with something behind it', `${mint('10.1.2.3')}\n`],
  ['other letters', '!'.repeat(48)],
])('%s has not the form', (_name, id) => {
  expect(readId([KEY], id)).toBeUndefined()
})
