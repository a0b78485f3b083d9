import { expect, test } from '@jest/globals'
import { clusterWords } from '../../../../webhook/kube/words.ts'

const status = (code: number, body: unknown): Error =>
  Object.assign(new Error(`HTTP-Code: ${code}\nMessage: Unknown API Status Code!`), { code, body })

const unreached = (cause: unknown): Error => new TypeError('fetch failed', { cause })

test.each<[string, unknown, string]>([
  [
    'a refusal',
    status(
      403,
      '{"kind":"Status","message":"configmaps is forbidden: User \\"u\\" cannot get it"}',
    ),
    'the API server answered 403: configmaps is forbidden: User "u" cannot get it',
  ],
  [
    'a refusal that is parsed already',
    status(409, { message: 'it has\nbeen modified' }),
    'the API server answered 409: it has been modified',
  ],
  [
    'an unknown caller',
    status(401, 'Unauthorized'),
    'the API server answered 401: it does not know these credentials',
  ],
  ['a proxy in between', status(502, '<html>'), 'the API server answered 502'],
  [
    'a long story',
    status(500, { message: 'x'.repeat(9000) }),
    'the API server answered 500: '.padEnd(500, 'x'),
  ],
  [
    'nobody there',
    unreached(
      Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6443'), {
        code: 'ECONNREFUSED',
        address: '127.0.0.1',
        port: 6443,
      }),
    ),
    'the API server at 127.0.0.1 6443 cannot be reached: nothing listens there (ECONNREFUSED)',
  ],
  [
    'nobody at any of its addresses',
    unreached(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })),
    'the API server cannot be reached: nothing listens there (ECONNREFUSED)',
  ],
  ['something else', new Error('there is no\nConfigMap'), 'there is no ConfigMap'],
  ['a text', 'odd', 'odd'],
])('%s', (_name, error, says) => {
  expect(clusterWords(error)).toBe(says)
})
