// A tool lock from its file. A bundle of its own, with YAML. Fails closed: without a good lock nothing starts, and one that
// cannot be used leaves the last good one in force.

import { KeptFile, needed } from '../../shared/kept-file.ts'
import type { Log } from '../../shared/log.ts'
import { readLock, type Lock } from '../../shared/lock/lock.ts'
import { placedWords } from '../../shared/placed-fault.ts'
import { fail } from '../../shared/result.ts'
import { textFile } from '../../shared/text-source.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { Findings } from './findings.ts'
import { ToolLock } from './tool-lock.ts'

const MAX_BYTES = 2 * 1024 * 1024
/** How often it is looked at. */
const LOOK_MS = 1000

export interface LockParts {
  readonly log: Log
  readonly metrics: Pick<Metrics, 'lockFinding' | 'lockReload'>
  readonly now: () => number
}

export interface StartedLock {
  readonly lock: ToolLock
  readonly close: () => void
}

/** Rejects with everything that is wrong with the lock. */
export const startLock = async (
  path: string,
  { log, metrics, now }: LockParts,
): Promise<StartedLock> => {
  const opened = await KeptFile.open<Lock>({
    what: 'the tool lock',
    source: textFile(path, MAX_BYTES),
    parse: needed((text) => {
      const read = readLock(text)
      return read.ok ? read : fail(read.error.map(placedWords))
    }),
    log,
    fields: ({ isReport }) => ({ mode: isReport ? 'report' : 'enforce' }),
  })
  if (!opened.ok)
    throw new Error(`the tool lock ${path} cannot be used: ${opened.error.join('; ')}`)
  const file = opened.value
  if (file.current().isReport) {
    log.warn('the tool lock only reports: what is not as it was locked goes on', { path })
  }
  const findings = new Findings({ log, count: metrics.lockFinding })
  file.follow(LOOK_MS, (outcome) => {
    metrics.lockReload(outcome)
    if (outcome === 'taken') findings.forget()
  })
  const lock = new ToolLock({ lock: () => file.current(), findings, now })
  return { lock, close: () => file.close() }
}
