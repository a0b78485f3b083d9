// The hostile programs of the arena, compiled once for a file of tests, and what of them this machine can run.

import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasProgram } from '../shim.ts'
import { FIXTURES, type Need, type Row } from './row.ts'

const NEEDS: readonly Need[] = [
  'sctp',
  'mptcp',
  'smc',
  'vsock',
  'udplite',
  'io_uring',
  'int80',
  'x32',
  'curl',
]

export interface Programs {
  /** Where they are. */
  readonly folder: string
  /** Whether this machine has what a way takes: no kernel lets anybody out by what it does not know. */
  has(row: Row): boolean
  remove(): void
}

export const compileWays = (): Programs => {
  const folder = mkdtempSync(join(tmpdir(), 'egress-ways-'))
  chmodSync(folder, 0o755)
  const program = join(folder, 'ways')
  execFileSync('cc', ['-O1', '-pthread', '-o', program, join(FIXTURES, 'ways.c')])
  copyFileSync(program, `${program}-setuid`)
  chmodSync(`${program}-setuid`, 0o4755)
  const isThere = (need: Need): boolean =>
    need === 'curl' ? hasProgram('curl') : spawnSync(program, ['has', need]).status === 0
  const there = new Set(NEEDS.filter(isThere))
  return {
    folder,
    has: ({ needs }) => needs === undefined || there.has(needs),
    remove: () => rmSync(folder, { recursive: true }),
  }
}
