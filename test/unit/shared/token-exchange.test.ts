import { expect, test } from '@jest/globals'
import { exchangeAsked, itemsOf, strangersIn } from '../../../shared/token-exchange.ts'

test('what is asked for is read by its words', () => {
  const asked = exchangeAsked(['audience=a=b', 'resource=https://b.example/c', 'scope=read'])
  expect(asked).toEqual({
    ok: true,
    value: { audiences: ['a=b'], resources: ['https://b.example/c'], scopes: ['read'] },
  })
})

test.each<[string, readonly string[], string]>([
  ['another word', ['client=a'], 'client=a is none of'],
  ['a scope alone', ['scope=read'], 'needs an audience=NAME or a resource=URI'],
  ['a space', ['audience=a b'], 'printable ASCII without spaces'],
  ['a resource with a fragment', ['resource=https://a.example/#b'], 'is no resource'],
  ['a resource without a scheme', ['resource=a.example'], 'is no resource'],
  ['a scope with a quote', ['audience=a', 'scope="'], 'is no scope'],
  ['too many', Array.from({ length: 17 }, (_, at) => `audience=${at}`), 'at most 16 items'],
])('%s is refused', (_name, items, why) => {
  expect(exchangeAsked(items)).toEqual({ ok: false, error: expect.stringContaining(why) })
})

test('what is not listed is told as it was asked for', () => {
  const listed = { audiences: ['a'], resources: ['https://r.example/'], scopes: ['read'] }
  const asked = { audiences: ['a', 'b'], resources: [], scopes: ['read', 'write'] }
  expect(strangersIn(asked, listed)).toEqual(['audience=b', 'scope=write'])
  expect(itemsOf(listed)).toEqual(['audience=a', 'resource=https://r.example/', 'scope=read'])
})
