// CONTRIBUTING's ways through the code, held against what really runs.

import { beforeAll, describe, expect, test } from '@jest/globals'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** The files that a list of CONTRIBUTING names, in its order. */
const told = (name: string): readonly string[] => {
  const [, rest = ''] = readFileSync(root('CONTRIBUTING.md'), 'utf8').split(
    `<!-- trail:${name}:begin -->`,
  )
  const [list = '', end] = rest.split(`<!-- trail:${name}:end -->`)
  if (end === undefined) throw new Error(`CONTRIBUTING.md has no list ${name}`)
  return [...list.matchAll(/`((?:cli|sidecar|webhook)\/[^`]+\.ts)`/g)].map(([, file = '']) => file)
}

// Wiring and what everybody reads: they are no stations.
const WIRING = new Set(['sidecar/sidecar.ts', 'sidecar/core.ts', 'sidecar/servers.ts'])
const isStation = (file: string): boolean => !file.startsWith('shared/') && !WIRING.has(file)

describe('the ways through the code', () => {
  let trails: Readonly<Record<string, readonly string[]>>

  beforeAll(async () => {
    const fixture = root('test/fixtures/trails.ts')
    // Of what comes compiled from a cache, V8 counts less exactly.
    const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' }
    const words = ['--no-warnings', fixture]
    const { stdout } = await promisify(execFile)(process.execPath, words, { env })
    trails = JSON.parse(stdout)
  })

  const seen = (name: string, isPart: (file: string) => boolean): readonly string[] =>
    (trails[name] ?? []).filter(isStation).filter(isPart).sort()
  const inSidecar = (file: string): boolean => file.startsWith('sidecar/')

  test('a call of the older protocol', () => {
    expect([...told('legacy')].sort()).toEqual(seen('legacy', inSidecar))
  })

  test('a call of the newer protocol', () => {
    const shared = told('legacy').filter((file) => !file.startsWith('sidecar/legacy/'))
    expect([...shared, ...told('modern')].sort()).toEqual(seen('modern', inSidecar))
  })

  test('a review', () => {
    expect([...told('review')].sort()).toEqual(seen('review', () => true))
  })

  test('outrigger run', () => {
    expect([...told('run')].sort()).toEqual(seen('run', (file) => file.startsWith('cli/')))
  })

  test('a call changes folders no more often than it did', () => {
    const folders = told('legacy').map((file) => file.split('/').slice(0, 2).join('/'))
    const changes = folders.filter((folder, index) => index > 0 && folder !== folders[index - 1])
    expect(changes.length).toBeLessThanOrEqual(20)
  })
})
