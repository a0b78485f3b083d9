import { expect, test } from '@jest/globals'
import { isPlainUri, templateGlob } from '../../../../shared/policy/uri.ts'

test.each([
  'file:///public/a.txt',
  'https://example.com/a?b=c#d',
  'https://example.com',
  'test://static-text',
  'urn:isbn:0451450523',
  'memo://insights',
  'postgres://host/db/table/schema',
  'file:///a/b%20c',
  'file:///a.b/..c/d',
])('%s has one spelling', (uri) => {
  expect(isPlainUri(uri)).toBe(true)
})

test.each([
  ['a segment that goes up', 'file:///public/../secret'],
  ['one at the end', 'file:///public/..'],
  ['a segment that stays', 'file:///public/./a'],
  ['an escaped dot', 'file:///public/%2e%2e/secret'],
  ['an escaped separator', 'file:///public%2fsecret'],
  ['an escape of an escape', 'file:///public/%252e'],
  ['an escaped letter', 'file:///%73ecret'],
  ['an empty segment', 'file:////secret'],
  ['a backslash', 'file:///public\\..\\secret'],
  ['another case of the scheme', 'FILE:///secret'],
  ['another case of the host', 'https://EXAMPLE.com/a'],
  ['the usual port', 'https://example.com:443/a'],
  ['letters that are to be escaped', 'file:///é'],
  ['a space', 'file:///a b'],
  ['a line end', 'file:///a\nb'],
  ['a null', 'file:///a\0'],
  ['no scheme', 'public/a'],
  ['no end', `file:///${'a'.repeat(5000)}`],
])('with %s it has not', (_what, uri) => {
  expect(isPlainUri(uri)).toBe(false)
})

test('a template is the glob of its URIs', () => {
  expect(templateGlob('test://{a}/{+b}/c{?d,e}')).toBe('test://*/*/c*')
})
