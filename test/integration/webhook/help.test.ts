// What webhook and controller say of themselves, as processes: where a person asks, nothing is wrong.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { USAGE as CONTROLLER } from '../../../webhook/controller/options.ts'
import { USAGE as WEBHOOK } from '../../../webhook/options.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

const ended = (file: string, args: readonly string[]): readonly unknown[] => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`${ROOT}${file}`, ...args])
  return [status, stdout.toString(), stderr.toString()]
}

describe.each([
  ['webhook', 'webhook/main.ts', WEBHOOK],
  ['controller', 'webhook/controller/main.ts', CONTROLLER],
])('%s', (name, file, usage) => {
  test.each([
    ['--help', ['--help']],
    ['-h', ['-h']],
    ['--help behind other flags', ['--config', 'x', '--help']],
    ['--help beside one that is none', ['--colour', '--help']],
  ])('%s: its usage on stdout, and nothing went wrong', (_row, args) => {
    expect(ended(file, args)).toEqual([0, usage, ''])
  })

  test('what is mistyped: why, and its usage, on stderr', () => {
    const [status, stdout, stderr] = ended(file, ['--hlep'])
    expect([status, stdout]).toEqual([2, ''])
    expect(String(stderr).startsWith(`outrigger ${name}: `)).toBe(true)
    expect(String(stderr).endsWith(usage)).toBe(true)
  })
})
