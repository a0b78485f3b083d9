// The text of `outrigger help`.

import { COMMANDS } from './commands.ts'

export const usage = (): string => {
  const width = Math.max(...[...COMMANDS.keys()].map((name) => name.length))
  const lines = [...COMMANDS].map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`)
  return `outrigger: MCP servers as HTTP services, their callers kept apart\n\n${lines.join('\n')}\n\nSee: outrigger COMMAND --help; outrigger --version\n`
}
