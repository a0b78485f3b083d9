// Who calls, where that cannot be told: whom the fault is laid to.

import { expect, test } from '@jest/globals'
import { fail, type Result } from '../../../../shared/result.ts'
import { parseSidecarConfig } from '../../../../shared/sidecar-config.ts'
import { callersOf } from '../../../../sidecar/identity/callers.ts'
import { IssuerKeys } from '../../../../sidecar/identity/issuer-keys.ts'
import { Resource } from '../../../../sidecar/identity/resource.ts'
import { Verifier } from '../../../../sidecar/identity/verifier.ts'
import { Crowd } from '../../../../sidecar/identity/waiting.ts'
import { authenticate } from '../../../../sidecar/pipeline/authenticate.ts'
import { anExchange, aPassage } from '../../../support/fake-exchange.ts'
import { keptLog } from '../../../support/kept-log.ts'
import { encoded } from '../../../support/raw-token.ts'

const ISSUER = 'https://idp.example'
const TOKEN = `${encoded({ alg: 'ES256', kid: 'a' })}.${encoded({ iss: ISSUER })}.AAAA`
const config = parseSidecarConfig({ issuers: [{ url: ISSUER, audiences: ['here'] }] })
if (!config.ok) throw new Error(config.error.join('\n'))
const resource = new Resource(config.value, () => 1)

/** By an issuer that answers so. */
const stageFor = (fetch: () => Promise<Result<never, string>>, places = 1) => {
  const now = (): number => 0
  const { log } = keptLog()
  const crowd = new Crowd(places)
  const sleep = async (): Promise<void> => undefined
  const keys = new IssuerKeys({ issuer: ISSUER, fetch, now, sleep, log, crowd })
  const trusted = { keys, audiences: () => ['here'], groupsClaim: undefined }
  const issuers = new Map([[ISSUER, trusted]])
  const verifier = new Verifier({ issuers, now, wallMs: now })
  return authenticate(callersOf({ verifier, resource }))
}

test.each<[string, boolean, () => Promise<Result<never, string>>, string]>([
  [
    'an issuer that is away, to the issuer',
    false,
    async () => fail('it is away'),
    'issuer-unavailable',
  ],
  [
    'a client that leaves before its issuer has answered, to nobody',
    true,
    () => new Promise(() => undefined),
    'request-cancelled',
  ],
])('%s', async (_name, leaves, fetch, code) => {
  const { exchange, client } = anExchange({ authorization: `Bearer ${TOKEN}` })
  const told = stageFor(fetch)({ ...aPassage(), ...exchange })
  if (leaves) await client.hangUp()
  expect(await told).toMatchObject({ code })
})

test('too many who wait for keys, to nobody: they may come again', async () => {
  const { exchange } = anExchange({ authorization: `Bearer ${TOKEN}` })
  const stage = stageFor(() => new Promise(() => undefined), 0)
  expect(await stage({ ...aPassage(), ...exchange })).toMatchObject({
    code: 'no-capacity',
    headers: { 'retry-after': '1' },
  })
})
