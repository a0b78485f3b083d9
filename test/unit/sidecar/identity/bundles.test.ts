// The bundles of trust domains, wherever they come from: what they lack is told, once.

import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { fail, ok } from '../../../../shared/result.ts'
import { isObject, type JsonObject } from '../../../../shared/json.ts'
import { Bundles } from '../../../../sidecar/identity/bundles.ts'
import type { TrustDomainSource } from '../../../../shared/trust-domains.ts'
import { anAuthority } from '../../../support/certificates.ts'
import { signingKey } from '../../../support/issuer.ts'
import { keptLog, type KeptLog } from '../../../support/kept-log.ts'
import { bundleText } from '../../../support/spiffe-bundle.ts'

const authority = anAuthority('example.org')

let folder: string
let kept: KeptLog
let bundles: Bundles | undefined
/** What an endpoint says, and who was asked how. */
let said: string
let asked: unknown[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-bundles-'))
  kept = keptLog()
  said = bundleText({})
  asked = []
})
afterEach(() => {
  bundles?.close()
  rmSync(folder, { recursive: true })
})

const document = (): JsonObject => {
  const value: unknown = JSON.parse(said)
  return isObject(value) ? value : {}
}

const open = async (more: Partial<TrustDomainSource>): Promise<Bundles> => {
  const source = { name: 'example.org', ids: ['spiffe://example.org/*'], ...more }
  bundles = await Bundles.open([source], {
    fetchJson: async (url, { hosts, ca }) => {
      asked.push({ url, hosts, ca })
      return said === '' ? fail('it answered 500') : ok(document())
    },
    now: () => 0,
    log: kept.log,
  })
  return bundles
}

const put = (text: string): string => {
  const path = join(folder, 'bundle')
  writeFileSync(path, text)
  return path
}

const lacks = (): readonly string[] =>
  kept.lines.flatMap((line) => /lets in nobody.*"why":"([^:"]*):/.exec(line)?.[1] ?? [])

const NO_AUTHORITIES = 'it holds no authorities'
const NO_KEYS = 'it holds no keys of the use jwt-svid'

test.each<[string, () => Promise<Partial<TrustDomainSource>>, readonly string[]]>([
  ['authorities, for X.509-SVIDs', async () => ({ bundle: authority.cert }), []],
  ['authorities of a file', async () => ({ bundleFile: put(authority.cert) }), []],
  [
    'keys, where none are taken by them',
    async () => ({ bundle: bundleText({ keys: [await signingKey('one')] }) }),
    [NO_AUTHORITIES],
  ],
  ['nothing', async () => ({ bundleFile: put(bundleText({})) }), [NO_AUTHORITIES]],
  [
    'authorities alone, where JWT-SVIDs are taken too',
    async () => ({ bundleFile: put(authority.cert), jwt: {} }),
    [NO_KEYS],
  ],
  [
    'keys, where JWT-SVIDs are taken',
    async () => ({ bundle: bundleText({ keys: [await signingKey('one')] }), jwt: {} }),
    [],
  ],
])('of a bundle of %s is told what it lacks', async (_name, more, expected) => {
  await open(await more())
  expect(lacks()).toEqual(expected)
})

test('an endpoint is asked as the configuration says, and what it lacks is told once', async () => {
  const hosts = [{ host: 'spire', reach: 'private' as const }]
  const one = await open({ bundleUrl: 'https://spire/bundle', hosts, ca: authority.cert })
  expect(one.all[0]?.current()).toBeUndefined()
  expect(lacks()).toEqual([])
  const looked = new Promise<void>((resolve) => one.onLook(resolve))
  one.follow()
  await looked
  expect(asked).toEqual([
    {
      url: 'https://spire/bundle',
      hosts: [...hosts, { host: 'spire', reach: 'public' }],
      ca: authority.cert,
    },
  ])
  expect(one.all[0]?.current()).toMatchObject({ authorities: '', jwtKeys: [] })
  expect(lacks()).toEqual([NO_AUTHORITIES])
})

test('of many endpoints one is asked at a time, and each is', async () => {
  const sources = Array.from({ length: 16 }, (_, index) => ({
    name: `${index}.org`,
    ids: [`spiffe://${index}.org/*`],
    bundleUrl: `https://${index}.org/`,
  }))
  let running = 0
  let most = 0
  bundles = await Bundles.open(sources, {
    fetchJson: async () => {
      most = Math.max(most, ++running)
      await nextTurn()
      running--
      return ok(document())
    },
    now: () => 0,
    log: kept.log,
  })
  const { all } = bundles
  const looked = new Promise<void>((resolve) => {
    bundles?.onLook(() => {
      if (all.every(({ current }) => current() !== undefined)) resolve()
    })
  })
  bundles.follow()
  await looked
  expect(most).toBe(1)
})

test.each([
  ['that is not there', undefined, /there is no such file/],
  [
    'that is none',
    'x',
    /certificates of authorities in PEM, and nothing else, or a bundle in JSON/,
  ],
])('nothing starts by a file %s', async (_name, text, says) => {
  const bundleFile = text === undefined ? join(folder, 'nothing') : put(text)
  await expect(open({ bundleFile })).rejects.toThrow(says)
})

test.each([
  ['an older sequence', bundleText({ more: { spiffe_sequence: 6 } }), 'older'],
  ['none', bundleText({}), 'it has no spiffe_sequence'],
])('a file that has changed to a bundle of %s leaves the last one', async (_name, text, says) => {
  const bundleFile = put(bundleText({ more: { spiffe_sequence: 7 } }))
  const { all } = await open({ bundleFile })
  put(text)
  bundles?.follow()
  while (!kept.lines.join('').includes(says)) await sleep(20)
  expect(all[0]?.current()).toMatchObject({ sequence: 7 })
})
