import { describe, expect, test } from '@jest/globals'
import type { Json, JsonObject } from '../../../../shared/json.ts'
import { toldNamespace } from '../../../../webhook/admission/told-namespace.ts'
import { reviewOf } from '../../../support/admission.ts'

const bytes = (value: Json): Uint8Array => Buffer.from(JSON.stringify(value))
const request = (members: JsonObject): Uint8Array => bytes({ kind: 'x', request: members })

const NAMESPACES = { group: '', version: 'v1', resource: 'namespaces' }
const ofNamespace = (operation: string): Uint8Array =>
  request({ resource: NAMESPACES, name: 'own', namespace: 'own', operation, object: {} })

describe('the namespace that a review tells', () => {
  test.each<readonly [string, Uint8Array, string]>([
    [
      'is the request’s',
      bytes(reviewOf({ metadata: { namespace: 'other' } }, { namespace: 'team-a' })),
      'team-a',
    ],
    ['is no member of the object’s', request({ object: { namespace: 'other' } }), ''],
    ['is no member of the review’s', bytes({ namespace: 'other', request: {} }), ''],
    ['is no value', request({ name: 'namespace', a: '"namespace":"other"' }), ''],
    ['is no other member that ends so', request({ 'x"namespace': 'other' }), ''],
    ['is a text', request({ namespace: { name: 'other' } }), ''],
    [
      'is what comes first',
      request({ namespace: 'first', object: { namespace: 'other' } }),
      'first',
    ],
    [
      'is looked for at the beginning alone',
      request({ a: 'x'.repeat(20_000), namespace: 'late' }),
      '',
    ],
    ['is no more than a name', request({ namespace: 'x'.repeat(1000) }), 'x'.repeat(63)],
    ['is its own, where it changes itself', ofNamespace('UPDATE'), 'own'],
    ['is none that is only being made', ofNamespace('CREATE'), ''],
    [
      'is the request’s, whatever its object is called',
      request({ name: 'namespaces', namespace: 'a', operation: 'CREATE', object: NAMESPACES }),
      'a',
    ],
    ['is in no list', bytes([]), ''],
    ['is in nothing', Buffer.from(''), ''],
    ['is whole, or none', Buffer.from('{"request":{"namespace":"tea'), ''],
    ['stands in no string without an end', Buffer.from('{"request":{"a'), ''],
  ])('%s', (_name, body, expected) => {
    expect(toldNamespace(body)).toBe(expected)
  })
})
