// Where an issuer's keys are looked for, and whose word counts.

import { describe, expect, test } from '@jest/globals'
import type { Json, JsonObject } from '../../../../shared/json.ts'
import { fail, ok, type Result } from '../../../../shared/result.ts'
import { KeyDocuments, metadataUrls } from '../../../../sidecar/identity/key-documents.ts'

const URL_OF = 'https://idp.example/realms/a'
const [OPENID = '', OAUTH = '', INSERTED = ''] = metadataUrls(URL_OF)
const KEYS = 'https://idp.example/keys'
const jwks: JsonObject = { keys: [{ kty: 'EC' }, 'no key'] }

test.each([
  ['https://a', ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']],
  ['https://a/', ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']],
  [
    'https://a/t',
    [
      '/t/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server/t',
      '/.well-known/openid-configuration/t',
    ],
  ],
])('the metadata of %s', (issuer, paths) => {
  expect(metadataUrls(issuer)).toEqual(paths.map((path) => `https://a${path}`))
})

type Answers = Readonly<Record<string, Result<JsonObject, string>>>

const documentsOf = (answers: Answers) => {
  const asked: string[] = []
  const clock = { nowMs: 0 }
  const documents = new KeyDocuments({
    issuer: { url: URL_OF, hosts: [] },
    fetchJson: async (url) => {
      asked.push(url)
      return answers[url] ?? fail('it answered 404')
    },
    now: () => clock.nowMs,
  })
  return { documents, asked, clock }
}

describe('keys are found', () => {
  const metadata = ok({ issuer: URL_OF, jwks_uri: KEYS })

  test.each<[string, Answers, readonly string[]]>([
    ['by OpenID Connect', { [OPENID]: metadata }, [OPENID, KEYS]],
    ['by RFC 8414', { [OAUTH]: metadata }, [OPENID, OAUTH, KEYS]],
    ['with the path inserted', { [INSERTED]: metadata }, [OPENID, OAUTH, INSERTED, KEYS]],
    [
      'behind a document of somebody else',
      { [OPENID]: ok({ issuer: 'https://evil', jwks_uri: 'https://evil/' }), [OAUTH]: metadata },
      [OPENID, OAUTH, KEYS],
    ],
  ])('%s', async (_name, answers, expected) => {
    const { documents, asked } = documentsOf({ ...answers, [KEYS]: ok(jwks) })
    expect(await documents.fetch()).toEqual(ok([{ kty: 'EC' }]))
    expect(asked).toEqual(expected)
  })

  test('with what of them is read, where that is text', async () => {
    const deep: Json = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`)
    const keys = [
      { kty: 'EC', kid: 'a', use: null, d: 'secret', x5c: ['AA'], more: deep },
      { kty: 'EC', kid: 'b', x: deep },
      { kty: 'EC', kid: 5 },
    ]
    const { documents } = documentsOf({ [OPENID]: metadata, [KEYS]: ok({ keys }) })
    expect(await documents.fetch()).toEqual(ok([{ kty: 'EC', kid: 'a' }]))
  })

  test('where they were found, for five minutes', async () => {
    const { documents, asked, clock } = documentsOf({ [OPENID]: metadata, [KEYS]: ok(jwks) })
    for (const nowMs of [0, 299_999, 300_000]) {
      clock.nowMs = nowMs
      // oxlint-disable-next-line no-await-in-loop
      await documents.fetch()
    }
    expect(asked).toEqual([OPENID, KEYS, KEYS, OPENID, KEYS])
  })

  test('anew after they were missing there', async () => {
    const answers: Record<string, Result<JsonObject, string>> = { [OPENID]: metadata }
    const { documents, asked } = documentsOf(answers)
    expect((await documents.fetch()).ok).toBe(false)
    answers[KEYS] = ok(jwks)
    expect((await documents.fetch()).ok).toBe(true)
    expect(asked).toEqual([OPENID, KEYS, OPENID, KEYS])
  })
})

describe('no keys', () => {
  test.each<[string, Answers, string]>([
    ['where nothing is', {}, `${OAUTH}: it answered 404`],
    ['of another issuer', { [OPENID]: ok({ issuer: `${URL_OF}/`, jwks_uri: KEYS }) }, 'another'],
    ['without a place', { [OPENID]: ok({ issuer: URL_OF }) }, 'names no jwks_uri'],
    [
      'in an empty list',
      { [OPENID]: ok({ issuer: URL_OF, jwks_uri: KEYS }), [KEYS]: ok({ keys: [] }) },
      `${KEYS}: it holds no keys`,
    ],
  ])('%s', async (_name, answers, says) => {
    expect(await documentsOf(answers).documents.fetch()).toEqual(
      fail(expect.stringContaining(says)),
    )
  })

  test('and a place without end is told in short', async () => {
    const place = `${KEYS}?${'x'.repeat(10_000)}`
    const answers = { [OPENID]: ok({ issuer: URL_OF, jwks_uri: place }) }
    const found = await documentsOf(answers).documents.fetch()
    expect(found.ok ? '' : found.error.length).toBeLessThan(400)
  })
})
