// @modelcontextprotocol/server-everything as a server over HTTP, at a port.

import { serverCommand } from './outrigger-run.ts'
import { startProgram, type Running } from './running.ts'

/** `transport`: streamableHttp or sse. */
export const startEverything = (transport: string, port: number): Promise<Running> => {
  const [command = '', ...args] = serverCommand(
    '@modelcontextprotocol/server-everything',
    transport,
  )
  return startProgram({
    command,
    args,
    env: { PORT: `${port}` },
    ready: async () => {
      try {
        return (await fetch(`http://localhost:${port}/mcp`)).status >= 400
      } catch {
        return false
      }
    },
  })
}
