#!/usr/bin/env node
// The `outrigger` command: finds the subcommand, prints what it says, exits with its code. The only
// file of the CLI that touches the process, and it leaves when the last byte is out or is known to
// be lost.

import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../shared/message.ts'
import type { Io } from './command/command.ts'
import { COMMANDS } from './commands.ts'
import { exitCode, lossOf } from './output/loss.ts'
import { createOutput, type Output } from './output/output.ts'
import { isRunByNpx, whenOrphaned } from './command/npx.ts'
import { aborted } from './command/signal.ts'
import { streamFor } from './output/streams.ts'
import { usage } from './usage.ts'

const [first = 'help', ...rest] = process.argv.slice(2)
// `outrigger help run` is `outrigger run --help`.
const isHelpOn = first === 'help' && COMMANDS.has(rest[0] ?? '')
const [name = 'help', args] = isHelpOn ? [rest[0], ['--help']] : [first, rest]

const stdout = createOutput(streamFor(1, process.stdout))
const stderr = createOutput(streamFor(2, process.stderr))
const abort = new AbortController()
let signalled: NodeJS.Signals | undefined
const SIGNAL_CODES: Readonly<Record<string, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

const io: Io = {
  stdout: stdout.write,
  stderr: stderr.write,
  log: stderr.log,
  environment: process.env,
  signal: abort.signal,
}

const end = (signal: NodeJS.Signals): void => {
  signalled = signal
  abort.abort()
}

const takeSignals = (): void => {
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // A second signal means: now.
      if (signalled) process.exit(SIGNAL_CODES[signal])
      end(signal)
    })
  }
  if (!isRunByNpx(process.env)) return
  whenOrphaned(process, () => {
    if (signalled) return
    io.stderr(`outrigger ${name}: npx has ended, and this ends with it\n`)
    end('SIGTERM')
  })
}

const withoutCommand = (): number => {
  const isHelp = name === 'help' || name === '--help' || name === '-h'
  if (isHelp) io.stdout(usage())
  else io.stderr(`outrigger: there is no command ${JSON.stringify(name)}\n\n${usage()}`)
  return isHelp ? 0 : 2
}

const runCommand = async (): Promise<number> => {
  const listed = COMMANDS.get(name)
  if (!listed) return withoutCommand()
  try {
    const command = await listed.load()
    if (command.cleansUp) takeSignals()
    return await command.run(args, io)
  } catch (error) {
    io.stderr(`outrigger ${name}: ${messageOf(error)}\n`)
    return 1
  }
}

// How long whoever asked for the end waits for a reader that does not read.
const LEAVE_MS = 2000
const isLate = aborted(abort.signal).then(() => sleep(LEAVE_MS, undefined, { ref: false }))

/** Waits until a stream has everything. A slow reader is waited for; after a signal not for long. */
const lost = async (stream: string, output: Output) => {
  const error = await Promise.race([output.end(), isLate])
  return error ? lossOf(stream, error) : undefined
}

const code = await runCommand()
const lostOutput = await lost('standard output', stdout)
if (lostOutput) io.stderr(`outrigger ${name}: ${lostOutput.message}\n`)
const lostErrors = await lost('standard error', stderr)
const signalCode = signalled && SIGNAL_CODES[signalled]
process.exit(signalCode ?? exitCode(code, lostOutput ?? lostErrors))
