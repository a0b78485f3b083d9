// The two hosts with everybody in the pod whom the attack table takes, and how a row is tried there.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Caller } from '../caller.ts'
import { anAuthority, issue } from '../certificates.ts'
import { endProcess } from '../end-process.ts'
import { until, within } from '../waiting.ts'
import { OTHER } from './addresses.ts'
import type { Frame } from './capture.ts'
import { Container, ENVIRONMENT } from './container.ts'
import { EgressPod, type EgressPodOptions } from './egress-pod.ts'
import { commandOf, FIXTURES, isSeenIn, LISTENED_PORT, type Row } from './row.ts'
import { TwoHosts, type Pages } from './two-hosts.ts'
import { ZONE } from './zone.ts'

/** What a way has said, and what has left the pod meanwhile. */
export interface Tried {
  readonly said: string
  readonly frames: readonly Frame[]
}

/** Runs a command in the pod; what it has said. */
export type Run = (command: readonly string[]) => Promise<string>

export const AUTHORITY = anAuthority('arena')
export const CERTIFICATE = issue({
  names: ['api.example', '*.wild.example', 'other.example', 'login.example'],
  by: AUTHORITY,
})

/** How long apart somebody outside dials what is to listen. */
const DIAL_EVERY_MS = 40
/** Who listens there listens in every pod; 9999 is the accomplice's. */
const OWN_PORTS = new Set([15_200, 15_201, 15_202, 9999])

export class Arena {
  readonly hosts: TwoHosts
  private readonly programs: string
  private readonly outside: Caller
  private readonly containers: Container[] = []
  private readonly others: ChildProcess[] = []
  private readonly pods: EgressPod[] = []

  private constructor(hosts: TwoHosts, programs: string) {
    this.hosts = hosts
    this.programs = programs
    this.outside = new Caller(hosts.onFarHost)
  }

  static async start(programs: string, pages: Pages = {}): Promise<Arena> {
    const arena = new Arena(await TwoHosts.start({ zone: ZONE, pages, ...CERTIFICATE }), programs)
    // Starting takes longer than most listeners wait.
    await arena.outside.ask({ host: '127.0.0.1', port: 1 })
    return arena
  }

  /** A container in which nothing is confined. */
  idleContainer(capability?: string): Container {
    const { hosts } = this
    const container = new Container({
      hosts,
      command: ['sleep', 'infinity'],
      ...(capability !== undefined && { capability }),
    })
    this.containers.push(container)
    return container
  }

  /** A pod whose server is confined; it ends with the arena. */
  addPod(options: Omit<EgressPodOptions, 'hosts'>): EgressPod {
    const pod = new EgressPod({ ...options, hosts: this.hosts })
    this.pods.push(pod)
    return pod
  }

  /** Has somebody run in a container whom nothing confines, and who relays. */
  async accompliceIn(container: Container): Promise<void> {
    const [file, ...words] = [
      ...(await container.beside()),
      'python3',
      `${FIXTURES}ways.py`,
      'accomplice',
      `${this.hosts.folder}/accomplice.pid`,
      OTHER.v4,
      '4444',
    ]
    const program = spawn(file, words, { stdio: ['ignore', 'pipe', 'inherit'], env: ENVIRONMENT })
    this.others.push(program)
    const ready = new Promise((resolve) =>
      createInterface({ input: program.stdout }).once('line', resolve),
    )
    await within(ready, () => 'the accomplice')
  }

  private commandOf(row: Row, words: readonly string[]): readonly string[] {
    return commandOf({ ...row, words }, this.programs).map((word) =>
      word.replace('{folder}', this.hosts.folder).replace('{control}', this.pods[0]?.control ?? ''),
    )
  }

  /** What leaves the pod while a row is tried in a way of the caller's. */
  async during(row: Row, run: Run, words = row.words): Promise<Tried> {
    const { result, frames } = await this.hosts.capture.during(async () => {
      const running = run(this.commandOf(row, words))
      const over = new AbortController()
      const end = (): void => over.abort()
      running.then(end, end)
      if (row.dialled) await this.dial(row.dialled.host, over.signal)
      return running
    })
    return { said: result, frames }
  }

  /** Fails where a way does not show itself to be one. */
  async prove(row: Row, run: Run): Promise<void> {
    const { words, seen } = row.proof
    const { capture } = this.hosts
    await capture.fence()
    const from = capture.frames.length
    const { said } = await this.during(row, run, words)
    const frames = (): readonly Frame[] => capture.frames.slice(from)
    const isOut = (): boolean =>
      seen === 'worked' ? /^worked/m.test(said) : frames().some((one) => isSeenIn(seen, one))
    // What whoever relays has been given it may still have to send.
    if (seen !== 'worked') await until(isOut, 'it is seen').catch(() => undefined)
    if (!isOut()) throw new Error(`it did not get out: ${said}; ${JSON.stringify(frames())}`)
  }

  /** From outside, until somebody answers or whoever is to listen has ended. */
  private async dial(host: string, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      for (const port of this.hosts.listening().filter((one) => !OWN_PORTS.has(one))) {
        if ((await this.outside.ask({ host, port })).text === 'reached') return
      }
      await this.outside.ask({ host, port: LISTENED_PORT })
      await new Promise((resolve) => setTimeout(resolve, DIAL_EVERY_MS))
    }
  }

  async close(): Promise<void> {
    this.outside.close()
    for (const other of this.others) {
      const gone = once(other, 'exit')
      if (other.exitCode === null && other.signalCode === null && endProcess(other.pid ?? 0))
        await gone
    }
    for (const one of [...this.containers, ...this.pods]) await one.close()
    await this.hosts.close()
  }
}
