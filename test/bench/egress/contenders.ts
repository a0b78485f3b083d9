// Ways to the origin: directly, and by each of the proxies, every one a process of its own.

import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../support/free-port.ts'
import { startProgram, type Running } from '../../support/running.ts'

export interface Contender {
  readonly name: string
  /** Of the proxy; undefined: directly. */
  readonly port: number | undefined
  readonly running: Running | undefined
}

const HERE = import.meta.dirname

const ofOurs = async (file: string, ...words: readonly string[]): Promise<Running> =>
  startProgram({
    command: process.execPath,
    args: [join(HERE, file), ...words],
    ready: /^ready (\d+)$/m,
  })

export const startOrigin = (): Promise<Running> => ofOurs('origin.ts')

const startOurs = async (origin: number): Promise<Contender> => {
  const running = await ofOurs('proxy.ts', `${origin}`)
  return { name: 'outrigger', port: Number(running.ready), running }
}

/** As Debian has it, with nothing on that ours has not. */
const startTinyproxy = async (folder: string, origin: number): Promise<Contender> => {
  const port = await freePort()
  const file = join(folder, 'tinyproxy.conf')
  const lines = [
    `Port ${port}`,
    'Listen 127.0.0.1',
    'MaxClients 200',
    'LogLevel Critical',
    `LogFile "${join(folder, 'tinyproxy.log')}"`,
    'BasicAuth 1 bench',
    `ConnectPort ${origin}`,
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  const running = await startProgram({
    command: '/usr/bin/tinyproxy',
    args: ['-d', '-c', file],
    ready: () => isListening(port),
  })
  return { name: 'tinyproxy', port, running }
}

const startSquid = async (folder: string, origin: number): Promise<Contender> => {
  const port = await freePort()
  const file = join(folder, 'squid.conf')
  const lines = [
    `http_port 127.0.0.1:${port}`,
    `acl origin port ${origin}`,
    'http_access allow origin',
    'http_access deny all',
    'cache deny all',
    'access_log none',
    'cache_log /dev/null',
    `pid_filename ${join(folder, 'squid.pid')}`,
    'shutdown_lifetime 0 seconds',
    `coredump_dir ${folder}`,
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  const running = await startProgram({
    command: '/usr/sbin/squid',
    args: ['-N', '-f', file],
    ready: () => isListening(port),
  })
  return { name: 'squid', port, running }
}

const isListening = async (port: number): Promise<boolean> => {
  const { connect } = await import('node:net')
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}

/** Those that are installed; ours and the direct way always. */
export const startContenders = async (
  folder: string,
  origin: number,
): Promise<readonly Contender[]> => [
  { name: 'direct', port: undefined, running: undefined },
  await startOurs(origin),
  ...(existsSync('/usr/bin/tinyproxy') ? [await startTinyproxy(folder, origin)] : []),
  ...(existsSync('/usr/sbin/squid') ? [await startSquid(folder, origin)] : []),
]
