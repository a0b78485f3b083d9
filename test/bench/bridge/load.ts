// The load generator, a process of its own: opens connections (and, in the legacy era, a session on
// each), calls one tool in a closed loop, and prints what it saw as JSON. It also reads the CPU time
// of the processes it is told about, so that the window is the same to the millisecond.
// usage: node load.ts JSON-OF-Load

import { cpuMicroseconds } from '../process-cost.ts'
import {
  argumentsOf,
  initialize,
  initialized,
  legacyCall,
  modernCall,
  terminate,
  type Era,
  type Shape,
} from './requests.ts'
import { sessionOf, Wire, type Answer } from './wire.ts'

export type Load = {
  readonly url: string
  readonly era: Era
  readonly shape: Shape
  readonly connections: number
  readonly warmupMs: number
  readonly measureMs: number
  /** Processes whose CPU time is charged. */
  readonly pids: readonly number[]
}

export type LoadResult = {
  readonly calls: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuMicroseconds: number
}

type Caller = {
  readonly wire: Wire
  readonly session: string | undefined
  readonly call: Buffer
}

type Target = { readonly host: string; readonly path: string }

const fail = (error: Error): never => {
  process.stderr.write(`load: ${error.message}\n`)
  process.exit(1)
}

const expectStatus = (answer: Answer, accepted: readonly number[], what: string): void => {
  if (!accepted.includes(answer.status)) {
    fail(new Error(`${what} was answered ${answer.status}: ${answer.body.slice(0, 500)}`))
  }
}

/** The one JSON-RPC message of an answer, be it JSON or an event stream. */
const messageOf = ({ body }: Answer): string => {
  const start = body.indexOf('{"')
  return body.slice(start, body.lastIndexOf('}') + 1)
}

const checkEcho = (answer: Answer, shape: Shape): void => {
  expectStatus(answer, [200], 'tools/call')
  const { id, result } = JSON.parse(messageOf(answer))
  const sent = argumentsOf(shape)
  const echoed = sent['text'] === undefined ? result.structuredContent : result.content[0].text
  if (id !== 1 || JSON.stringify(echoed) !== JSON.stringify(sent['text'] ?? sent)) {
    fail(new Error(`the answer is not the echo of the call: ${answer.body.slice(0, 500)}`))
  }
}

const openCaller = async (load: Load, target: Target, port: number): Promise<Caller> => {
  const wire = new Wire('127.0.0.1', port, fail)
  if (load.era === 'modern') {
    return { wire, session: undefined, call: modernCall(target, load.shape) }
  }
  const opened = await wire.ask(initialize(target))
  expectStatus(opened, [200], 'initialize')
  const session = sessionOf(opened) ?? ''
  expectStatus(await wire.ask(initialized(target, session)), [202], 'initialized')
  return { wire, session, call: legacyCall(target, session, load.shape) }
}

class Loop {
  readonly latencies: number[] = []
  measuring = false
  stopped = false

  /** Calls over and over until stopped. */
  run({ wire, call }: Caller): Promise<void> {
    return new Promise((resolve) => {
      let sentAt = performance.now()
      const again = (answer: Answer): void => {
        if (answer.status !== 200) fail(new Error(`tools/call was answered ${answer.status}`))
        const now = performance.now()
        if (this.measuring) this.latencies.push(now - sentAt)
        if (this.stopped) return resolve()
        sentAt = now
        wire.send(call, again)
      }
      wire.send(call, again)
    })
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const measure = async (callers: readonly Caller[], load: Load): Promise<LoadResult> => {
  const loop = new Loop()
  const running = callers.map((caller) => loop.run(caller))
  await pause(load.warmupMs)
  const cpuBefore = cpuMicroseconds(load.pids)
  const startedAt = performance.now()
  loop.measuring = true
  await pause(load.measureMs)
  loop.measuring = false
  const seconds = (performance.now() - startedAt) / 1000
  const cpu = cpuMicroseconds(load.pids) - cpuBefore
  loop.stopped = true
  await Promise.all(running)
  const sorted = Float64Array.from(loop.latencies).sort()
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0
  return {
    calls: sorted.length,
    seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    cpuMicroseconds: cpu,
  }
}

const main = async (load: Load): Promise<void> => {
  const { host, port, pathname } = new URL(load.url)
  const target = { host, path: pathname }
  const callers: Caller[] = []
  for (let index = 0; index < load.connections; index += 1) {
    const caller = await openCaller(load, target, Number(port))
    checkEcho(await caller.wire.ask(caller.call), load.shape)
    caller.wire.collects = false
    callers.push(caller)
  }
  const result = await measure(callers, load)
  for (const { wire, session } of callers) {
    if (session !== undefined) {
      expectStatus(await wire.ask(terminate(target, session)), [200, 202, 204], 'DELETE')
    }
    wire.close()
  }
  process.stdout.write(JSON.stringify(result))
}

await main(JSON.parse(process.argv[2] ?? '{}'))
