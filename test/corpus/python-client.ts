// A client for Python: a program that is started once, since it takes its time, and hears of one server after the other.

import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { z } from 'zod'
import { installClients } from './install.ts'
import { NO_TOOL, type Call, type Step, type Way } from './transcript.ts'

const PROGRAM = join(import.meta.dirname, 'python_client.py')

const heard = z.union([
  z.array(
    z.union([
      z.strictObject({ step: z.string(), result: z.unknown() }),
      z.strictObject({ step: z.string(), error: z.unknown() }),
    ]),
  ),
  z.strictObject({ failed: z.string() }),
])

interface Program {
  readonly child: ChildProcessByStdio<Writable, Readable, null>
  /** What it answers. */
  readonly lines: AsyncIterator<string>
  readonly closed: Promise<void>
}

export class PythonClient {
  private readonly name: 'mcp' | 'fastmcp'
  private program: Promise<Program> | undefined
  private last: Promise<unknown> = Promise.resolve()

  constructor(name: 'mcp' | 'fastmcp') {
    this.name = name
  }

  readonly talk = (way: Way, { tool, args }: Call): Promise<Step[]> => {
    const job = { tool, args, none: NO_TOOL, ...('url' in way ? way : way.launch) }
    const next = this.last.then(() => this.ask(JSON.stringify(job)))
    this.last = next.catch(() => undefined)
    return next
  }

  async close(): Promise<void> {
    const program = await this.program
    if (!program) return
    program.child.stdin.end()
    await program.closed
  }

  private async ask(job: string): Promise<Step[]> {
    this.program ??= this.start()
    const { child, lines } = await this.program
    child.stdin.write(`${job}\n`)
    const answer = await lines.next()
    if (answer.done === true) throw new Error(`the client ${this.name} has ended`)
    const said = heard.parse(JSON.parse(answer.value))
    if ('failed' in said) throw new Error(said.failed)
    return said
  }

  private async start(): Promise<Program> {
    const child = spawn('python3', [PROGRAM, this.name], {
      env: { ...process.env, PYTHONPATH: await installClients() },
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
    // That it has ended is what its answers say, which end as well.
    child.stdin.on('error', () => undefined)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    return { child, lines, closed }
  }
}
