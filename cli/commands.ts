// The subcommands, by name.

import type { Command } from './command.ts'
import { dev } from './dev/dev.ts'
import { explain, inject, uninject } from './manifest/command.ts'
import { run } from './run.ts'
import { start } from './start/start.ts'

export const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ['start', start],
  ['run', run],
  ['dev', dev],
  ['inject', inject],
  ['uninject', uninject],
  ['explain', explain],
])
