// What it costs a process that the shim decides about its connects: one to a port of its own on loopback, about which the shim has to
// ask the kernel whose it is, and one that is refused.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { BenchContext } from '../bench.ts'
import { compile, OUR_DIST } from '../bridge/contenders.ts'
import { judge, type Report } from '../report.ts'
import { median } from '../statistics.ts'

export const CONNECT_CELL = 'a confined connect'
const [COUNT, QUICK_COUNT] = [2000, 50]
const ROUNDS = 5
const LIMIT_US = 100

const SHIM = [join(OUR_DIST, 'shim'), 'exec', '--egress', 'enforce', '--']

interface Medians {
  readonly own: number
  /** NaN where it was not asked for, or not refused. */
  readonly refused: number
}

/** In microseconds. */
const connects = (words: readonly string[]): Medians => {
  const [file = '', ...rest] = words
  const said = execFileSync(file, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const of = (name: string): number =>
    Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(said)?.[1] ?? Number.NaN) / 1000
  return { own: of('own'), refused: of('refused') }
}

export const measureConnects = async (context: BenchContext): Promise<Report> => {
  const program = compile(join(import.meta.dirname, 'connects.c'))
  const count = `${context.quick ? QUICK_COUNT : COUNT}`
  const rounds = context.quick ? 1 : (context.rounds ?? ROUNDS)
  const times = Array.from({ length: rounds }, () => ({
    bare: connects([program, count]),
    confined: connects([...SHIM, program, count, 'refused']),
  }))
  const middle = (value: (one: (typeof times)[number]) => number): number =>
    median(times.map(value)) ?? Number.NaN
  const confined = middle((one) => one.confined.own)
  const refused = middle((one) => one.confined.refused)
  const unconfined = middle((one) => one.bare.own)
  return {
    figures: [{ cell: CONNECT_CELL, unit: 'us', unconfined, confined, refused }],
    budgets: [judge(CONNECT_CELL, confined, { atMost: LIMIT_US }, 'us')],
    faults: times.every((one) => one.confined.refused > 0)
      ? []
      : ['a confined process reaches what it must not'],
  }
}
