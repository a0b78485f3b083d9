// The keys of a workload's replicas: which are good, which are shown, and for how long.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyFiles, Keyring, readKeys, type Keys } from '../../../../sidecar/replicas/keys.ts'
import { issue } from '../../../support/certificates.ts'
import { writeKeys } from '../../../support/workload.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-keys-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const read = async (): Promise<ReturnType<ReturnType<typeof readKeys>>> => {
  const text = await keyFiles(folder).read()
  if (!text.ok) throw new Error(text.error)
  return readKeys(folder, () => Date.now())(text.value)
}

const newKeys = async (): Promise<Keys> => {
  rmSync(folder, { recursive: true, force: true })
  writeKeys(folder)
  const keys = await read()
  if (!keys.ok) throw new Error(keys.error.join())
  return keys.value
}

describe('the files', () => {
  test('are absent before there is a Secret, which is no fault', async () => {
    expect(await keyFiles(folder).read()).toEqual({ ok: true, value: undefined })
    expect(await keyFiles(join(folder, 'none')).read()).toEqual({ ok: true, value: undefined })
  })

  test('give a certificate and two keys that are not the same', async () => {
    const { pair, ids, vouchers } = await newKeys()
    expect(pair.subject).toBe('CN=replicas')
    expect(ids).toHaveLength(32)
    expect(vouchers).toHaveLength(32)
    expect(ids.equals(vouchers)).toBe(false)
  })

  test.each([
    ['a key for ids that is too short', 'id.key', 'AAAA', 'fewer than 32 bytes'],
    ['no certificate', 'tls.crt', 'words', 'holds no certificate'],
    ['no key', 'tls.key', 'words', 'holds no private key'],
    ['the key of another', 'tls.key', issue({ isAuthority: true }).key, 'does not belong'],
  ])('with %s are no keys', async (_name, file, text, why) => {
    writeKeys(folder)
    writeFileSync(join(folder, file), text)
    expect(await read()).toEqual({ ok: false, error: [expect.stringContaining(why)] })
  })

  test('that are there in part are a fault', async () => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'tls.crt'), issue({}).cert)
    expect(await keyFiles(folder).read()).toMatchObject({
      ok: false,
      error: expect.stringContaining('there is no such file'),
    })
  })
})

describe('of two sets', () => {
  test('the new one is taken at once, shown when others have had time to read it', async () => {
    let nowMs = 0
    const ring = new Keyring(() => nowMs)
    expect(ring.current).toBeUndefined()
    const [first, second] = [await newKeys(), await newKeys()]
    ring.take(first)
    expect(ring.current).toBe(first)
    nowMs = 1000
    ring.take(second)
    expect(ring.all).toEqual([first, second])
    expect(ring.authorities).toBe(`${first.pair.cert}\n${second.pair.cert}`)
    expect(ring.current).toBe(first)
    nowMs = 1000 + 179_999
    expect(ring.current).toBe(first)
    nowMs = 1000 + 180_000
    expect(ring.current).toBe(second)
    nowMs = 1000 + 599_999
    expect(ring.all).toEqual([first, second])
    nowMs = 1000 + 600_000
    expect(ring.all).toEqual([second])
    expect(ring.current).toBe(second)
  })

  test('and of many the oldest is good no longer', async () => {
    let nowMs = 0
    const ring = new Keyring(() => nowMs)
    const sets: Keys[] = []
    for (let count = 0; count < 6; count++) {
      const keys = await newKeys()
      sets.push(keys)
      ring.take(keys)
      nowMs += 1000
    }
    expect(ring.all).toEqual(sets.slice(2))
    expect(ring.current).toBe(sets[2])
  })
})
