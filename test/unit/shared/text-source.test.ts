import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fail, ok } from '../../../shared/result.ts'
import { textFile } from '../../../shared/text-source.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-text-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a text file', () => {
  test.each<readonly [string, (path: string) => void, unknown]>([
    ['is read', (path) => writeFileSync(path, 'añ'), ok('añ')],
    ['loses its byte order mark', (path) => writeFileSync(path, '\uFEFFa'), ok('a')],
    [
      'may be as long as the bound',
      (path) => writeFileSync(path, 'x'.repeat(8)),
      ok('x'.repeat(8)),
    ],
    ['may be none', () => {}, ok(undefined)],
    ['beyond the bound', (path) => writeFileSync(path, 'x'.repeat(9)), fail('it exceeds 8 bytes')],
    ['of other bytes', (path) => writeFileSync(path, Buffer.from([255])), fail('it is no UTF-8')],
    ['that is a directory', (path) => mkdirSync(path), fail('it is a directory')],
    [
      'that is a pipe nobody writes',
      (path) => execFileSync('mkfifo', [path]),
      fail('it is no file'),
    ],
    ['that is a device', (path) => symlinkSync('/dev/zero', path), fail('it is no file')],
    [
      'behind a link that leads to itself',
      (path) => symlinkSync(path, path),
      fail('it cannot be read: too many symbolic links encountered (ELOOP)'),
    ],
  ])('%s', async (_name, make, expected) => {
    const path = join(folder, 'text')
    make(path)
    expect(await textFile(path, 8).read()).toEqual(expected)
  })

  test('has another stamp where its folder was put in another’s place, as a kubelet does', async () => {
    for (const [name, text] of [
      ['one', 'a'],
      ['two', 'b'],
    ] as const) {
      mkdirSync(join(folder, name))
      writeFileSync(join(folder, name, 'text'), text)
    }
    const link = join(folder, '..data')
    symlinkSync('one', link)
    const { stamp } = textFile(join(link, 'text'), 8)
    const before = await stamp()
    expect(await stamp()).toBe(before)
    symlinkSync('two', `${link}-new`)
    renameSync(`${link}-new`, link)
    expect(await stamp()).not.toBe(before)
    rmSync(link)
    expect(await stamp()).toContain('ENOENT')
  })
})
