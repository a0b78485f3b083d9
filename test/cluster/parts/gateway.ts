// The way into the cluster from outside its network: a port of this machine's loopback, carried
// over a unix socket in the cluster's directory (sockets of the file system know no network
// namespace). Nothing inside can leave by it.

import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../support/free-port.ts'
import type { Machine } from '../machine/namespaces.ts'
import { startPart } from '../machine/part.ts'
import { processName, type ProcessName } from '../machine/proc.ts'

export interface Gateway {
  readonly port: number
  /** The half outside, which does not end with the machine. */
  readonly outside: ProcessName
}

/** Opens 127.0.0.1:port of this machine onto the API server; with `dieWithUs` as long as we live. */
export const openGateway = async (machine: Machine, dieWithUs: boolean): Promise<Gateway> => {
  const socket = join(machine.dir, 'gateway.sock')
  const half = startPart(machine, {
    name: 'gateway',
    argv: ['socat', `UNIX-LISTEN:${socket},fork`, 'TCP:127.0.0.1:6443'],
  })
  await half.untilReady(async () => (existsSync(socket) ? true : undefined))
  const port = await freePort()
  const log = openSync(half.logFile, 'a')
  const child = spawn(
    'setpriv',
    [
      '--pdeathsig',
      dieWithUs ? 'KILL' : 'clear',
      'socat',
      `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork`,
      `UNIX-CONNECT:${socket}`,
    ],
    { detached: true, stdio: ['ignore', log, log] },
  )
  closeSync(log)
  child.unref()
  const outside = child.pid === undefined ? undefined : processName(child.pid)
  if (outside === undefined) throw new Error('socat could not be started')
  return { port, outside }
}
