// The server that `tools` asks: one at a URL, or a command, which is served on this machine for as long as it is asked.

import { readFileSync } from 'node:fs'
import { MCP_PATH } from '../../shared/names.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { parseSidecarConfig } from '../../shared/sidecar-config.ts'
import { fileWords } from '../output/system-words.ts'
import { startLocalSidecar } from '../run/local-sidecar.ts'
import { tellWaiting } from '../run/patience.ts'
import { startLogs } from '../run/start-log.ts'
import { byFlag, startWords } from '../run/start-words.ts'
import { aborted } from '../command/signal.ts'
import type { Io } from '../command/command.ts'
import { HttpTalk } from './http-talk.ts'

export interface Reach {
  readonly url: string | undefined
  readonly command: readonly string[]
  readonly tokenFile: string | undefined
  readonly startupTimeout: string
}

/** The settings that `tools` has flags for. */
const OWN_SETTINGS = { 'startup-timeout': true } as const

/** A server that is slow to list, such as one that asks another service. */
const TIMEOUT_MS = 60_000

const tokenIn = (file: string | undefined): Result<string | undefined, string> => {
  if (file === undefined) return ok(undefined)
  try {
    const token = readFileSync(file, 'utf8').trim()
    return /^[\x21-\x7e]+$/.test(token)
      ? ok(token)
      : fail(`--token-file ${file}: it holds no token, which is one word`)
  } catch (error) {
    return fail(`--token-file ${file}: ${fileWords(error)}`)
  }
}

type Use<T> = (talk: HttpTalk) => Promise<Result<T, string>>

const atUrl = async <T>(
  url: string,
  { tokenFile, io, use }: Pick<Reach, 'tokenFile'> & { readonly io: Io; readonly use: Use<T> },
): Promise<Result<T, string>> => {
  const token = tokenIn(tokenFile)
  if (!token.ok) return token
  const talk = new HttpTalk({ url, token: token.value, timeoutMs: TIMEOUT_MS, signal: io.signal })
  try {
    const used = await use(talk)
    return used.ok ? used : fail(`${url}: ${used.error}`)
  } finally {
    await talk.close()
  }
}

const served = async <T>(reach: Reach, io: Io, use: Use<T>): Promise<Result<T, string>> => {
  const config = parseSidecarConfig({
    host: '127.0.0.1',
    port: 0,
    adminPort: 0,
    isolation: 'advisory',
    settings: { auth: 'none', 'log-level': 'error', 'startup-timeout': reach.startupTimeout },
  })
  if (!config.ok) return fail(config.error.join('; '))
  const { begin, ...logs } = startLogs('error', io)
  const server = { command: reach.command, environment: io.environment }
  const { sidecar, ended, close } = await startLocalSidecar(config.value, server, logs)
  const stopTelling = tellWaiting(
    (sentence) => io.stderr(`outrigger tools: ${sentence}\n`),
    config.value.settings['startup-timeout'],
  )
  try {
    const failed = sidecar.failed.then((fault) => byFlag(startWords(fault), OWN_SETTINGS))
    const over = Promise.race([aborted(io.signal), ended])
    const first = await Promise.race([sidecar.ready, over, failed])
    stopTelling()
    if (first !== undefined) return fail(first)
    begin()
    const url = `http://127.0.0.1:${sidecar.port}${MCP_PATH}`
    const talk = new HttpTalk({ url, token: undefined, timeoutMs: TIMEOUT_MS, signal: io.signal })
    const used = await use(talk)
    await talk.close()
    return used
  } finally {
    stopTelling()
    await close()
  }
}

/** Does something with the server; the error is a sentence. */
export const withServer = <T>(reach: Reach, io: Io, use: Use<T>): Promise<Result<T, string>> =>
  reach.url === undefined ? served(reach, io, use) : atUrl(reach.url, { ...reach, io, use })
