// Runs one injected pod's server and sidecar as processes of this machine. The server's program is
// taken from the local npm installation where the container's PATH would have it.

import { existsSync } from 'node:fs'
import { delimiter, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Log } from '../../shared/log.ts'
import { MCP_PATH } from '../../shared/names.ts'
import type { Io } from '../command.ts'
import { startLocalSidecar } from '../local-sidecar.ts'
import type { LocalPod } from './local-pod.ts'

export interface RunningPod {
  readonly url: string
  /** Resolves with a sentence when the pod cannot go on. */
  readonly over: Promise<string>
  readonly close: () => Promise<void>
}

const CHECKOUT_BIN = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url))
// What a container would have of this machine's: enough to find programs, nothing personal.
const KEPT = ['LANG', 'HOME', 'TERM', 'TZ']

const environmentOf = (pod: LocalPod, io: Io): Readonly<Record<string, string>> => {
  const kept = KEPT.flatMap((name) => {
    const value = io.environment[name]
    return value === undefined ? [] : [[name, value]]
  })
  const path = [
    resolve('node_modules/.bin'),
    CHECKOUT_BIN,
    pod.environment['PATH'] ?? io.environment['PATH'] ?? '',
  ]
  return { ...Object.fromEntries(kept), ...pod.environment, PATH: path.join(delimiter) }
}

/** Starts the pod and waits until the server has answered; throws with the reason where it does not. */
export const runPod = async (pod: LocalPod, log: Log, io: Io): Promise<RunningPod> => {
  const cwd = pod.cwd !== undefined && existsSync(pod.cwd) ? pod.cwd : undefined
  const local = await startLocalSidecar(
    pod.config,
    {
      command: pod.command,
      environment: environmentOf(pod, io),
      usesShim: pod.config.settings.transport === 'stdio',
      ...(cwd === undefined ? {} : { cwd }),
    },
    log,
  )
  const { sidecar, ended } = local
  const first = await Promise.race([sidecar.ready, sidecar.failed, ended])
  if (first !== undefined) {
    await local.close()
    throw new Error(first)
  }
  return {
    url: `http://127.0.0.1:${sidecar.port}${MCP_PATH}`,
    over: ended,
    close: local.close,
  }
}
