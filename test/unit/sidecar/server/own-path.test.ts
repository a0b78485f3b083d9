import { expect, test } from '@jest/globals'
import { ownPath } from '../../../../sidecar/server/own-path.ts'

test.each<[string, string, string | undefined]>([
  ['a path', '/message?sessionId=1', '/message?sessionId=1'],
  ['a path beside it', 'message', '/v1/message'],
  ['a query alone', '?sessionId=1', '/v1/sse?sessionId=1'],
  ['by name', 'http://localhost:8000/message', '/message'],
  ['by address', 'http://127.0.0.1:8000/message', '/message'],
  ['by the other address', 'http://[::1]:8000/message#part', '/message'],
  ['with TLS', 'https://localhost:8000/message', '/message'],
  ['at another port', 'http://localhost:8001/message', undefined],
  ['at the usual port', 'http://localhost/message', undefined],
  ['at another host', 'http://example.com:8000/message', undefined],
  ['at another host without a scheme', '//example.com:8000/message', undefined],
  ['at another host by backslashes', '\\\\example.com\\message', undefined],
  ['at a name that begins alike', 'http://localhost.example.com:8000/', undefined],
  ['with a user before another host', 'http://localhost:8000@example.com/', undefined],
  ['by another scheme', 'file:///etc/passwd', undefined],
  ['nothing', 'http://', undefined],
])('an address: %s', (_name, address, expected) => {
  expect(ownPath(address, { path: '/v1/sse', port: 8000 })).toBe(expected)
})

test('the usual ports need no number', () => {
  expect(ownPath('http://localhost/m', { path: '/sse', port: 80 })).toBe('/m')
  expect(ownPath('https://localhost/m', { path: '/sse', port: 443 })).toBe('/m')
})
