// A list of destinations, as `egress` names it: each with what is wrong with it and what would be right. Pure.

import { baseOf, rangeOf, textOf } from './address.ts'
import { DESTINATION_FORMS, destinationOf, NO_EGRESS, type Destination } from './destination.ts'
import { fail, ok, type Result } from './result.ts'

/** Whoever needs more has a pattern or a range for it. */
export const MAX_DESTINATIONS = 256
/** The shim holds no more for a process, but for the sidecar's own. */
export const MAX_FORWARDS = 32
/** Of items that are none, so many are told. */
const MAX_TOLD = 3
const MAX_SHOWN = 80

/** An item in its parts, as far as it has them. */
interface Parts {
  readonly item: string
  /** Before the first `=`. */
  readonly local: string | undefined
  readonly host: string
  /** Behind the last colon. */
  readonly port: string | undefined
}

const partsOf = (item: string): Parts => {
  const [, local, place = ''] = /^(?:([^=]*)=)?(.*)$/s.exec(item) ?? []
  const [, host = place, port] = /^(.*):([\d*]*)$/s.exec(place) ?? []
  return { item, local, host, port }
}

/** What somebody may have meant, if that is a destination. */
const meant = (text: string): string | undefined =>
  destinationOf(text) === undefined ? undefined : `\`${text}\``

const before = ({ local }: Parts): string => (local === undefined ? '' : `${local}=`)

type Look = (parts: Parts) => string | undefined

const empty: Look = ({ item }) => (item === '' ? 'is nothing: a comma is too many' : undefined)

const none: Look = ({ item }) =>
  item === NO_EGRESS ? 'stands alone: nothing is reached then' : undefined

const url: Look = (parts) => {
  const [, scheme = '', place = ''] = /([a-z][a-z\d+.-]*):\/\/([^/?#]*)/i.exec(parts.item) ?? []
  if (scheme === '') return undefined
  const port = scheme.toLowerCase() === 'http' ? 80 : 443
  const right = meant(`${before(parts)}${place}`) ?? meant(`${before(parts)}${place}:${port}`)
  return right === undefined ? 'is a URL: use `host:port`' : `is a URL: use ${right}`
}

const bare: Look = (parts) => {
  const place = parts.item.slice(before(parts).length)
  if (rangeOf(place) === undefined || !place.includes(':') || place.includes('/')) return undefined
  // Its last group may be meant as the port.
  const right =
    meant(`${before(parts)}[${parts.host}]:${parts.port ?? ''}`) ??
    meant(`${before(parts)}[${place}]:443`)
  return `lacks brackets: an IPv6 address stands in them before its port, ${right ?? '`[address]:port`'}`
}

const portless: Look = (parts) => {
  if (parts.port !== undefined) return undefined
  const right = meant(`${before(parts)}${parts.host}:${parts.local ?? 443}`)
  const when = parts.local === undefined ? 'for HTTPS that is' : 'where that is the local one,'
  return right === undefined ? undefined : `names no port: ${when} ${right}`
}

const everyPort: Look = ({ port }) =>
  port === '*' ? 'names no port: each needs an item of its own' : undefined

const badPort: Look = (parts) =>
  parts.port !== undefined && meant(`${before(parts)}${parts.host}:443`) !== undefined
    ? 'has a port that is none from 1 to 65535'
    : undefined

const hostBits: Look = (parts) => {
  const range = rangeOf(parts.host.replace(/^\[(.*)\]$/, '$1'))
  if (!range || !parts.host.includes('/')) return undefined
  const [written, base] = [textOf(range.bytes), baseOf(range)]
  if (textOf(base.bytes) === written) return undefined
  const [open, close] = written.includes(':') ? ['[', ']'] : ['', '']
  const port = parts.port ?? '443'
  return `has bits behind its prefix: use \`${open}${textOf(base.bytes)}/${base.prefix}${close}:${port}\` for all of them, or \`${open}${written}${close}:${port}\` for that one`
}

const localPort: Look = ({ local, host, port }) => {
  if (local === undefined || destinationOf(`${host}:${port ?? ''}`) === undefined) return undefined
  return destinationOf(`1=${host}:${port ?? ''}`) === undefined
    ? 'is a forward to more than one host: name one'
    : 'has no local port that a forward can have: use another from 1 to 65535, but for 15200 to 15204'
}

const lastDot: Look = (parts) => {
  const right = meant(`${before(parts)}${parts.host.replace(/\.$/, '')}:${parts.port ?? ''}`)
  return right === undefined ? undefined : `has a dot at the end of its name: use ${right}`
}

const star: Look = ({ host }) =>
  host.includes('*')
    ? 'has a star that is not all of what comes first: use `*.host:port` or `*:port`'
    : undefined

/** The first that sees something says what. */
const LOOKS: readonly Look[] = [
  empty,
  none,
  url,
  bare,
  portless,
  everyPort,
  hostBits,
  badPort,
  localPort,
  star,
  lastDot,
]

const quoted = (text: string): string => JSON.stringify(text.slice(0, MAX_SHOWN))

/** What is wrong with an item that is no destination, and what would be right, as a sentence. */
export const destinationFault = (item: string): string => {
  const parts = partsOf(item.slice(0, 1024))
  for (const look of LOOKS) {
    const words = look(parts)
    if (words !== undefined) return `${quoted(item)} ${words}`
  }
  return `${quoted(item)} is no destination: use ${DESTINATION_FORMS}`
}

/** The first that stands twice. */
const twice = <T>(values: readonly T[]): T | undefined =>
  values.find((value, at) => values.indexOf(value) !== at)

/** What a list as a whole has too many of. */
const excess = (items: readonly string[], locals: readonly number[]): string | undefined => {
  const again = twice(items)
  if (again !== undefined) return `${quoted(again)} stands there twice`
  if (locals.length > MAX_FORWARDS) return `there are more than ${MAX_FORWARDS} TCP forwards`
  const port = twice(locals)
  return port === undefined
    ? undefined
    : `two forwards have the local port ${port}: give each its own`
}

/** What a comma list says; else what is wrong with it, as sentences. */
export const parseDestinations = (text: string): Result<readonly Destination[], string> => {
  if (text === NO_EGRESS) return ok([])
  const items = text.split(',', MAX_DESTINATIONS + 1).map((item) => item.trim())
  if (items.length > MAX_DESTINATIONS) return fail(`there are more than ${MAX_DESTINATIONS}`)
  const destinations = items.flatMap((item) => destinationOf(item) ?? [])
  if (destinations.length < items.length) {
    const faulty = items.filter((item) => destinationOf(item) === undefined)
    const more = faulty.length - MAX_TOLD
    const told = faulty.slice(0, MAX_TOLD).map(destinationFault).join('; ')
    return fail(more > 0 ? `${told}; and ${more} more` : told)
  }
  const words = excess(
    items,
    destinations.flatMap(({ local }) => local ?? []),
  )
  return words === undefined ? ok(destinations) : fail(words)
}
