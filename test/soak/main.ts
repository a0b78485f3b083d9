// `npm run soak`: clients of both eras for minutes on end, with crashes, cuts, floods and slow readers, at a steady load. Each
// call carries a marker; at the end no reply was lost, none came twice or to somebody else, and the sidecar is as small as it was.

import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { adminOf, type Admin } from '../support/admin.ts'
import { buildSidecar, OUR_DIST, startSidecar, type Sidecar } from '../bench/bridge/contenders.ts'
import { descriptorsOf, familyOf, statusOf } from '../support/proc.ts'
import { runProgram } from '../support/program.ts'
import { WAYS } from './clients.ts'
import { Ledger } from './ledger.ts'

const USAGE = `usage: npm run soak -- [--minutes N]
  --minutes  for how long there are clients (default 5)`

const SERVER = fileURLToPath(new URL('../fixtures/puppet-server.ts', import.meta.url))
const ROUNDS = 6
/** The image's own limit. */
const LIMIT_BYTES = 256 * 1024 * 1024
/** When all code has run more than once, and memory is what it will be. */
const WARM = 3
/** What idle processes live, so that after each round none is left. */
const IDLE = '10s'
/** Of memory: as much as the allocator keeps more of a busy round than of a calm one, seen on a machine whose load varied. */
const MOST_GROWN_MIB = 16
/** Connections by which this run has just asked the sidecar's admin port. */
const MOST_ASKING = 2

const ALL_WELL =
  '\nno reply was lost, came twice or was somebody else’s, and the sidecar is as small as it was\n'

interface Calm {
  readonly rssMib: number
  readonly descriptors: number
  readonly processes: number
}

const readOptions = (args: string[]): number => {
  const { values } = parseArgs({ args, options: { minutes: { type: 'string', default: '5' } } })
  const minutes = Number(values.minutes)
  if (minutes > 0 && minutes <= 1440) return minutes
  throw new Error(
    `--minutes ${JSON.stringify(values.minutes)}: must be a number above 0, at most 1440`,
  )
}

/** Every way at once, again and again until the time is up. */
const load = async (url: string, ledger: Ledger, endMs: number, signal: AbortSignal) => {
  const stand = { url, marker: () => ledger.marker(), tell: ledger.tell }
  await Promise.all(
    [...WAYS.values()].map(async (pass) => {
      while (performance.now() < endMs && !signal.aborted) await pass(stand)
    }),
  )
}

/** What is left when nobody is there any more. */
const calmOf = async ({ pids }: Sidecar, admin: Admin): Promise<Calm> => {
  const [pid = 0] = pids
  await admin.idle()
  return {
    rssMib: statusOf(pid, 'VmRSS') / 1024,
    descriptors: descriptorsOf(pid),
    processes: pids.flatMap(familyOf).length,
  }
}

const line = (round: number, calls: number, calm: Calm): string =>
  `round ${round} of ${ROUNDS}: ${calls} calls; then ${calm.rssMib.toFixed(1)} MiB, ${calm.descriptors} descriptors, ${calm.processes} processes\n`

/** What has grown since it was warm. */
const growth = (calms: readonly Calm[]): readonly string[] => {
  const [before, last] = [calms[WARM - 1], calms.at(-1)]
  if (before === undefined || last === undefined) return []
  const grown = last.rssMib - before.rssMib
  return [
    ...(grown > MOST_GROWN_MIB ? [`memory grew by ${grown.toFixed(1)} MiB`] : []),
    ...(last.descriptors > before.descriptors + MOST_ASKING
      ? [`descriptors grew from ${before.descriptors} to ${last.descriptors}`]
      : []),
    ...(last.processes > before.processes
      ? [`processes grew from ${before.processes} to ${last.processes}`]
      : []),
  ]
}

const run = async (minutes: number, signal: AbortSignal): Promise<number> => {
  buildSidecar()
  const sidecar = await startSidecar({
    echo: [process.execPath, SERVER, '--forgetful'],
    dist: OUR_DIST,
    settings: { 'idle-timeout': IDLE },
    memoryBytes: LIMIT_BYTES,
  })
  const admin = adminOf(Number(new URL(sidecar.metrics).port))
  const ledger = new Ledger()
  const calms: Calm[] = []
  try {
    for (let round = 1; round <= ROUNDS && !signal.aborted; round++) {
      const before = ledger.calls
      await load(sidecar.url, ledger, performance.now() + (minutes * 60_000) / ROUNDS, signal)
      const calm = await calmOf(sidecar, admin)
      calms.push(calm)
      process.stdout.write(line(round, ledger.calls - before, calm))
    }
  } finally {
    await sidecar.stop()
  }
  signal.throwIfAborted()
  const faults = [...ledger.faults(), ...growth(calms)]
  process.stdout.write(`\n${ledger.table()}\n`)
  for (const fault of faults) process.stdout.write(`FAULT ${fault}\n`)
  if (faults.length === 0) process.stdout.write(ALL_WELL)
  return faults.length > 0 ? 1 : 0
}

process.exitCode = await runProgram({ name: 'soak', usage: USAGE, read: readOptions, run })
