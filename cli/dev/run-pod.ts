// Runs one injected pod's server and sidecar as processes of this machine. The server's program is
// taken from the local npm installation where the container's PATH would have it.

import { existsSync } from 'node:fs'
import { delimiter, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../../shared/message.ts'
import { oneLine } from '../../shared/one-line.ts'
import type { Level } from '../../shared/log.ts'
import { MCP_PATH } from '../../shared/names.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import type { Io } from '../command/command.ts'
import type { Sidecar } from '../../sidecar/sidecar.ts'
import { startLocalSidecar } from '../run/local-sidecar.ts'
import { tellWaiting } from '../run/patience.ts'
import { startLogs } from '../run/start-log.ts'
import { startWords } from '../run/start-words.ts'
import { aborted } from '../command/signal.ts'
import { makeDirectories } from './directories.ts'
import type { LocalPod } from './local-pod.ts'
import { relocation, type Relocate } from './relocate.ts'

export interface RunningPod {
  readonly url: string
  readonly metricsUrl: string
  /** Resolves with a sentence when the pod cannot go on. */
  readonly over: Promise<string>
  readonly close: () => Promise<void>
}

const CHECKOUT_BIN = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url))
// What a container would have of this machine's: enough to find programs, nothing personal.
const KEPT = ['LANG', 'HOME', 'TERM', 'TZ']

const environmentOf = (
  pod: LocalPod,
  relocate: Relocate,
  io: Io,
): Readonly<Record<string, string>> => {
  const kept = KEPT.flatMap((name) => {
    const value = io.environment[name]
    return value === undefined ? [] : [[name, value]]
  })
  const own = Object.entries(pod.environment).map(([name, value]) => [
    name,
    pod.given.has(name) ? value : relocate(value),
  ])
  const path = [
    resolve('node_modules/.bin'),
    CHECKOUT_BIN,
    pod.environment['PATH'] ?? io.environment['PATH'] ?? '',
  ]
  return { ...Object.fromEntries([...kept, ...own]), PATH: path.join(delimiter) }
}

/** The configuration with the paths of the sidecar's own files as they are here. */
const filesHere = (config: SidecarConfig, relocate: Relocate): SidecarConfig => {
  const { toolPolicy, toolLock, tls } = config
  return {
    ...config,
    toolPolicy: toolPolicy && relocate(toolPolicy),
    toolLock: toolLock && relocate(toolLock),
    tls: tls && { certFile: relocate(tls.certFile), keyFile: relocate(tls.keyFile) },
  }
}

/** What is wrong with one of the sidecar's own files, by the name that its author knows: where it stands here goes with us. */
const renamed = (error: unknown, { fileNames }: LocalPod, relocate: Relocate): unknown => {
  const name = relocation(new Map([...fileNames].map(([path, called]) => [relocate(path), called])))
  const words = messageOf(error)
  const told = name(words)
  return told === words ? error : new Error(told, { cause: error })
}

/** Where the server's first answer is to come from; over HTTP with what keeps it from there so far. */
const expected = (sidecar: Sidecar, { config: { settings } }: LocalPod): string => {
  if (settings.transport === 'stdio') return 'on stdout'
  const why = sidecar.obstacle()
  const port = settings.port === undefined ? 'its port' : `port ${settings.port}`
  return why === undefined ? `on ${port}` : `on ${port} (so far: ${why})`
}

/**
 * Resolves with the reason when the server does not come. One that speaks HTTP itself opens its port when it likes:
 * there a first failure says nothing, only one that lasts.
 */
const failure = async (sidecar: Sidecar, { config: { settings } }: LocalPod): Promise<string> => {
  const reason = startWords(await sidecar.failed)
  if (settings.transport === 'stdio') return reason
  await sleep(settings['startup-timeout'], undefined, { ref: false })
  return `no answer within startup-timeout: ${sidecar.obstacle() ?? reason}`
}

/**
 * Starts the pod and waits until the server has answered; undefined where the user has ended it before. Throws with
 * the reason where the server does not start.
 */
export const runPod = async (
  pod: LocalPod,
  level: Level,
  io: Io,
): Promise<RunningPod | undefined> => {
  const { begin, ...logs } = startLogs(level, io)
  const directories = makeDirectories(pod.volumes)
  const relocate = relocation(directories.moves)
  const cwd = pod.cwd === undefined ? undefined : relocate(pod.cwd)
  const hasCwd = cwd !== undefined && existsSync(cwd)
  if (cwd !== undefined && !hasCwd)
    io.stderr(
      `${pod.server}: its workingDir ${oneLine(cwd)} is not here; it runs in ${process.cwd()}\n`,
    )
  const local = await startLocalSidecar(
    filesHere(pod.config, relocate),
    {
      command: pod.command.map(relocate),
      environment: environmentOf(pod, relocate, io),
      usesShim: pod.config.settings.transport === 'stdio',
      ...(hasCwd ? { cwd } : {}),
    },
    logs,
  ).catch((error: unknown) => {
    directories.close()
    throw renamed(error, pod, relocate)
  })
  const close = async (): Promise<void> => {
    await local.close()
    directories.close()
  }
  const { sidecar, ended } = local
  const tell = (sentence: string): void => io.stderr(`${pod.server}: ${sentence}\n`)
  const patienceMs = pod.config.settings['startup-timeout']
  const stopTelling = tellWaiting(tell, patienceMs, () => expected(sidecar, pod))
  const first = await Promise.race([
    sidecar.ready,
    ended,
    failure(sidecar, pod),
    aborted(io.signal),
  ])
  stopTelling()
  if (first === undefined) {
    begin()
    return {
      url: `${pod.config.tls ? 'https' : 'http'}://127.0.0.1:${sidecar.port}${MCP_PATH}`,
      metricsUrl: `http://127.0.0.1:${sidecar.adminPort}/metrics`,
      over: ended.then((end) => `${pod.server}: ${end}`),
      close,
    }
  }
  await close()
  if (first === 'signal') return undefined
  throw new Error(`${pod.server}: ${first}`)
}
