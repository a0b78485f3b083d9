// What fails under a command is told in words: never a code alone, never a library's own sentence.

import { expect, test } from '@jest/globals'
import { reachWords } from '../../../../cli/output/system-words.ts'

const thrown = (code: string, message = 'a library says'): unknown =>
  Object.assign(new Error('fetch failed'), { cause: Object.assign(new Error(message), { code }) })

test.each<[string, unknown, RegExp]>([
  ['nobody listens', thrown('ECONNREFUSED'), /^nobody listens there$/],
  ['a server of TLS is asked without it', thrown('HPE_INVALID_CONSTANT'), /begins with https:/],
  ['one without TLS is asked by it', thrown('ERR_SSL_WRONG_VERSION_NUMBER'), /begins with http:/],
  ['its authority is not known', thrown('DEPTH_ZERO_SELF_SIGNED_CERT'), /NODE_EXTRA_CA_CERTS/],
  ['its name is another', thrown('ERR_TLS_CERT_ALTNAME_INVALID'), /of another host$/],
  ['its port is not asked', thrown('', 'bad port'), /of another protocol/],
  ['the socket itself has failed', Object.assign(new Error('x'), { code: 'EPIPE' }), /^x$/],
])('a server that cannot be reached: %s', (_name, error, words) => {
  expect(reachWords(error)).toMatch(words)
})
