// What the observer of a pod's connections takes of a core, beside 1,000 sockets.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { BenchContext } from '../bench.ts'
import { judge, type Report } from '../report.ts'

export const OBSERVER_CELL = 'the observer, 1,000 sockets'
const [SECONDS, QUICK_SECONDS] = [10, 1]
const LIMIT_PERCENT = 1

export const measureObserver = async ({ quick }: BenchContext): Promise<Report> => {
  const words = [join(import.meta.dirname, 'crowd.ts'), `${quick ? QUICK_SECONDS : SECONDS}`]
  const { stdout } = await promisify(execFile)(process.execPath, words)
  const [microseconds = Number.NaN, looks = 0] = stdout.split(' ').map(Number)
  const percent = microseconds / 10_000
  return {
    figures: [{ cell: OBSERVER_CELL, unit: '% of a core', observer: percent, 'looks/s': looks }],
    budgets: [judge(OBSERVER_CELL, percent, { atMost: LIMIT_PERCENT }, '% of a core')],
    faults: looks > 0 ? [] : ['the observer has not looked'],
  }
}
