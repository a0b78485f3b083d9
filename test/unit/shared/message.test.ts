import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { connectionWords } from '../../../shared/connection-words.ts'
import { messageOf, placedMessageOf } from '../../../shared/message.ts'

const thrownBy = (act: () => unknown): unknown => {
  try {
    return act()
  } catch (error) {
    return error
  }
}
const missing = thrownBy(() => readFileSync('/no/such/file'))
const unheard = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), {
  errno: -111,
  syscall: 'connect',
  code: 'ECONNREFUSED',
  address: '127.0.0.1',
  port: 1,
})

test.each<[string, unknown, plain: string, placed: string]>([
  ['an error', new Error('no room'), 'no room', 'no room'],
  [
    'a file that is not there',
    missing,
    'no such file or directory (ENOENT)',
    '/no/such/file: no such file or directory (ENOENT)',
  ],
  [
    'nobody there',
    unheard,
    'connection refused (ECONNREFUSED)',
    '127.0.0.1 1: connection refused (ECONNREFUSED)',
  ],
  ['a text', 'odd', 'odd', 'odd'],
  ['nothing', undefined, 'undefined', 'undefined'],
  ['no error at all', { a: 1 }, 'something was thrown', 'something was thrown'],
])('%s', (_name, error, plain, placed) => {
  expect([messageOf(error), placedMessageOf(error)]).toEqual([plain, placed])
})

test.each<[string, unknown, string]>([
  ['nobody listens', unheard, 'nothing listens there (ECONNREFUSED)'],
  [
    'no HTTP',
    Object.assign(new Error('Parse Error: Expected HTTP/'), { code: 'HPE_INVALID_CONSTANT' }),
    'what it answers is no HTTP (HPE_INVALID_CONSTANT)',
  ],
  ['a sentence of ours', new Error('it closed its answer\nearly'), 'it closed its answer early'],
])('of a connection: %s', (_name, error, words) => {
  expect(connectionWords(error)).toBe(words)
})
