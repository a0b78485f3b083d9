// A long-running program of the cluster: started inside the machine, its output in a file, its
// early end told with the last lines it said. The machine's end is its end.

import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inside, type Machine } from './namespaces.ts'
import { Doomed, waitFor } from './waiting.ts'

export interface PartOptions {
  readonly name: string
  readonly argv: readonly string[]
}

export interface Part {
  readonly name: string
  readonly logFile: string
  /** Waits until the question is answered; fails at once when the program ends before. */
  readonly untilReady: <T>(ask: () => Promise<T | undefined>, seconds?: number) => Promise<T>
}

const tail = (file: string): string =>
  readFileSync(file, 'utf8').trim().split('\n').slice(-8).join('\n')

/** Starts a program; give what it prints a look in `logs/NAME.log`. */
export const startPart = (machine: Machine, options: PartOptions): Part => {
  const logFile = join(machine.dir, 'logs', `${options.name}.log`)
  const log = openSync(logFile, 'a')
  const [command = '', ...args] = inside(machine, options.argv)
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.unref()
  let failure = ''
  child.on('error', (error) => (failure = error.message))
  const untilReady: Part['untilReady'] = (ask, seconds) =>
    waitFor(
      `${options.name} to be ready (${logFile})`,
      async () => {
        const isOver = failure !== '' || child.exitCode !== null || child.signalCode !== null
        if (isOver) throw new Doomed(`${options.name} ended: ${failure}\n${tail(logFile)}`)
        return await ask()
      },
      seconds,
    )
  return { name: options.name, logFile, untilReady }
}
