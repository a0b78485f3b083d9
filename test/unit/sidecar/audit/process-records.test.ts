// What is on record of the end of what a server wrote to stderr before it failed.

import { describe, expect, test } from '@jest/globals'
import type { AuditEvent } from '../../../../shared/audit/record.ts'
import { ProcessRecords } from '../../../../sidecar/audit/process-records.ts'

const server = { number: 3, session: undefined }
const FAILED = { code: 1, signal: undefined, isOutOfMemory: false, isAsked: false }

const tailOf = (lines: readonly string[], exit = FAILED): unknown => {
  const events: AuditEvent[] = []
  const records = new ProcessRecords((event) => void events.push(event))
  records.started(server)
  for (const line of lines) records.wrote(server, line)
  records.exited(server, exit)
  return Object(events.at(-1)).tail
}

const base64 = (count: number): readonly string[] =>
  Array.from({ length: count }, () => 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC')
const keyOf = (count: number): readonly string[] => [
  '-----BEGIN RSA PRIVATE KEY-----',
  ...base64(count),
  '-----END RSA PRIVATE KEY-----',
]
const TOKEN = `ghp_${'a'.repeat(36)}`
const letters = 'abcdefghijklmnopqrstuvwxyz'

describe('the tail', () => {
  test.each<[string, readonly string[], unknown]>([
    ['nothing', [], undefined],
    ['the last ten lines', letters.split(''), letters.slice(-10).split('')],
    ['no token', [`bad ${TOKEN}`], ['bad [removed]']],
    [
      'no token that stands across the cut',
      [`${'x'.repeat(250)} ${TOKEN}`],
      [`${'x'.repeat(250)} [remo`],
    ],
    ['of a long line its beginning', ['x'.repeat(4000)], ['x'.repeat(256)]],
    ['nothing that steers a terminal', ['a\u001b[31mb\u202ec'], ['a [31mb c']],
    ['no half a character', [`${'x'.repeat(255)}😀`], [`${'x'.repeat(255)}\uFFFD`]],
    ['no key of several lines', ['at a', ...keyOf(4), 'at b'], ['at a', '[removed]', 'at b']],
    [
      'nor the end of one that is longer than the tail',
      [...keyOf(60), 'at b'],
      ['[removed]', 'at b'],
    ],
    ['nor the end of one that its process did not finish', keyOf(40).slice(0, -3), ['[removed]']],
    [
      'nor one behind the cut of a long line',
      [`${'x'.repeat(2000)}${keyOf(0)[0]}`, ...base64(20), 'at b'],
      ['x'.repeat(256)],
    ],
    [
      'all again long after a word of a key',
      ['no -----BEGIN PRIVATE KEY----- in it', ...base64(300), ...letters.split('')],
      letters.slice(-10).split(''),
    ],
    [
      'no password on the line behind its name',
      ['password:', 'hunter2'],
      ['password:', '[removed]'],
    ],
  ])('%s', (_what, lines, tail) => {
    expect(tailOf(lines)).toEqual(tail)
  })

  test.each<[string, Partial<typeof FAILED>]>([
    ['in order', { code: 0 }],
    ['because it was asked to', { isAsked: true }],
  ])('none of what ended %s', (_how, more) => {
    expect(tailOf(['a'], { ...FAILED, ...more })).toBeUndefined()
  })
})
