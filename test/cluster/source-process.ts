// One of our programs, from its source, as a process beside a real API server: with the rights of an account, and ready.

import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OwnTarget } from './describe-cluster.ts'
import { Doomed, waitFor } from './machine/waiting.ts'

const REPOSITORY = join(import.meta.dirname, '../..')

export interface SourceProcess {
  /** Asks its admin port. */
  readonly admin: (path: string) => Promise<Response>
  /** What it and those of its name before it have said. */
  readonly log: () => string
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>
}

export interface SourceSetting {
  /** Of its log, too. */
  readonly name: string
  readonly kubeconfig: string
  /** Its file, and what follows. */
  readonly argv: readonly string[]
  readonly adminUrl: string
}

/** Runs until it is stopped; resolves when it says that it is ready, and leaves nothing where it does not. */
export const startSource = async (
  target: OwnTarget,
  { name, kubeconfig, argv, adminUrl }: SourceSetting,
): Promise<SourceProcess> => {
  const logFile = join(target.own.dir, 'logs', `${name}.log`)
  const log = openSync(logFile, 'a')
  const child = spawn('env', [`KUBECONFIG=${kubeconfig}`, process.execPath, ...argv], {
    cwd: REPOSITORY,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const admin = (path: string): Promise<Response> => fetch(`${adminUrl}${path}`)
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    child.kill(signal)
    await ended
  }
  try {
    await waitFor(name, async () => {
      if (child.exitCode !== null) throw new Doomed(readFileSync(logFile, 'utf8').slice(-2000))
      return (await admin('/readyz')).ok ? true : undefined
    })
  } catch (error) {
    await stop('SIGKILL')
    throw error
  }
  return { admin, log: () => readFileSync(logFile, 'utf8'), stop }
}
