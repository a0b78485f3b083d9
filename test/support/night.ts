// A night that is played: hours in which something happens, and what an operator who slept through them reads in the
// morning. The clock is the script's, and of what is random the log's lines have names.

import { createLog, type Log } from '../../shared/log.ts'
import { until } from './waiting.ts'

type Line = Readonly<Record<string, unknown>>

export type Hour = readonly [time: string, what: string, happens: () => unknown]

/** What of a line depends on the machine or the moment, and what stands for it. */
type Names = readonly (readonly [what: RegExp | string, name: string])[]

const MACHINE: Names = [
  [/("uid":|the sidecar's uid )\d+/g, '$1UID'],
  [/"landlock":\d+/g, '"landlock":"ABI"'],
]

/** Of different processes whoever is faster comes first. */
const inOrder = (some: readonly Line[]): readonly Line[] =>
  some.toSorted((a, b) => Number(a['process'] ?? 0) - Number(b['process'] ?? 0))

/** A process that is asked to end does so by itself, or by a signal where the machine is busy. */
const settled = ({ how, code, signal, ...line }: Line): Line =>
  line['asked'] === true ? line : { ...line, how, code, signal }

export class Night {
  /** The time of day. */
  clock: string
  readonly log: Log
  private readonly lines: Line[] = []
  private readonly sessions = new Map<unknown, string>()
  private readonly beganMs: number

  constructor(began: string) {
    this.clock = began
    this.beganMs = this.wallMs
    this.log = createLog({
      level: 'info',
      write: (line) => void this.lines.push(JSON.parse(line)),
      now: () => this.wallMs,
    })
  }

  /** Milliseconds since 1970. */
  get wallMs(): number {
    return Date.parse(`2026-11-29T${this.clock}Z`)
  }

  /** How much of it has passed. */
  get passedMs(): number {
    return this.wallMs - this.beganMs
  }

  private count(message: string): number {
    return this.lines.filter((line) => line['message'] === message).length
  }

  /** Does something, and waits until so many more lines of a kind have come. */
  async soon(act: () => unknown, message: string, more = 1): Promise<void> {
    const wanted = this.count(message) + more
    await act()
    await until(() => this.count(message) >= wanted, `${more} more: ${message}`)
  }

  /** The line with names for what is random. */
  private readable(line: Line, names: Names): string {
    const { session, ...rest } = settled(line)
    if (session !== undefined && !this.sessions.has(session)) {
      this.sessions.set(session, String.fromCharCode(65 + this.sessions.size))
    }
    const named = session === undefined ? rest : { ...rest, session: this.sessions.get(session) }
    return [...MACHINE, ...names].reduce(
      (text, [what, name]) => text.replaceAll(what, name),
      JSON.stringify(named),
    )
  }

  /** What the log says of each hour. */
  async play(hours: readonly Hour[], names: Names = []): Promise<readonly string[]> {
    const told: string[] = []
    for (const [time, what, happens] of hours) {
      this.clock = time
      const before = this.lines.length
      await happens()
      const lines = inOrder(this.lines.slice(before))
      told.push(`# ${what}`, ...lines.map((line) => this.readable(line, names)), '')
    }
    return told
  }
}

/** Those metrics of a text that are something else than none. */
export const toldMetrics = (text: string, names: readonly string[]): readonly string[] => [
  '# the metrics',
  ...(text.match(new RegExp(`^outrigger_(${names.join('|')})\\b.* [1-9]\\d*$`, 'gm')) ?? []).sort(),
  '',
]
