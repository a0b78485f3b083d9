// The tool locks: that of a file, and the one that came with the pod. A bundle of its own, with YAML. Fails closed: without
// a good lock nothing starts, and a file that cannot be used leaves the last good one in force.

import { setImmediate } from 'node:timers/promises'
import { KeptFile, needed } from '../../shared/kept-file.ts'
import type { Log } from '../../shared/log.ts'
import { checkLock, readLockSliced, type Lock } from '../../shared/lock/lock.ts'
import { placedWords } from '../../shared/placed-fault.ts'
import { faultWords } from '../../shared/schema-words.ts'
import { fail } from '../../shared/result.ts'
import { inSlices } from '../../shared/slices.ts'
import { textFile } from '../../shared/text-source.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { Findings, type FindingsOptions } from './findings.ts'
import { ToolLock } from './tool-lock.ts'

const MAX_BYTES = 2 * 1024 * 1024
/** How often it is looked at. */
const LOOK_MS = 1000

export interface LockParts {
  readonly log: Log
  readonly metrics: Pick<Metrics, 'lockFinding' | 'lockReload'>
  readonly now: () => number
  readonly onFound?: FindingsOptions['onFound']
}

export interface LockSources {
  /** The file of the workload's own. */
  readonly path?: string | undefined
  /** The base lock, as it came with the configuration. */
  readonly base?: unknown
}

export interface StartedLocks {
  /** Each holds by itself: what a server lists is as all of them have it. */
  readonly locks: readonly ToolLock[]
  readonly close: () => void
}

const startBase = (value: unknown, { log, metrics, now, onFound }: LockParts): ToolLock => {
  const read = checkLock(value)
  if (!read.ok)
    throw new Error(`the base lock cannot be used: ${read.error.map(faultWords).join('; ')}`)
  if (read.value.isReport) {
    log.warn('the base lock only reports: what is not as it was locked goes on')
  }
  const findings = new Findings({ log, count: metrics.lockFinding, onFound })
  return new ToolLock({ lock: () => read.value, findings, now })
}

const startFile = async (
  path: string,
  { log, metrics, now, onFound }: LockParts,
): Promise<{ readonly lock: ToolLock; readonly close: () => void }> => {
  const opened = await KeptFile.open<Lock>({
    what: 'the tool lock',
    source: textFile(path, MAX_BYTES),
    parse: needed(async (text) => {
      const read = await inSlices(readLockSliced(text), now, setImmediate)
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
  const findings = new Findings({ log, count: metrics.lockFinding, onFound })
  file.follow(LOOK_MS, (outcome) => {
    metrics.lockReload(outcome)
    if (outcome === 'taken') findings.forget()
  })
  const lock = new ToolLock({ lock: () => file.current(), findings, now })
  return { lock, close: () => file.close() }
}

/** Rejects with everything that is wrong with a lock. */
export const startLocks = async (
  { path, base }: LockSources,
  parts: LockParts,
): Promise<StartedLocks> => {
  const fixed = base === undefined ? [] : [startBase(base, parts)]
  const own = path === undefined ? undefined : await startFile(path, parts)
  return { locks: own ? [...fixed, own.lock] : fixed, close: () => own?.close() }
}
