// The clients for Python, each run as a program of its own.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { installClients } from './install.ts'
import { NO_TOOL, type Call, type Step, type Way } from './transcript.ts'

const PROGRAM = join(import.meta.dirname, 'python_client.py')
/** Longer than any list of tools. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024

const transcript = z.array(
  z.union([
    z.strictObject({ step: z.string(), result: z.unknown() }),
    z.strictObject({ step: z.string(), error: z.unknown() }),
  ]),
)

export const pythonClient =
  (client: 'mcp' | 'fastmcp') =>
  async (way: Way, { tool, args }: Call): Promise<Step[]> => {
    const job = { client, tool, args, none: NO_TOOL, ...('url' in way ? way : way.launch) }
    const { stdout } = await promisify(execFile)('python3', [PROGRAM, JSON.stringify(job)], {
      env: { ...process.env, PYTHONPATH: await installClients() },
      maxBuffer: MAX_OUTPUT_BYTES,
    })
    return transcript.parse(JSON.parse(stdout))
  }
