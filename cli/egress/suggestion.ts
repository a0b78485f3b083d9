// What was reached as the value of `outrigger.dev/egress`, and what of it somebody has to decide: an address tells no name, and
// what was refused may have been refused rightly. Pure.

import { isIP } from 'node:net'
import { addressOf, kindOf, type Address } from '../../shared/address.ts'
import { PREFIX } from '../../shared/annotations.ts'
import { destinationOf as readDestination } from '../../shared/destination.ts'
import { oneLine } from '../../shared/one-line.ts'
import { plural } from '../output/plural.ts'
import type { Tally } from './tally.ts'

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
  /** What else there is to say. */
  readonly remarks: readonly string[]
}

const destinationOf = ({ host, port, protocol, declared }: Tally): string => {
  const place = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
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

const DNS = 53
const DNS_WORDS =
  'it asks for names itself: by the proxy it need not, and where egress is enforced it cannot'

/** Of an address that nothing declares. */
const whyNameless = (address: Address, { port, hows }: Tally): string => {
  if (kindOf(address) === 'near') {
    return 'link-local, or where a cloud gives out credentials: leave it out'
  }
  return hows.has('direct')
    ? `only its address is known, since the server went there past the proxy: if that is HOST, write ${port}=HOST:${port} and let the server ask 127.0.0.1:${port}`
    : 'an address, and no name: write the name that the server should ask for, or the address itself'
}

/** Why somebody has to look at it; undefined where it is certain. */
const whyDoubtful = (tally: Tally): string | undefined => {
  const { host, port, protocol, declared, counts, attempts } = tally
  if (protocol !== 'tcp') return port === DNS ? DNS_WORDS : 'only TCP can be declared'
  const address = addressOf(host)
  if (address && declared === undefined) return whyNameless(address, tally)
  if (!readDestination(destinationOf(tally))) return 'no destination that could be declared'
  if (counts.has('allowed') || counts.has('observed')) return undefined
  return counts.get('failed') === attempts
    ? 'never reached: is the name right?'
    : 'refused each time: declare it if the server needs it'
}

/** The same of one after the other: two forwards of different times may have had one local port. */
const judging = (): typeof whyDoubtful => {
  const locals = new Set<number>()
  return (tally) => {
    const why = whyDoubtful(tally)
    const local = readDestination(destinationOf(tally))?.local
    if (why !== undefined || local === undefined) return why
    if (locals.has(local)) return `another forward has the local port ${local}: give each its own`
    locals.add(local)
    return undefined
  }
}

/** As many as the annotation takes. */
const MAX_ITEMS = 256
/** So many names under one are worth a pattern. */
const MANY = 5

/** `*.example.com:443` where many names share it: for a person to decide, since others are under it, too. */
const patterns = (certain: readonly Tally[]): readonly string[] => {
  const under = new Map<string, number>()
  for (const { host, port, declared } of certain) {
    const parent = host.slice(host.indexOf('.') + 1)
    if (!parent.includes('.') || declared !== undefined) continue
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

/** What one server was seen to reach, as a suggestion. */
export const suggestionOf = (server: string, tallies: Iterable<Tally>): Suggestion => {
  const judge = judging()
  const all = [...tallies]
    .toSorted((one, other) => other.attempts - one.attempts || byDestination(one, other))
    .map((tally) => ({ tally, why: judge(tally) }))
    .toSorted((one, other) => byDestination(one.tally, other.tally))
  const certain = all.flatMap(({ tally, why }) => (why === undefined ? [tally] : []))
  const most = certain.toSorted((one, other) => other.attempts - one.attempts).slice(0, MAX_ITEMS)
  const items = most.toSorted(byDestination).map(destinationOf)
  return {
    server,
    value: items.length === 0 ? undefined : items.join(','),
    destinations: certain.map(countedOf),
    doubtful: all.flatMap(({ tally, why }) =>
      why === undefined ? [] : [{ ...countedOf(tally), why }],
    ),
    remarks: [
      ...(certain.length > MAX_ITEMS
        ? [
            `there are ${certain.length} destinations, and the annotation takes ${MAX_ITEMS}: these are reached most; write patterns`,
          ]
        : []),
      ...patterns(certain),
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
  remarks,
}: Suggestion): string =>
  [
    `# ${server}`,
    value === undefined
      ? '# it was seen to reach nothing that is certain'
      : `${PREFIX}egress: '${value}'`,
    ...destinations.map((one) => `#   ${one.destination}  ${countWords(one)}`),
    ...remarks.map((remark) => `# ${remark}`),
    ...(doubtful.length === 0 ? [] : ['# not in it, for you to decide:']),
    ...doubtful.map((one) => `#   ${one.destination}  ${countWords(one)}: ${one.why}`),
  ]
    .map((line) => `${oneLine(line)}\n`)
    .join('')
