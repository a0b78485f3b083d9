// What an issuer's answer about a token makes of its bearer, and which answers let nobody in.

import { expect, describe, test } from '@jest/globals'
import type { JsonObject } from '../../../../shared/json.ts'
import { bearerOf } from '../../../../sidecar/identity/answers.ts'

const NOW = 1_800_000_000
const ASKED = {
  issuer: 'https://idp',
  audiences: ['https://here/mcp'],
  groupsClaim: 'groups',
  nowSeconds: NOW,
}
const BASE: JsonObject = { active: true, sub: 'ada', aud: 'https://here/mcp', exp: NOW + 60 }

const judge = (more: JsonObject) => bearerOf({ ...BASE, ...more }, ASKED)

describe('lets in', () => {
  test.each<[string, JsonObject, object]>([
    ['the least that is enough', {}, { subject: 'ada', issuer: 'https://idp' }],
    ['by its own name', { iss: 'https://idp' }, { issuer: 'https://idp' }],
    ['one of several audiences', { aud: ['https://a', 'https://here/mcp'] }, { subject: 'ada' }],
    ['a bearer token in any letters', { token_type: 'bearer' }, { subject: 'ada' }],
    ['scopes and groups', { scope: 'a b', groups: ['x'] }, { scopes: ['a', 'b'], groups: ['x'] }],
    ['by a clock that is behind', { nbf: NOW + 29 }, { subject: 'ada' }],
    ['by a clock that is ahead', { exp: NOW - 29 }, { subject: 'ada' }],
  ])('%s', (_name, more, expected) => {
    expect(judge(more)).toMatchObject({ ok: true, value: expected })
  })
})

describe('lets nobody in', () => {
  test.each<[string, JsonObject, RegExp]>([
    ['that is not active', { active: false }, /does not know it/],
    ['that is active by a text', { active: 'true' }, /whether it is good/],
    ['that is active by a number', { active: 1 }, /whether it is good/],
    ['that is active by nothing', { active: null }, /whether it is good/],
    ['of another issuer', { iss: 'https://evil' }, /another has issued it/],
    ['of an issuer that is a list', { iss: ['https://idp'] }, /another has issued it/],
    ['for another server', { aud: 'https://there/mcp' }, /\(aud\)/],
    ['for nobody', { aud: null }, /\(aud\)/],
    ['for none', { aud: [] }, /\(aud\)/],
    ['for an object', { aud: { 0: 'https://here/mcp' } }, /\(aud\)/],
    ['that has expired', { exp: NOW - 30 }, /expired/],
    ['without an end', { exp: null }, /\(exp\)/],
    ['with an end that is text', { exp: '9999999999' }, /\(exp\)/],
    ['that is not valid yet', { nbf: NOW + 31 }, /\(nbf\)/],
    ['that begins by a text', { nbf: 'now' }, /\(nbf\)/],
    ['from the future', { iat: NOW + 31 }, /\(iat\)/],
    ['about nobody', { sub: null }, /sub/],
    ['bound to a key', { cnf: { jkt: 'x' } }, /cnf/],
    ['that asks for a proof', { token_type: 'DPoP' }, /token_type/],
    ['of a type that is a list', { token_type: ['Bearer'] }, /token_type/],
    ["about Keycloak's refresh token", { typ: 'Refresh' }, /no access token/],
    ['about an ID token', { at_hash: 'x' }, /no access token/],
  ])('%s', (_name, more, says) => {
    expect(judge(more)).toEqual({ ok: false, error: expect.stringMatching(says) })
  })

  test('without any of it', () => {
    expect(bearerOf({}, ASKED)).toMatchObject({ ok: false })
  })
})

describe('where tokens may be bound to a key', () => {
  const jkt = 'A'.repeat(43)
  test.each<[string, JsonObject, boolean]>([
    ['bound, and of that type', { token_type: 'DPoP', cnf: { jkt } }, true],
    ['bound, and of no type', { cnf: { jkt } }, true],
    ['bound, and of the type Bearer', { token_type: 'Bearer', cnf: { jkt } }, true],
    ['not bound', { token_type: 'Bearer' }, true],
    ['of that type, and not bound', { token_type: 'DPoP' }, false],
    ['of that type, and bound to nothing', { token_type: 'DPoP', cnf: {} }, false],
    ['of another type', { token_type: 'N_A', cnf: { jkt } }, false],
  ])('%s', (_name, more, isGood) => {
    expect(bearerOf({ ...BASE, ...more }, { ...ASKED, dpop: 'accepted' }).ok).toBe(isGood)
  })
})
