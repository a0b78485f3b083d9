// `outrigger egress suggest`: what servers were seen to reach, in audit records, as the annotation that allows it.

import { setTimeout as sleep } from 'node:timers/promises'
import { ok, type Result } from '../../shared/result.ts'
import { oneLine } from '../../shared/one-line.ts'
import { LineSplitter } from '../audit/line-splitter.ts'
import { readSource, sourcesOf, type Source } from '../audit/record-files.ts'
import type { Reading } from '../audit/followed-file.ts'
import { seeRecord } from '../audit/seen-record.ts'
import { tell, type Io } from '../command/command.ts'
import { jsonText } from '../output/json.ts'
import { plural } from '../output/plural.ts'
import { ReachedRecords } from './reached-record.ts'
import { suggestionOf, suggestionText, type Suggestion } from './suggestion.ts'
import { Tallies } from './tally.ts'

export const FORMATS = ['text', 'json'] as const

export interface SuggestFlags {
  readonly sources: readonly string[]
  /** Of these alone; empty: of all. */
  readonly servers: readonly string[]
  readonly format: (typeof FORMATS)[number]
}

/** What all files have in common. */
class Sum {
  readonly tallies = new Tallies()
  readonly found = { records: 0, reached: 0, unreadable: 0 }
  readonly records = new ReachedRecords()
  private readonly servers: readonly string[]

  constructor(servers: readonly string[]) {
    this.servers = servers
  }

  take(lines: readonly string[]): void {
    for (const line of lines) {
      const seen = seeRecord(line)
      if (seen === false) this.found.unreadable++
      if (!seen) continue
      this.found.records++
      const reached = seen.record.event === 'egress' ? this.records.read(seen.text) : undefined
      if (reached === undefined) continue
      if (this.servers.length > 0 && !this.servers.includes(reached.server)) continue
      this.found.reached++
      this.tallies.add(reached)
    }
  }
}

const readingFor = (sum: Sum, io: Io): Reading => {
  const splitter = new LineSplitter()
  return {
    take: async (bytes) => sum.take(splitter.take(bytes)),
    next: async () => {
      sum.take(splitter.end())
      sum.found.unreadable += splitter.passedOver
      splitter.passedOver = 0
    },
    tell: (sentence) => tell(io, 'egress', sentence),
    sleep,
    isOver: () => io.signal.aborted,
  }
}

/** Of one server so many are told here; all of them stand behind the annotation. */
const MAX_NAMELESS = 8

const namelessWords = ({ server, nameless }: Suggestion): readonly string[] => {
  const more = nameless.length - MAX_NAMELESS
  return [
    ...nameless.slice(0, MAX_NAMELESS).map((words) => `${server}: ${words}`),
    ...(more > 0 ? [`${server}: ${more} more such addresses`] : []),
  ]
}

/** What is missing in what is suggested. */
const remarks = (
  { found, tallies, records }: Sum,
  { sources, servers }: SuggestFlags,
): readonly string[] => {
  const of = servers.length === 0 ? '' : ` of ${servers.join(', ')}`
  return [
    ...(found.unreadable === 0
      ? []
      : [`${plural(found.unreadable, 'line')} passed over: no whole record, or longer than any`]),
    ...(tallies.beyond === 0
      ? []
      : [`${plural(tallies.beyond, 'attempt')} left out: more destinations than are added up`]),
    ...records.nowhere(),
    ...(found.records === 0 ? [`${sources.join(', ')}: no line is a record`] : []),
    ...(found.records > 0 && found.reached === 0
      ? [
          `${sources.join(', ')}: no record${of} tells what a server reached: it has reached nothing, or nobody looked (egress-mode: observe; outrigger run --egress-mode observe --audit-file FILE)`,
        ]
      : []),
  ]
}

const shown = (suggestions: readonly Suggestion[], { format }: SuggestFlags): string =>
  format === 'json' ? jsonText(suggestions) : suggestions.map(suggestionText).join('\n')

/** Each file once, also one that is named beside the full ones before it. */
const distinct = (sources: readonly Source[]): readonly Source[] => {
  const known = new Set<string>()
  return sources.flatMap(({ path, full, newest }) => {
    const fresh = full.filter((one) => !known.has(one))
    const isKnown = known.has(path)
    for (const one of [path, ...full]) known.add(one)
    return isKnown ? [] : [{ path, full: fresh, newest }]
  })
}

const sourcesIn = async (paths: readonly string[]): Promise<Result<readonly Source[], string>> => {
  const sources: Source[] = []
  for (const path of paths) {
    const found = await sourcesOf(path, true)
    if (!found.ok) return found
    sources.push(...found.value)
  }
  return ok(distinct(sources))
}

export const suggest = async (flags: SuggestFlags, io: Io): Promise<number> => {
  const sources = await sourcesIn(flags.sources)
  if (!sources.ok) {
    tell(io, 'egress', sources.error)
    return 1
  }
  const sum = new Sum(flags.servers)
  const isRead: boolean[] = []
  for (const source of sources.value)
    isRead.push(await readSource(source, false, readingFor(sum, io)))
  const suggestions = [...sum.tallies.byServer]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([server, tallies]) => suggestionOf(server, tallies.values()))
  const said = [...remarks(sum, flags), ...suggestions.flatMap(namelessWords)]
  for (const remark of said) tell(io, 'egress', oneLine(remark))
  if (suggestions.length > 0 || flags.format === 'json') io.stdout(shown(suggestions, flags))
  return isRead.every(Boolean) && suggestions.length > 0 ? 0 : 1
}
