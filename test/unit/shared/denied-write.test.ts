// What servers say when they cannot write, in the words of their languages, and what is made of it.

import { describe, expect, test } from '@jest/globals'
import { deniedWrite } from '../../../shared/denied-write.ts'

const NODE = `node:fs:1372
  const result = binding.mkdir(
Error: EROFS: read-only file system, mkdir '/app/data'
    at Object.mkdirSync (node:fs:1372:26)
    at file:///app/server.js:3:4 {
  errno: -30,
  code: 'EROFS',
  syscall: 'mkdir',
  path: '/app/data'
}`

const READ_ONLY: readonly (readonly [string, string, string])[] = [
  ['Node', NODE, '/app/data'],
  ['Python', "OSError: [Errno 30] Read-only file system: '/app/db.sqlite'\n", '/app/db.sqlite'],
  ['Go', '2026/11/29 10:00:00 mkdir /var/lib/x: read-only file system', '/var/lib/x'],
  ['Java', 'java.io.FileNotFoundException: /app/log.txt (Read-only file system)', '/app/log.txt'],
  ['coreutils', "mkdir: cannot create directory '/app/x y': Read-only file system", '/app/x y'],
  ['dash', '/bin/sh: 1: cannot create /app/x: Read-only file system', '/app/x'],
  [
    'npm',
    'npm error code EROFS\nnpm error syscall mkdir\nnpm error path /app/node_modules\n',
    '/app/node_modules',
  ],
  [
    'uv',
    'error: failed to create directory `/app/.venv`: Read-only file system (os error 30)',
    '/app/.venv',
  ],
]

const DENIED: readonly (readonly [string, string, string])[] = [
  ['Node', "Error: EACCES: permission denied, open '/data/db'", '/data/db'],
  ['Python', "PermissionError: [Errno 13] Permission denied: '/data/db'", '/data/db'],
  ['Go', 'open /data/db: permission denied', '/data/db'],
  ['Java', 'java.nio.file.AccessDeniedException: /data/db', '/data/db'],
]

describe('a read-only root is named with the path and the annotation', () => {
  test.each(READ_ONLY)('%s', (_name, stderr, path) => {
    const told = deniedWrite(stderr)
    expect(told).toContain(`it could not write ${path}: `)
    expect(told).toContain('outrigger.dev/writable-paths')
  })

  test('without a path where none is said', () => {
    const rust = 'Os { code: 30, kind: ReadOnlyFilesystem, message: "Read-only file system" }'
    expect(deniedWrite(rust)).toMatch(/^it could not write: .*writable-paths/)
  })
})

test('a folder that Node was to make with those above it is named, though Node says that it is missing', () => {
  const stderr = `node:fs:1410
  const result = binding.mkdir(
Error: ENOENT: no such file or directory, mkdir '/srv/data'
    at Object.mkdirSync (node:fs:1410:26)`
  expect(deniedWrite(stderr)).toMatch(
    /^it could not make \/srv\/data: .*outrigger\.dev\/writable-paths/,
  )
})

describe('a file of somebody else is named with the path and both annotations', () => {
  test.each(DENIED)('%s', (_name, stderr, path) => {
    const told = deniedWrite(stderr)
    expect(told).toContain(`it was denied ${path}: `)
    expect(told).toMatch(/outrigger\.dev\/writable-paths.*outrigger\.dev\/run-as-user/)
  })
})

test('what keeps it from writing is told before what it was denied besides', () => {
  const stderr = "EROFS: read-only file system, open '/a'\nEACCES: permission denied, open '/b'"
  expect(deniedWrite(stderr)).toContain('/a')
})

describe('nothing is made of', () => {
  test.each([
    ['nothing', ''],
    ['another error', "Error: ENOENT: no such file or directory, open '/data/db'"],
    ['a port that it may not have', 'Error: listen EACCES: permission denied 0.0.0.0:80'],
    ['a socket', "PermissionError: connect to '/run/x.sock': Permission denied"],
    ['a denial by somebody else', 'ssh: Permission denied (publickey)'],
  ])('%s', (_name, stderr) => {
    expect(deniedWrite(stderr)).toBeUndefined()
  })
})

test('a path can neither forge a line nor make it long', () => {
  const told = deniedWrite(`EROFS: open '/a\u001B[2J${'x'.repeat(4000)}'`)
  expect(told).not.toContain('\u001B')
  expect(told?.length).toBeLessThan(500)
})
