// A program under test as a process: started, awaited until it says that it is ready, ended, and
// checked to have left nothing behind. Whoever starts one must stop it.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as after } from 'node:timers/promises'
import { endProcess } from './end-process.ts'
import { processTree, stillRunning } from './process-tree.ts'

const TAIL_CHARS = 8192
/** Only what hangs for good ends here: what is killed may leave files behind, which makes a whole run red. */
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
  /** SIGTERM, then SIGKILL; rejects when a process of its tree is left. */
  readonly stop: () => Promise<void>
}

export type Program = {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** A line of its stdout that says it is ready, or a question that is asked until the answer is yes. */
  readonly ready: RegExp | (() => Promise<boolean>)
  readonly startMs?: number
  readonly stopMs?: number
}

const readyLine = (child: ChildProcess, pattern: RegExp): Promise<string> =>
  new Promise((resolve) => {
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-TAIL_CHARS)
      const match = pattern.exec(text)
      if (match !== null) resolve(match[1] ?? '')
    })
  })

const readyAnswer = async (
  child: ChildProcess,
  isReady: () => Promise<boolean>,
): Promise<string> => {
  child.stdout?.resume()
  while (child.exitCode === null && child.signalCode === null && !(await isReady())) {
    await after(ASK_MS)
  }
  return ''
}

const becomesReady = (child: ChildProcess, { ready }: Program): Promise<string> =>
  ready instanceof RegExp ? readyLine(child, ready) : readyAnswer(child, ready)

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

const stopTree = async (child: ChildProcess, pid: number, stopMs: number): Promise<void> => {
  const tree = processTree(pid)
  const exited =
    child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
  child.kill('SIGTERM')
  if (exited !== undefined && (await within(stopMs, exited)) === LATE) {
    child.kill('SIGKILL')
    await exited
  }
  for (let waited = 0; waited < stopMs && stillRunning(tree).length > 0; waited += POLL_MS) {
    await after(POLL_MS)
  }
  const left = stillRunning(tree)
  for (const { pid: orphan } of left) endProcess(orphan)
  if (left.length > 0) {
    const names = left.map((one) => `${one.command} (${one.pid})`).join(', ')
    throw new Error(`left behind after its end: ${names}; they have been killed now`)
  }
}

/** Starts a program and waits for its ready line; fails with its stderr when it ends before. */
export const startProgram = async (program: Program): Promise<Running> => {
  const { command, args, startMs = WAIT_MS, stopMs = WAIT_MS } = program
  const child = spawn(command, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...program.env },
    cwd: program.cwd,
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-TAIL_CHARS)
  })
  const failed = new Promise<typeof ENDED>((resolve) => {
    child.once('error', (error) => {
      stderr += `\n${error.message}`
      resolve(ENDED)
    })
    child.once('exit', () => resolve(ENDED))
  })
  const ready = await within(startMs, Promise.race([becomesReady(child, program), failed]))
  const pid = child.pid ?? 0
  if (typeof ready === 'symbol') {
    if (pid > 0) await stopTree(child, pid, stopMs)
    const why = ready === LATE ? `not ready after ${startMs} ms` : 'ended before it was ready'
    throw new Error(`${[command, ...args].join(' ')}: ${why}; its stderr: ${stderr.trim()}`)
  }
  return {
    pid,
    ready,
    stderr: () => stderr,
    kill: () => void child.kill('SIGKILL'),
    stop: () => stopTree(child, pid, stopMs),
  }
}
