// Who reached what: with fifty callers at once, each record names the one whose call it was, and that call. Takes root.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { AuditRecord } from '../../../shared/audit/record.ts'
import { Arena, AUTHORITY } from '../../support/egress/arena.ts'
import type { EgressPod } from '../../support/egress/egress-pod.ts'
import { FIXTURES } from '../../support/egress/row.ts'
import { signed, signingKey, type SigningKey } from '../../support/issuer.ts'
import { IS_ROOT } from '../../support/users.ts'
import { until } from '../../support/waiting.ts'

const CALLERS = 50
const ISSUER = 'https://login.example'
const AUDIENCE = 'https://arena.example/mcp'
const HOUR_S = 3600

const numbers = Array.from({ length: CALLERS }, (_, number) => number)
const hostOf = (number: number): string => `host-${number}.wild.example`
const subjectOf = (number: number): string => `caller-${number}`

const bearer = async (number: number, key: SigningKey): Promise<string> => {
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: subjectOf(number),
    client_id: 'arena',
    iat: now,
    exp: now + HOUR_S,
  }
  return `Bearer ${await signed(claims, key)}`
}

type Of<Event extends AuditRecord['event']> = Extract<AuditRecord, { readonly event: Event }>
const isReach = (record: AuditRecord): record is Of<'egress'> => record.event === 'egress'
const isToolCall = (record: AuditRecord): record is Of<'call'> =>
  record.event === 'call' && record.message.method === 'tools/call'

const describeAsRoot = IS_ROOT ? describe : describe.skip

describeAsRoot(`of ${CALLERS} callers at once (takes root)`, () => {
  let arena: Arena
  let pod: EgressPod
  let key: SigningKey

  beforeAll(async () => {
    key = await signingKey('arena')
    const metadata = { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` }
    arena = await Arena.start('/nowhere', {
      '/.well-known/oauth-authorization-server': JSON.stringify(metadata),
      '/keys': JSON.stringify({ keys: [key.publicJwk] }),
    })
    pod = arena.addPod({
      mode: 'enforce',
      egress: '*.wild.example:80',
      command: ['python3', `${FIXTURES}fetching-server.py`],
      document: {
        issuers: [{ url: ISSUER, audiences: [AUDIENCE], ca: AUTHORITY.cert }],
        settings: {
          auth: 'oidc',
          'oidc-issuers': ISSUER,
          'oidc-audience': AUDIENCE,
          'max-processes': `${CALLERS + 4}`,
        },
      },
    })
    await pod.start()
  })
  afterAll(() => arena?.close())

  test('each record names the caller and the call', async () => {
    const sessions = await Promise.all(
      numbers.map(async (number) => pod.session({ authorization: await bearer(number, key) })),
    )
    const results = await Promise.all(
      sessions.map((session, number) => session.run([`http://${hostOf(number)}/`])),
    )
    expect(results.filter(({ text }) => !text.includes('"far":true'))).toEqual([])

    const reaches = (): readonly Of<'egress'>[] => pod.records().filter(isReach)
    await until(() => reaches().length >= CALLERS, 'every attempt is on record')
    const calls = pod.records().filter(isToolCall)
    const told = reaches().map(({ destination, caller, verdict, calls: of }) => ({
      host: destination.host,
      subject: caller?.by === 'token' ? caller.subject : undefined,
      verdict,
      // The caller of that very call, and what its own record says of it.
      calls: of.map((number) => {
        const call = calls.find((one) => one.call === number)
        return {
          caller: call?.caller.by === 'token' ? call.caller.subject : undefined,
          to: call?.egress?.to.map(({ host }) => host),
        }
      }),
    }))
    const wanted = numbers.map((number) => ({
      host: hostOf(number),
      subject: subjectOf(number),
      verdict: 'allowed',
      calls: [{ caller: subjectOf(number), to: [hostOf(number)] }],
    }))
    expect(told.toSorted(byHost)).toEqual(wanted.toSorted(byHost))
  })
})

const byHost = (one: { host?: string | undefined }, other: { host?: string | undefined }): number =>
  String(one.host).localeCompare(String(other.host))
