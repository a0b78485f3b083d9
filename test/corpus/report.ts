// What is printed at the end: every server with its version, how many clients hear the same of it, and each difference.

import { isObject } from '../../shared/json.ts'
import { LEFT_OUT, type CorpusServer } from './servers.ts'
import type { Step } from './transcript.ts'

/** Of a difference so much is shown. */
const SHOWN = 300

type Way = 'through the sidecar' | 'translated'

interface Lines {
  readonly alike: Record<Way, number>
  readonly differences: string[]
  kinds: string
}

/** The same for the same: in what order members stand, and whether one is absent or undefined, means nothing. */
const canonical = (step: Step | undefined): string =>
  JSON.stringify(step, (_name, value: unknown) =>
    isObject(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  ) ?? ''

const shown = (step: Step | undefined): string =>
  (JSON.stringify(step) ?? 'nothing').slice(0, SHOWN)

const differencesOf = (direct: readonly Step[], bridged: readonly Step[]): readonly string[] =>
  Array.from({ length: Math.max(direct.length, bridged.length) }, (_, index) => index)
    .filter((index) => canonical(direct[index]) !== canonical(bridged[index]))
    .map((index) => `${shown(bridged[index])} where the server says ${shown(direct[index])}`)

const nameOf = ({ from, name, version }: Pick<CorpusServer, 'from' | 'name' | 'version'>): string =>
  `${from.padEnd(4)} ${name} ${version}`

export class Report {
  private readonly servers = new Map<string, Lines>()

  compared(
    server: CorpusServer,
    { client, way }: { readonly client: string; readonly way: Way },
    direct: readonly Step[],
    bridged: readonly Step[],
  ): void {
    const lines = this.linesOf(server)
    const differences = differencesOf(direct, bridged)
    if (differences.length === 0) lines.alike[way] += 1
    for (const one of differences) lines.differences.push(`${client}, ${way}: ${one}`)
  }

  /** Its tool lock was the same twice, and has these. */
  locked(server: CorpusServer, kinds: string): void {
    this.linesOf(server).kinds = kinds
  }

  get text(): string {
    const rows = [...this.servers].flatMap(([name, { alike, kinds, differences }]) => {
      const row = `${name}: alike to ${alike['through the sidecar']} clients, translated to ${alike.translated}${kinds}`
      return [row].concat(differences.map((one) => `  differs: ${one}`))
    })
    const left = LEFT_OUT.map((one) => `${nameOf(one)}: left out: ${one.why}`)
    return [`${this.servers.size} servers`, ...rows, ...left].map((row) => `${row}\n`).join('')
  }

  private linesOf(server: CorpusServer): Lines {
    const name = nameOf(server)
    const there = this.servers.get(name)
    if (there) return there
    const lines = { alike: { 'through the sidecar': 0, translated: 0 }, differences: [], kinds: '' }
    this.servers.set(name, lines)
    return lines
  }
}
