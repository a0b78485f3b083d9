#!/usr/bin/env node
// The `outrigger` command: finds the subcommand, prints what it says, exits with its code. The only
// file of the CLI that touches the process.

import { messageOf } from '../shared/message.ts'
import { COMMANDS } from './commands.ts'
import { usage } from './usage.ts'

const [first = 'help', ...rest] = process.argv.slice(2)
// `outrigger help run` is `outrigger run --help`.
const isHelpOn = first === 'help' && COMMANDS.has(rest[0] ?? '')
const [name = 'help', args] = isHelpOn ? [rest[0], ['--help']] : [first, rest]
const command = COMMANDS.get(name)

const abort = new AbortController()
let signalled: NodeJS.Signals | undefined
const EXIT_CODES: Readonly<Record<string, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // A second signal means: now.
    if (signalled) process.exit(EXIT_CODES[signal])
    signalled = signal
    abort.abort()
  })
}

const io = {
  stdout: (text: string): void => void process.stdout.write(text),
  stderr: (text: string): void => void process.stderr.write(text),
  environment: process.env,
  signal: abort.signal,
}

if (command === undefined) {
  const isHelp = name === 'help' || name === '--help' || name === '-h'
  const lines = isHelp
    ? usage()
    : `outrigger: there is no command ${JSON.stringify(name)}\n\n${usage()}`
  if (isHelp) io.stdout(lines)
  else io.stderr(lines)
  process.exitCode = isHelp ? 0 : 2
} else {
  try {
    const code = await (await command.load()).run(args, io)
    process.exit(signalled === undefined ? code : (EXIT_CODES[signalled] ?? code))
  } catch (error) {
    io.stderr(`outrigger ${name}: ${messageOf(error)}\n`)
    process.exit(1)
  }
}
