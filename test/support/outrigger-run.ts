// `outrigger run` around a stdio server, on a free port of this machine: what a user would start.
// OUTRIGGER_CLI names another entry than the checkout's, such as a packed one.

import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { startProgram, type Running } from './running.ts'

export const CHECKOUT_CLI = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
const binaries = z.object({ bin: z.record(z.string(), z.string()) })
const READY = /^outrigger: listening on (https?:\/\/\S+)$/m

export type Bridge = Running & { readonly url: string }

export type BridgeOptions = {
  /** Further flags of `outrigger run`. */
  readonly flags?: readonly string[]
  /** Added to the environment, which the server inherits. */
  readonly env?: Readonly<Record<string, string>>
  /** The flags say who is let in; else everybody is. */
  readonly isGuarded?: boolean
}

/** Starts the bridge around `command`. */
export const startOutrigger = async (
  command: readonly string[],
  { flags = [], env = {}, isGuarded = false }: BridgeOptions = {},
): Promise<Bridge> => {
  const cli = process.env['OUTRIGGER_CLI'] ?? CHECKOUT_CLI
  const everybody = isGuarded ? [] : ['--allow-anonymous']
  const running = await startProgram({
    command: process.execPath,
    args: [cli, 'run', ...everybody, '--port', '0', ...flags, '--', ...command],
    env,
    ready: READY,
  })
  return { ...running, url: running.ready }
}

/** The command of a stdio server that is installed from npm, by its package's only binary. */
export const serverCommand = (packageName: string, ...args: readonly string[]): string[] => {
  const require = createRequire(import.meta.url)
  const manifest = require.resolve(`${packageName}/package.json`)
  const { bin } = binaries.parse(require(manifest))
  const [file] = Object.values(bin)
  return [process.execPath, join(dirname(manifest), file ?? ''), ...args]
}
