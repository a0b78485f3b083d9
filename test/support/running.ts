// A program under test as a process: started, awaited until it says that it is ready, ended, and
// checked to have left nothing behind. Whoever starts one must stop it.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as after } from 'node:timers/promises'
import { endProcess } from './end-process.ts'
import { processTree, stillRunning, type ProcessId } from './process-tree.ts'

const TAIL_CHARS = 8192
/** Only what hangs for good gets so far. */
const WAIT_MS = 60_000
const POLL_MS = 20
const ASK_MS = 20

export type Running = {
  readonly pid: number
  /** What the first group of the ready line's pattern matched. */
  readonly ready: string
  /** The end of what it wrote to stderr so far. */
  readonly stderr: () => string
  /** SIGKILL; nothing where it has ended already. */
  readonly kill: () => void
  /** SIGTERM; rejects where it does not end of it, and where a process of its tree is left: those are killed. */
  readonly stop: () => Promise<void>
}

export type Program = {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** A line of its stdout that says it is ready, or a question that is asked until the answer is yes. */
  readonly ready: RegExp | (() => Promise<boolean>)
  /** How long it may take to end. */
  readonly stopMs?: number
}

interface Started {
  readonly child: ChildProcess
  readonly pid: number
  /** Settles when it has ended, and all of its output is read. */
  readonly closed: Promise<void>
}

/** The ends of what a program has written. */
class Said {
  stdout = ''
  stderr = ''

  constructor(child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      this.stdout = (this.stdout + chunk).slice(-TAIL_CHARS)
    })
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.stderr = (this.stderr + chunk).slice(-TAIL_CHARS)
    })
    child.once('error', (error) => (this.stderr += `\n${error.message}`))
  }

  get words(): string {
    return `its stdout: ${this.stdout.trim()}; its stderr: ${this.stderr.trim()}`
  }
}

const readyLine = (child: ChildProcess, pattern: RegExp, said: Said): Promise<string> =>
  new Promise((resolve) => {
    child.stdout?.on('data', () => {
      const match = pattern.exec(said.stdout)
      if (match !== null) resolve(match[1] ?? '')
    })
  })

const readyAnswer = async (
  child: ChildProcess,
  isReady: () => Promise<boolean>,
): Promise<string> => {
  while (!hasEnded(child) && !(await isReady())) {
    await after(ASK_MS)
  }
  return ''
}

const becomesReady = (child: ChildProcess, { ready }: Program, said: Said): Promise<string> =>
  ready instanceof RegExp ? readyLine(child, ready, said) : readyAnswer(child, ready)

const LATE = Symbol('late')
const ENDED = Symbol('ended')

const within = async <T>(ms: number, promise: Promise<T>): Promise<T | typeof LATE> => {
  const timer = new AbortController()
  const late = after(ms, LATE, { signal: timer.signal }).catch((): typeof LATE => LATE)
  try {
    return await Promise.race([promise, late])
  } finally {
    timer.abort()
  }
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null

/** What is left of a tree when it has had its time; it is killed. */
const leftOf = async (tree: readonly ProcessId[], ms: number): Promise<string | undefined> => {
  for (let waited = 0; waited < ms && stillRunning(tree).length > 0; waited += POLL_MS) {
    await after(POLL_MS)
  }
  const left = stillRunning(tree)
  for (const { pid } of left) endProcess(pid)
  if (left.length === 0) return undefined
  return `left behind after its end: ${left.map((one) => `${one.command} (${one.pid})`).join(', ')}`
}

/** Ends a program with all that it has started, when it has its time; what was wrong with that. */
const stopTree = async (
  { child, pid, closed }: Started,
  stopMs: number,
): Promise<readonly string[]> => {
  const tree = processTree(pid)
  const faults: string[] = []
  const exited = hasEnded(child) ? undefined : once(child, 'exit')
  child.kill('SIGTERM')
  if (exited !== undefined && (await within(stopMs, exited)) === LATE) {
    faults.push(`did not end within ${stopMs} ms of SIGTERM`)
    child.kill('SIGKILL')
    await exited
  }
  const left = await leftOf(tree, stopMs)
  if (left !== undefined) faults.push(left)
  // Its last words may be read after its end, however soon that had to come.
  if ((await within(WAIT_MS, closed)) === LATE) faults.push('somebody holds its output')
  return faults
}

/** Starts a program and waits for its ready line; fails with its last words when it ends before. */
export const startProgram = async (program: Program): Promise<Running> => {
  const { command, args, stopMs = WAIT_MS } = program
  const child = spawn(command, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...program.env },
    cwd: program.cwd,
  })
  const said = new Said(child)
  const pid = child.pid ?? 0
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const failed = new Promise<typeof ENDED>((resolve) => {
    child.once('error', () => resolve(ENDED))
    child.once('exit', () => resolve(ENDED))
  })
  const fault = (what: string): Error =>
    new Error(`${[command, ...args].join(' ')}: ${what}; ${said.words}`)
  const faults = (): Promise<readonly string[]> => stopTree({ child, pid, closed }, stopMs)
  const ready = await within(WAIT_MS, Promise.race([becomesReady(child, program, said), failed]))
  if (typeof ready === 'symbol') {
    const why = ready === LATE ? `not ready after ${WAIT_MS} ms` : 'ended before it was ready'
    const more = pid > 0 ? await faults() : []
    throw fault([why, ...more].join('; '))
  }
  return {
    pid,
    ready,
    stderr: () => said.stderr,
    kill: () => void child.kill('SIGKILL'),
    stop: async () => {
      const found = await faults()
      if (found.length > 0) throw fault(found.join('; '))
    },
  }
}
