// What was reached as the value of `outrigger.dev/egress`, and what of it somebody has to decide: an address tells no name, and
// what was refused may have been refused rightly. Pure.

import { isIP } from 'node:net'
import { PREFIX } from '../../shared/annotations.ts'
import { oneLine } from '../../shared/one-line.ts'
import { plural } from '../output/plural.ts'
import { whyDoubtful } from './doubt.ts'
import { Items, type Written } from './items.ts'
import { placeOf, type Tally } from './tally.ts'

export interface Counted {
  readonly destination: string
  readonly attempts: number
  /** By verdict. */
  readonly verdicts: Readonly<Record<string, number>>
  readonly how: readonly string[]
  readonly sentBytes: number
  readonly receivedBytes: number
}

export interface Suggestion {
  readonly server: string
  /** Of the annotation; undefined where nothing is certain. */
  readonly value: string | undefined
  readonly destinations: readonly Counted[]
  /** What is not in the value, each with why. */
  readonly doubtful: readonly (Counted & { readonly why: string })[]
  /** What in the value a name would be better for, each as a sentence. */
  readonly nameless: readonly string[]
  /** What else there is to say. */
  readonly remarks: readonly string[]
}

const destinationOf = ({ host, port, protocol, declared }: Tally): string => {
  const place = placeOf(host, port)
  return declared ?? (protocol === 'tcp' ? place : `${protocol} ${place}`)
}

const countedOf = (tally: Tally): Counted => ({
  destination: destinationOf(tally),
  attempts: tally.attempts,
  verdicts: Object.fromEntries(
    [...tally.counts].toSorted(([one], [other]) => (one < other ? -1 : 1)),
  ),
  how: [...tally.hows].toSorted(),
  sentBytes: tally.sentBytes,
  receivedBytes: tally.receivedBytes,
})

/** As many as the annotation takes. */
const MAX_ITEMS = 256
/** So many names under one are worth a pattern. */
const MANY = 5

/** `*.example.com:443` where many names share it: for a person to decide, since others are under it, too. */
const patterns = (certain: readonly Tally[]): readonly string[] => {
  const under = new Map<string, number>()
  for (const { host, port, declared } of certain) {
    const parent = host.slice(host.indexOf('.') + 1)
    if (!parent.includes('.') || declared !== undefined || isIP(host) !== 0) continue
    const pattern = `*.${parent}:${port}`
    under.set(pattern, (under.get(pattern) ?? 0) + 1)
  }
  return [...under]
    .filter(([, many]) => many >= MANY)
    .map(
      ([pattern, many]) =>
        `${many} of them would be ${pattern}, and so would every other name there`,
    )
}

const byDestination = (one: Tally, other: Tally): number =>
  destinationOf(one) < destinationOf(other) ? -1 : 1

interface Judged {
  readonly tally: Tally
  readonly written: Written
}

/** In the order of how often they were reached, since of two that exclude each other the first counts. */
const judged = (tallies: Iterable<Tally>): readonly Judged[] => {
  const items = new Items()
  return [...tallies]
    .toSorted((one, other) => other.attempts - one.attempts || byDestination(one, other))
    .map((tally) => {
      const why = whyDoubtful(tally)
      const written =
        why === undefined ? items.write(tally) : { items: [], nameless: undefined, why }
      return { tally, written }
    })
}

/** As many as there is room for: those that are reached most. */
const valueOf = (
  certain: readonly Judged[],
): { readonly items: string[]; readonly all: number } => {
  const all = new Set(certain.flatMap(({ written }) => written.items))
  return { items: [...all].slice(0, MAX_ITEMS), all: all.size }
}

/** What one server was seen to reach, as a suggestion. */
export const suggestionOf = (server: string, tallies: Iterable<Tally>): Suggestion => {
  const all = judged(tallies)
  const certain = all.filter(({ written }) => written.why === undefined)
  const value = valueOf(certain)
  const sorted = all.toSorted((one, other) => byDestination(one.tally, other.tally))
  return {
    server,
    value: value.items.length === 0 ? undefined : value.items.toSorted().join(','),
    destinations: sorted.flatMap(({ tally, written }) =>
      written.why === undefined ? [countedOf(tally)] : [],
    ),
    doubtful: sorted.flatMap(({ tally, written: { why } }) =>
      why === undefined ? [] : [{ ...countedOf(tally), why }],
    ),
    nameless: sorted.flatMap(({ written }) => written.nameless ?? []),
    remarks: [
      ...(value.all > MAX_ITEMS
        ? [
            `there are ${value.all} destinations, and the annotation takes ${MAX_ITEMS}: these are reached most; write patterns`,
          ]
        : []),
      ...patterns(certain.map(({ tally }) => tally)),
    ],
  }
}

const bytes = (many: number): string => {
  const units = ['B', 'kB', 'MB', 'GB'] as const
  const power = Math.min(units.length - 1, many < 1 ? 0 : Math.floor(Math.log10(many) / 3))
  const amount = many / 1000 ** power
  return `${power === 0 ? many : amount.toFixed(1)} ${units[power] ?? ''}`
}

const countWords = ({ attempts, verdicts, how, sentBytes, receivedBytes }: Counted): string => {
  const by = Object.entries(verdicts).map(([verdict, many]) => `${many} ${verdict}`)
  return `${plural(attempts, 'time')} (${by.join(', ')}; ${how.join(', ')}), ${bytes(sentBytes)} sent, ${bytes(receivedBytes)} received`
}

/** The annotation, ready for a manifest, with what is known of each destination as comments behind it. */
export const suggestionText = ({
  server,
  value,
  destinations,
  doubtful,
  nameless,
  remarks,
}: Suggestion): string =>
  [
    `# ${server}`,
    value === undefined
      ? '# it was seen to reach nothing that is certain'
      : `${PREFIX}egress: '${value}'`,
    ...destinations.map((one) => `#   ${one.destination}  ${countWords(one)}`),
    ...[...nameless, ...remarks].map((remark) => `# ${remark}`),
    ...(doubtful.length === 0 ? [] : ['# not in it, for you to decide:']),
    ...doubtful.map((one) => `#   ${one.destination}  ${countWords(one)}: ${one.why}`),
  ]
    .map((line) => `${oneLine(line)}\n`)
    .join('')
