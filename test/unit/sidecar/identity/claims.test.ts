// What claims make of a bearer, and what may not call.

import { describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../../shared/json.ts'
import { verifiedPrincipal } from '../../../../sidecar/access/principal.ts'
import { identityOf } from '../../../../sidecar/identity/claims.ts'

const NOW = 1_800_000_000
const reading = { issuer: 'https://idp', groupsClaim: 'groups', nowSeconds: NOW }
const BASE: JsonObject = { sub: 'ada', exp: NOW + 60 }

const read = (more: JsonObject, how = reading) => identityOf({ ...BASE, ...more }, how)

describe('an identity', () => {
  test.each<[string, JsonObject, object]>([
    ['of the least', {}, { subject: 'ada', client: undefined, scopes: [], groups: [], actors: [] }],
    ['with a client', { client_id: 'agent', azp: 'other' }, { client: 'agent' }],
    ['with an authorized party', { azp: 'agent' }, { client: 'agent' }],
    ['with scopes', { scope: 'a  b' }, { scopes: ['a', 'b'] }],
    ['with scopes as Okta writes them', { scp: ['a', 'b'] }, { scopes: ['a', 'b'] }],
    ['with scopes as Entra ID writes them', { scp: 'a b' }, { scopes: ['a', 'b'] }],
    ['with groups', { groups: ['x y', 'z'] }, { groups: ['x y', 'z'] }],
    ['with one group', { groups: 'x y' }, { groups: ['x y'] }],
    ['that says bearer', { typ: 'Bearer' }, { subject: 'ada' }],
    ['that says access', { token_use: 'access' }, { subject: 'ada' }],
    ['issued a little ahead', { iat: NOW + 29 }, { subject: 'ada' }],
    [
      'that somebody acts for',
      { act: { sub: 'agent', act: { iss: 'https://b', sub: 'tool' } } },
      {
        actors: [
          { issuer: undefined, subject: 'agent' },
          { issuer: 'https://b', subject: 'tool' },
        ],
      },
    ],
  ])('%s', (_name, claims, expected) => {
    expect(read(claims)).toMatchObject({ ok: true, value: { issuer: 'https://idp', ...expected } })
  })

  test.each<[string, JsonObject, true | undefined]>([
    ['elsewhere', { _claim_names: { groups: 'src1' } }, true],
    ['elsewhere, of another claim', { _claim_names: { roles: 'src1' } }, undefined],
    ['here', { groups: ['x'] }, undefined],
    ['nowhere', { _claim_names: 'groups' }, undefined],
  ])('whose groups are %s says so: %j', (_name, more, expected) => {
    const found = read(more)
    expect(found.ok && found.value.lacksGroups).toBe(expected)
  })

  test('an issuer that is not believed in groups has none', () => {
    const found = identityOf({ ...BASE, groups: ['x'] }, { ...reading, groupsClaim: undefined })
    expect(found).toMatchObject({ value: { groups: [] } })
  })

  test('a claim that every object has is none of groups', () => {
    expect(read({}, { ...reading, groupsClaim: 'constructor' })).toMatchObject({
      value: { groups: [] },
    })
  })
})

const deep = (levels: number): JsonObject =>
  levels === 0 ? { sub: 'a' } : { sub: 'a', act: deep(levels - 1) }

test.each<[string, JsonObject, string]>([
  ['an ID token', { at_hash: 'x' }, 'it is no access token: it bears at_hash'],
  ['an ID token of a code', { c_hash: 'x' }, 'bears c_hash'],
  ['a logout token', { events: {} }, 'bears events'],
  ["Keycloak's ID token", { typ: 'ID' }, 'by its typ'],
  ["Keycloak's refresh token", { typ: 'Refresh' }, 'by its typ'],
  ['a typ that is no text', { typ: ['Bearer'] }, 'by its typ'],
  ["Cognito's ID token", { token_use: 'id' }, 'by its token_use'],
  ['bound to a key', { cnf: { jkt: 'x' } }, '(cnf)'],
  ['bound to nothing', { cnf: null }, '(cnf)'],
  ['no subject', { sub: '' }, 'sub or client_id'],
  ['a subject without end', { sub: 's'.repeat(1025) }, 'sub or client_id'],
  ['a client that is no text', { client_id: 7 }, 'sub or client_id'],
  ['an end that never comes', { exp: Infinity }, '(exp)'],
  ['an end beyond all days', { exp: 1e300 }, '(exp)'],
  ['an end that is a text', { exp: '1' }, '(exp)'],
  ['issued in the future', { iat: NOW + 31 }, '(iat)'],
  ['issued at no time', { iat: 'now' }, '(iat)'],
  ['scopes that are none', { scope: 7 }, 'scope'],
  ['scopes among others', { scp: ['a', 7] }, 'scope'],
  ['groups that are none', { groups: { a: true } }, 'groups'],
  ['an act of nobody', { act: {} }, 'act'],
  ['an act that is a text', { act: 'agent' }, 'act'],
  ['an act without end', { act: deep(8) }, 'act'],
])('%s is refused', (_name, claims, says) => {
  expect(read(claims)).toEqual({ ok: false, error: expect.stringContaining(says) })
})

test('each of these is somebody else', () => {
  const rows: readonly JsonObject[] = [
    {},
    { sub: 'Ada' },
    { client_id: 'ada' },
    { act: { sub: 'agent' } },
    { act: { sub: 'other' } },
    { act: { iss: 'https://b', sub: 'agent' } },
    { sub: 'ada","client' },
  ]
  const keys = rows.map((row) => {
    const found = read(row)
    return found.ok ? verifiedPrincipal(found.value).key : found.error
  })
  expect(new Set(keys).size).toBe(rows.length)
})

test('who acted before does not make another of who acts now', () => {
  const keys = [{ act: { sub: 'agent' } }, { act: { sub: 'agent', act: { sub: 'x' } } }].map(
    (row) => {
      const found = read(row)
      return found.ok ? verifiedPrincipal(found.value).key : found.error
    },
  )
  expect(keys[0]).toBe(keys[1])
})
