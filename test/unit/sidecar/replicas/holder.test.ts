// What the holder of a session takes of another replica's word: no caller whom nobody has verified that it trusts itself.

import { beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../../../shared/log.ts'
import { parseSidecarConfig } from '../../../../shared/sidecar-config.ts'
import type { Identity, Principal } from '../../../../sidecar/access/principal.ts'
import { Figures } from '../../../../sidecar/replicas/figures.ts'
import { believedIn, voucherStage } from '../../../../sidecar/replicas/holder.ts'
import { keyFiles, Keyring, readKeys, type Keys } from '../../../../sidecar/replicas/keys.ts'
import {
  digestOf,
  Used,
  VOUCHER_HEADER,
  writeVoucher,
} from '../../../../sidecar/replicas/voucher.ts'
import { aPassage } from '../../../support/fake-exchange.ts'
import { writeKeys } from '../../../support/workload.ts'

const ISSUER = 'https://issuer.example'
const DOMAIN = 'spiffe://cluster.example'
const HERE = '10.0.0.2'

let keys: Keys
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'outrigger-keys-'))
  writeKeys(folder)
  const text = await keyFiles(folder).read()
  rmSync(folder, { recursive: true, force: true })
  const read = text.ok ? readKeys(folder, () => Date.now())(text.value) : undefined
  if (!read?.ok) throw new Error('no keys')
  keys = read.value
})

const by = (issuer: string): Principal => {
  const identity: Identity = {
    issuer,
    subject: 'ada',
    client: undefined,
    scopes: [],
    groups: [],
    actors: [],
  }
  return { key: issuer, identity }
}

describe.each<[string, ReadonlySet<string> | undefined]>([
  ['is asked who they are', new Set([ISSUER, DOMAIN])],
  ['is let in', undefined],
])('where everybody %s', (_name, believed) => {
  const isAsked = believed !== undefined

  test.each<[string, Principal, boolean]>([
    ['of an issuer that is trusted here', by(ISSUER), true],
    ['of a trust domain that is', by(DOMAIN), true],
    ['of an issuer that is trusted elsewhere', by('https://other.example'), !isAsked],
    ['of nobody', by(''), !isAsked],
    ['who was not asked', { key: 'anonymous' }, !isAsked],
  ])('a caller %s', async (_who, principal, isTaken) => {
    const keyring = new Keyring(() => 0)
    keyring.take(keys)
    const figures = new Figures(() => 0)
    const stage = voucherStage({
      keyring,
      used: new Used(() => 0),
      figures,
      own: new Set([HERE]),
      believed,
      now: () => 0,
      wallMs: () => 0,
      log: createLog({ level: 'error', write: () => undefined, now: () => 0 }),
    })
    const passage = aPassage()
    passage.request.method = 'POST'
    passage.request.headers[VOUCHER_HEADER] = writeVoucher(keys.vouchers, {
      principal,
      from: '10.0.0.9',
      leftMs: undefined,
      to: HERE,
      atMs: 0,
      nonce: 'n',
      digest: digestOf({
        method: 'POST',
        path: '/mcp',
        session: undefined,
        lastEventId: undefined,
        body: undefined,
      }),
    })
    const found = await stage(passage)
    expect(found?.code).toBe(isTaken ? undefined : 'session-unknown')
    expect(passage.principal).toEqual(isTaken ? principal : undefined)
    expect(passage.from).toBe(isTaken ? '10.0.0.9' : undefined)
    expect(figures.vouchers.get('refused')).toBe(isTaken ? 0 : 1)
  })
})

test('those are believed whom the configuration names, and nobody is asked where it says so', () => {
  const read = parseSidecarConfig({
    settings: { auth: 'oidc' },
    issuers: [{ url: ISSUER, audiences: ['here'] }],
  })
  if (!read.ok) throw new Error(read.error.join())
  const { settings } = read.value
  const trustDomains = [{ name: 'cluster.example', ids: ['/a'], bundleFile: '/bundle' }]
  expect(believedIn({ ...read.value, trustDomains })).toEqual(new Set([ISSUER, DOMAIN]))
  expect(believedIn({ ...read.value, settings: { ...settings, auth: 'none' } })).toBeUndefined()
})
