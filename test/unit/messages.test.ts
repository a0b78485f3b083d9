// Whatever a person reads is in our words: every message that stands as golden text, and in the source no way by which
// another's message comes through as it was thrown.

import { describe, expect, test } from '@jest/globals'
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rawWordsIn } from '../support/raw-words.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const filesOf = (...patterns: readonly string[]): readonly string[] =>
  globSync([...patterns], { cwd: ROOT }).sort()
const read = (file: string): string => readFileSync(`${ROOT}${file}`, 'utf8')

describe('the golden texts', () => {
  const files = filesOf('test/golden/*.txt', 'test/golden/inject/*/outcome.json')

  test('are of all kinds', () => {
    expect(files.length).toBeGreaterThan(100)
    for (const name of ['mistakes', 'night', 'shapes', 'shapes-report'])
      expect(files).toContain(`test/golden/${name}.txt`)
  })

  test("hold nobody else's words", () => {
    expect(files.map((file) => [file, rawWordsIn(read(file))])).toEqual(
      files.map((file) => [file, []]),
    )
  })
})

test.each([
  "ENOENT: no such file or directory, open '/x'",
  'listen EADDRINUSE: address already in use 127.0.0.1:80',
  'getaddrinfo ENOTFOUND bogus',
  'connect ECONNREFUSED 127.0.0.1:1',
  '  x\n    at Object.<anonymous> (/work/cli/main.ts:10:2)',
  '(node:812) Warning: Keys with collection values will be stringified',
  "TypeError: Cannot read properties of undefined (reading 'close')",
  'the reason is [object Object]',
  'in place of undefined',
  'Unexpected end of JSON input',
  "Unknown option '--confg'",
  'Unrecognized key: "flor"',
  'Invalid input: expected object, received string',
  'Nested mappings are not allowed in compact mappings',
  'write EPROTO 40FD:error:0A00010B:SSL routines:wrong version number',
  'self-signed certificate in certificate chain',
  'fetch failed',
  'socket hang up',
  'Parse Error: Expected HTTP/',
])('%j is nobody’s business', (text) => {
  expect(rawWordsIn(text)).not.toEqual([])
})

/** An error's own message, but by `messageOf` and what is built on it, which have the system's words for it. */
const UNSEEN =
  /\b(?:error|cause|reason|err|thrown)\.(?:message|stack)\b|\bString\((?:error|reason|cause)\)/

/** Where an error's own message is passed on, and why it may be. */
const KNOWN: ReadonlyMap<string, string> = new Map([
  ['shared/message.ts', 'the place itself'],
  ['shared/policy/cel.ts', 'of the parser looked at, of a condition told to who tries it'],
  ['sidecar/json/scan.ts', 'a ScanFault is ours'],
  ['sidecar/pipeline/serve.ts', 'the stack of a fault of our own, for the log'],
  ['sidecar/routing/readiness.ts', 'the message of a fault of the table'],
  ['sidecar/server/http-source.ts', 'of what is no error'],
  ['sidecar/translation/place.ts', 'the message of a fault of the table'],
  ['sidecar/validation/input-schema.ts', 'an Unusable is ours'],
  ['webhook/images/read-image.ts', 'an ImageError is ours'],
  ['sidecar/server/loopback.ts', 'looked at, and not passed on'],
  ['cli/output/streams.ts', 'of what is no error'],
])

test("no source passes another's message on as it was thrown", () => {
  const files = filesOf('{cli,webhook,sidecar,shared,certs}/**/*.ts')
  expect(files.length).toBeGreaterThan(200)
  expect(files.filter((file) => UNSEEN.test(read(file)))).toEqual([...KNOWN.keys()].sort())
})
