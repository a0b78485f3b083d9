// The shim's pure parts (frames, buckets, the stderr relay, the queue, the command lines, the count of out-of-memory kills, the supervisor's filter,
// addresses, whom a confined process may reach, and table of sockets), tested in C under sanitizers; each test of the program is one here.

import { afterAll, describe, expect, test } from '@jest/globals'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const FOLDER = mkdtempSync(join(tmpdir(), 'shim-pure-'))
const PROGRAM = join(FOLDER, 'shim-pure')
const SHIM = join(import.meta.dirname, '../../../sidecar/shim')
const PARTS =
  'address args bucket calls confinement filter frame kills linger queue reach relay sockets'.split(
    ' ',
  )
const SOURCES = PARTS.map((part) => join(SHIM, `${part}.c`))

const FLAGS = '-std=c11 -D_GNU_SOURCE -g -fsanitize=address,undefined -fno-sanitize-recover=all'

execFileSync('cc', [
  ...FLAGS.split(' '),
  `-I${SHIM}`,
  `-o${PROGRAM}`,
  join(import.meta.dirname, '../../fixtures/shim-pure.c'),
  ...SOURCES,
])
afterAll(() => rmSync(FOLDER, { recursive: true }))

const names = execFileSync(PROGRAM, { encoding: 'utf8' }).trim().split('\n')

describe('the shim', () => {
  test.each(names.map((name) => [name.replaceAll('_', ' '), name]))('%s', (_words, name) => {
    const { status, stdout, stderr } = spawnSync(PROGRAM, [name], { encoding: 'utf8' })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
  })
})
