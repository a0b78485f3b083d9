#!/usr/bin/env node
// The `outrigger` command: finds the subcommand, prints what it says, exits with its code. The only
// file of the CLI that touches the process, and it leaves when the last byte is out or is known to
// be lost.

import { setTimeout as sleep } from 'node:timers/promises'
import { VERSION } from '../shared/names.ts'
import { choose } from './command/choice.ts'
import { tell, type Io } from './command/command.ts'
import { COMMANDS } from './commands.ts'
import { coloured, wantsColour } from './output/colour.ts'
import { exitCode, lossOf } from './output/loss.ts'
import { createOutput, type Output } from './output/output.ts'
import { whyFailed } from './output/system-words.ts'
import { isRunByNpx, whenOrphaned } from './command/npx.ts'
import { aborted } from './command/signal.ts'
import { streamFor } from './output/streams.ts'
import { usage } from './usage.ts'

const choice = choose(process.argv.slice(2), [...COMMANDS.keys()])
const name = choice.kind === 'command' ? choice.name : choice.kind

const stdout = createOutput(streamFor(1, process.stdout))
const stderr = createOutput(streamFor(2, process.stderr))
const abort = new AbortController()
let signalled: NodeJS.Signals | undefined
const SIGNAL_CODES: Readonly<Record<string, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

const isTerminal: Io['isTerminal'] = (stream) => process[stream].isTTY
const hasColour = wantsColour(isTerminal('stderr'), process.env)

const io: Io = {
  stdout: stdout.write,
  written: async () => (await stdout.end()) === undefined,
  stderr: (text) => stderr.write(hasColour ? coloured(text) : text),
  log: stderr.log,
  isTerminal,
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
      if (!signalled) {
        end(signal)
        return
      }
      // A second signal means: now. An exit would wait for a read of a pipe that nobody writes to.
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    })
  }
  if (!isRunByNpx(process.env)) return
  whenOrphaned(process, () => {
    if (signalled) return
    io.stderr(`outrigger ${name}: npx has ended, and this ends with it\n`)
    end('SIGTERM')
  })
}

const runCommand = async (of: string, args: readonly string[]): Promise<number> => {
  const command = await COMMANDS.get(of)?.load()
  if (!command) return 2
  if (command.cleansUp) takeSignals()
  return command.run(args, io)
}

const runChoice = async (): Promise<number> => {
  if (choice.kind === 'command') return runCommand(choice.name, choice.args)
  if (choice.kind === 'misuse') {
    io.stderr(`outrigger: ${choice.problem}\n\n${usage()}`)
    return 2
  }
  io.stdout(choice.kind === 'help' ? usage() : `outrigger ${VERSION}\n`)
  return 0
}

const runSafely = async (): Promise<number> => {
  try {
    return await runChoice()
  } catch (error) {
    tell(io, name, whyFailed(error))
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

const code = await runSafely()
const lostOutput = await lost('standard output', stdout)
if (lostOutput) io.stderr(`outrigger ${name}: ${lostOutput.message}\n`)
const lostErrors = await lost('standard error', stderr)
const signalCode = signalled && SIGNAL_CODES[signalled]
process.exit(signalCode ?? exitCode(code, lostOutput ?? lostErrors))
