import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { manifestFiles } from '../../../../cli/command/manifest-files.ts'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-files-'))
  for (const name of ['empty', 'full', 'full/.git', 'full/deep'])
    mkdirSync(join(folder, name), { recursive: true })
  for (const name of ['full/b.yaml', 'full/deep/a.json', 'full/.git/c.yaml', 'full/notes.md'])
    writeFileSync(join(folder, name), '')
})
afterAll(() => rmSync(folder, { recursive: true }))

const inFolder = (name: string): string => join(folder, name)

test('a directory stands for the manifests in it and below, hidden ones left out', async () => {
  expect(await manifestFiles([inFolder('full'), '-'])).toEqual({
    ok: true,
    value: [inFolder('full/b.yaml'), inFolder('full/deep/a.json'), '-'],
  })
})

test.each([
  ['a file that is not there', 'none', 'there is no such file'],
  ['a path through a file', 'full/b.yaml/c', 'a part of the path is no directory'],
  ['a directory without manifests', 'empty', 'holds no .yaml, .yml or .json'],
])('says what is wrong with %s', async (_name, path, says) => {
  const error = `${inFolder(path)}: ${says}`
  expect(await manifestFiles([inFolder('full'), inFolder(path)])).toEqual({ ok: false, error })
})
