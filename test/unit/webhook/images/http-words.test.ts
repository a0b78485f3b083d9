import { expect, test } from '@jest/globals'
import { httpWords } from '../../../../webhook/images/http-words.ts'

const coded = (code: string, message = code): Error => Object.assign(new Error(message), { code })

test.each<[string, unknown, string]>([
  ['a host that there is not', coded('ENOTFOUND'), 'no such host is known here (ENOTFOUND)'],
  ['a closed port', coded('ECONNREFUSED'), 'nothing listens there (ECONNREFUSED)'],
  [
    'plain HTTP where TLS was spoken',
    coded(
      'EPROTO',
      'write EPROTO 40FD:error:0A00010B:SSL routines:wrong version number:../deps:77:\n',
    ),
    'it does not speak TLS (`allowPlainHttp: true` of its entry in `registries` does without) (EPROTO)',
  ],
  [
    'a certificate of its own',
    coded('DEPTH_ZERO_SELF_SIGNED_CERT'),
    'nobody who is trusted here has signed its certificate (`caFile` of its entry in `registries` names an authority) (DEPTH_ZERO_SELF_SIGNED_CERT)',
  ],
  ['a code that nobody knows', coded('EODD', 'odd\nthings '), 'odd things'],
  ['no code', new Error('nothing was heard for 30 s'), 'nothing was heard for 30 s'],
])('%s', (_name, error, says) => {
  expect(httpWords(error)).toBe(says)
})
