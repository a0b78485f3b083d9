// The controller as a real process beside a real API server, with the rights of its ServiceAccount and no others.

import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OwnTarget } from './describe-cluster.ts'
import { Doomed, waitFor } from './machine/waiting.ts'

const REPOSITORY = join(import.meta.dirname, '../..')

export interface ControllerProcess {
  /** Its metrics, by name with labels. */
  readonly metrics: () => Promise<ReadonlyMap<string, number>>
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>
}

export interface ControllerSetting {
  readonly kubeconfig: string
  /** The file of the cluster configuration. */
  readonly config: string
  readonly port: number
  readonly flags?: readonly string[]
}

const numbersIn = (text: string): ReadonlyMap<string, number> =>
  new Map(
    [...text.matchAll(/^(outrigger_\S+) ([\d.e+]+)$/gm)].map(([, name = '', value]) => [
      name,
      Number(value),
    ]),
  )

/** Runs until it is stopped; resolves when it has listed everything. */
export const startController = async (
  target: OwnTarget,
  { kubeconfig, config, port, flags = [] }: ControllerSetting,
): Promise<ControllerProcess> => {
  const logFile = join(target.own.dir, 'logs', `controller-${port}.log`)
  const log = openSync(logFile, 'a')
  const argv = [
    'webhook/controller/main.ts',
    `--config=${config}`,
    '--host=127.0.0.1',
    `--admin-port=${port}`,
    ...flags,
  ]
  const child = spawn('env', [`KUBECONFIG=${kubeconfig}`, process.execPath, ...argv], {
    cwd: REPOSITORY,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const admin = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`)
  await waitFor('the controller', async () => {
    if (child.exitCode !== null) throw new Doomed(readFileSync(logFile, 'utf8').slice(-2000))
    return (await admin('/readyz')).ok ? true : undefined
  })
  return {
    metrics: async () => numbersIn(await (await admin('/metrics')).text()),
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal)
      await ended
    },
  }
}
