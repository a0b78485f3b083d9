// What claims make of a caller's environment, which are refused, and whose processes are whose.

import { describe, expect, test } from '@jest/globals'
import { callerVariables } from '../../../../shared/caller-environment.ts'
import type { JsonObject } from '../../../../shared/json.ts'
import { environmentOf, principalBy } from '../../../../sidecar/identity/caller-values.ts'

const variablesOf = (text: string) => {
  const read = callerVariables(text.split(','))
  if (!read.ok) throw new Error(read.error)
  return read.value
}

const EMAIL = variablesOf('USER_EMAIL={{claims.email}}')
const BOTH = variablesOf('USER_EMAIL={{claims.email}},WHO={{claims.sub}} of {{claims.tid}}')

describe('an environment', () => {
  test.each<[string, JsonObject, object]>([
    ['of a text', { email: 'ada@example.com' }, { USER_EMAIL: 'ada@example.com' }],
    ['of other letters', { email: 'Ådá 王' }, { USER_EMAIL: 'Ådá 王' }],
    ['of what a shell would read', { email: '$(id);`x` "' }, { USER_EMAIL: '$(id);`x` "' }],
    ['that is verified', { email: 'a@b', email_verified: true }, { USER_EMAIL: 'a@b' }],
    ['as some write that', { email: 'a@b', email_verified: 'true' }, { USER_EMAIL: 'a@b' }],
    ['of 1,024 bytes', { email: 'é'.repeat(512) }, { USER_EMAIL: 'é'.repeat(512) }],
  ])('%s', (_name, claims, expected) => {
    expect(environmentOf(claims, EMAIL, ['email'])).toEqual({ ok: true, value: expected })
  })

  test('of several claims', () => {
    const claims = { email: 'a@b', sub: 'ada', tid: 'red' }
    expect(environmentOf(claims, BOTH, ['tid', 'sub', 'email'])).toEqual({
      ok: true,
      value: { USER_EMAIL: 'a@b', WHO: 'ada of red' },
    })
  })

  test.each<[string, JsonObject, string]>([
    ['nothing', {}, 'is missing'],
    ['null', { email: null }, 'is missing'],
    ['an empty text', { email: '' }, 'is empty'],
    ['spaces', { email: '  ' }, 'is empty'],
    ['a number', { email: 7 }, 'is no text'],
    ['true', { email: true }, 'is no text'],
    ['a list', { email: ['a@b'] }, 'is no text'],
    ['an object', { email: { a: 'a@b' } }, 'is no text'],
    ['a newline', { email: 'a\nPATH=/evil' }, 'control characters'],
    ['a carriage return', { email: 'a\rb' }, 'control characters'],
    ['a NUL', { email: 'a\0PATH=/evil' }, 'control characters'],
    ['an escape', { email: '\u001b[2J' }, 'control characters'],
    ['a C1 control', { email: 'a\u0085b' }, 'control characters'],
    ['a line separator', { email: 'a\u2028b' }, 'control characters'],
    ['half a character', { email: 'a\ud800b' }, 'control characters'],
    ['a template', { email: '{{claims.sub}}' }, 'holds {{ or }}'],
    ['the end of one', { email: 'a}}' }, 'holds {{ or }}'],
    ['1,025 bytes', { email: 'x'.repeat(1025) }, 'longer than 1024 bytes'],
    ['characters of more bytes', { email: 'é'.repeat(513) }, 'longer than 1024 bytes'],
    ['what is not verified', { email: 'a@b', email_verified: false }, 'not verified'],
    ['what is hardly verified', { email: 'a@b', email_verified: 1 }, 'not verified'],
    ['another’s claim', { mail: 'a@b' }, 'is missing'],
  ])('is not made of %s, and says so without the value', (_name, claims, why) => {
    const found = environmentOf(claims, EMAIL, ['email'])
    expect(found).toEqual({ ok: false, error: expect.stringContaining(why) })
    for (const value of Object.values(claims).filter((one) => typeof one === 'string')) {
      if (value.trim() !== '' && !found.ok) expect(found.error).not.toContain(value)
    }
  })

  test.each([
    ['an issuer that is believed in nothing', []],
    ['one that is believed in something else', ['sub']],
  ])('is not made of what %s says', (_name, believed) => {
    expect(environmentOf({ email: 'a@b', sub: 'ada' }, EMAIL, believed)).toEqual({
      ok: false,
      error: 'its claim email is none that its issuer is believed in (verifiedClaims)',
    })
  })

  test('is not made of more than 4,096 bytes together', () => {
    const names = ['A', 'B', 'C', 'D', 'E']
    const variables = variablesOf(names.map((name) => `${name}={{claims.a}}`).join())
    const of = (length: number) => environmentOf({ a: 'x'.repeat(length) }, variables, ['a'])
    expect(of(819)).toMatchObject({ ok: true })
    expect(of(820)).toEqual({ ok: false, error: expect.stringContaining('4096 bytes together') })
  })

  test.each([
    ['{', '{claims.sub}'],
    ['a}', '}b'],
  ])('is not made of the halves of a template, %s and %s', (a, b) => {
    const variables = variablesOf('WHO={{claims.a}}{{claims.b}}')
    expect(environmentOf({ a, b }, variables, ['a', 'b'])).toEqual({
      ok: false,
      error: 'what it makes of WHO holds {{ or }}',
    })
  })

  test('is not made of what an object has by itself', () => {
    const variables = variablesOf('A={{claims.constructor}}')
    expect(environmentOf({}, variables, ['constructor'])).toMatchObject({ ok: false })
  })
})

describe('a principal', () => {
  const ADA = {
    issuer: 'https://idp',
    subject: 'ada',
    client: undefined,
    scopes: [],
    groups: [],
    actors: [],
  }
  const of = (claims: JsonObject, text = 'A={{claims.a}},B={{claims.b}}') => {
    const found = principalBy(variablesOf(text), ['a', 'b'])(ADA, claims)
    if (!found.ok) throw new Error('it lacks something')
    return found.value
  }

  test('has the same key with the same values, and another with others', () => {
    const one = of({ a: '1', b: '2' })
    expect(of({ a: '1', b: '2', c: 'x' }).key).toBe(one.key)
    const others = [
      of({ a: '2', b: '1' }),
      of({ a: '1', b: '2 ' }),
      of({ a: '1\u200d', b: '2' }),
      of({ a: '1', b: '2' }, 'B={{claims.a}},A={{claims.b}}'),
    ]
    expect(new Set([one, ...others].map(({ key }) => key)).size).toBe(5)
  })

  test('is the same person all the while, and shows nobody its values', () => {
    const [one, other] = [of({ a: 'secret-1', b: '2' }), of({ a: 'secret-2', b: '2' })]
    expect(one.person).toBe(other.person)
    expect(one.person).toBe('["https://idp","ada","user"]')
    expect(one.key).not.toContain('secret')
    expect(one.environment).toEqual({ A: 'secret-1', B: '2' })
  })

  test('has nothing of that where nobody asks for it', () => {
    expect(principalBy(undefined, ['a'])(ADA, { a: '1' })).toEqual({
      ok: true,
      value: { key: '["https://idp","ada","user"]', identity: ADA },
    })
  })

  test('is nobody where something is missing', () => {
    expect(principalBy(variablesOf('A={{claims.a}}'))(ADA, { a: '1' })).toEqual({
      ok: false,
      error: {
        kind: 'lacking',
        why: 'its claim a is none that its issuer is believed in (verifiedClaims)',
      },
    })
  })
})
