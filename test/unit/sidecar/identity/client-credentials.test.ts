// Credentials from two files: how they are sent, and what is said where there are none.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clientAuthorization } from '../../../../sidecar/identity/client-credentials.ts'

let dir: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'credentials-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const write = (id: string, secret: string): void => {
  writeFileSync(join(dir, 'client-id'), id)
  writeFileSync(join(dir, 'client-secret'), secret)
}

test.each([
  ['plain', 'me', 'secret', 'me:secret'],
  ['with a line end', 'me\n', 'secret\r\n', 'me:secret'],
  ['with what separates them', 'a:b', 'c d+%', 'a%3Ab:c+d%2B%25'],
  ['in other letters', 'é', 'ß', '%C3%A9:%C3%9F'],
])('%s', async (_name, id, secret, pair) => {
  write(id, secret)
  expect(await clientAuthorization(dir)).toEqual({
    ok: true,
    value: `Basic ${Buffer.from(pair).toString('base64')}`,
  })
})

test('a change counts at once', async () => {
  write('me', 'one')
  const before = await clientAuthorization(dir)
  write('me', 'two')
  expect(await clientAuthorization(dir)).not.toEqual(before)
})

describe('there are none', () => {
  test.each<[string, () => void, RegExp]>([
    ['where nothing is', () => undefined, /client-id is not there/],
    ['where one is empty', () => write('me', '\n'), /client-secret is empty/],
    ['where one is too long', () => write('x'.repeat(4097), 'b'), /client-id has more than 4096/],
    [
      'where a directory is',
      () => mkdirSync(join(dir, 'client-id')),
      /client-id is a directory, and a file is wanted/,
    ],
    [
      'where a pipe is that nobody writes to',
      () => void execFileSync('mkfifo', [join(dir, 'client-id')]),
      /client-id is empty/,
    ],
  ])('%s', async (_name, prepare, says) => {
    prepare()
    expect(await clientAuthorization(dir)).toEqual({
      ok: false,
      error: expect.stringMatching(says),
    })
  })
})
