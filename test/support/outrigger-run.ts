// `outrigger run` around a stdio server, on a free port of this machine: what a user would start.
// OUTRIGGER_CLI names another entry than the checkout's, such as a packed one.

import { fileURLToPath } from 'node:url'
import { startProgram, type Running } from './running.ts'

const CHECKOUT_CLI = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
const READY = /^outrigger: listening on (http:\/\/\S+)$/m

export type Bridge = Running & { readonly url: string }

/** Starts the bridge around `command`; `flags` are further ones of `outrigger run`. */
export const startOutrigger = async (
  command: readonly string[],
  flags: readonly string[] = [],
): Promise<Bridge> => {
  const cli = process.env['OUTRIGGER_CLI'] ?? CHECKOUT_CLI
  const running = await startProgram({
    command: process.execPath,
    args: [cli, 'run', '--allow-anonymous', '--port', '0', ...flags, '--', ...command],
    ready: READY,
  })
  return { ...running, url: running.ready }
}
