// The subcommands, by name.

import type { Command } from './command.ts'
import { run } from './run.ts'

export const COMMANDS: ReadonlyMap<string, Command> = new Map([['run', run]])
