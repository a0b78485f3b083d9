// Probes and hooks of a server that is held on loopback. The kubelet would ask at the pod's address, where the sidecar
// stands; so the shim asks, executed in the server's container, on loopback. Nobody else gets an answer by it. Pure.

import { SHIM_PATH } from '../../shared/names.ts'
import {
  at,
  numberAt,
  objectAt,
  objectsAt,
  stringAt,
  withAt,
  type JsonObject,
} from '../../shared/json.ts'
import { escapeExpansion } from './command.ts'
import { HOOKS, nameOf, PROBES, type Place } from './pod.ts'
import { tcpPorts } from './ports.ts'

/** In the command of a probe, not of a hook, the kubelet expands `$(VAR)`. */
const PLACES = [
  ...PROBES.map((path) => ({ path, isProbe: true })),
  ...HOOKS.map((path) => ({ path, isProbe: false })),
]

/** What the kubelet would ask over the network, by the member that says it. */
const KINDS = ['httpGet', 'tcpSocket', 'grpc'] as const

/** One question of the kubelet's, as the shim asks it. */
interface Question {
  readonly place: Place
  readonly isProbe: boolean
  readonly port: number
  /** Undefined: only whether the port is open. */
  readonly path: string | undefined
  readonly headers: readonly string[]
  /** The author has asked for more than whether the port is open. */
  readonly isLess: boolean
}

/** A number, or the name of one of the container's ports, as the kubelet finds it. */
const portIn = (server: JsonObject, handler: JsonObject): number | undefined => {
  const port = at(handler, 'port')
  const named = tcpPorts(server).find(({ name }) => name !== '' && name === port)?.number
  const number = named ?? Number(port)
  return Number.isInteger(number) && number > 0 && number < 65_536 ? number : undefined
}

/** What the shim takes for a path, and for a header. */
const MAX_PATH = 1024
const MAX_HEADERS = 2048
const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t -~]*$/

const BASE = 'http://server.invalid'

/** As the kubelet would write it into a request; undefined where it is none that the shim takes. */
const pathIn = (handler: JsonObject): string | undefined => {
  const text = stringAt(handler, 'path') ?? '/'
  const from = `${BASE}${text.startsWith('/') ? '' : '/'}${text}`
  if (!URL.canParse(from)) return undefined
  const { origin, pathname, search } = new URL(from)
  const path = pathname + search
  return origin === BASE && path.length <= MAX_PATH ? path : undefined
}

const headersIn = (handler: JsonObject): readonly string[] =>
  objectsAt(handler, 'httpHeaders').map(
    (header) => `${nameOf(header)}: ${stringAt(header, 'value') ?? ''}`,
  )

const areFit = (headers: readonly string[]): boolean =>
  headers.every((header) => HEADER.test(header)) && headers.join('').length <= MAX_HEADERS

const isPlain = (handler: JsonObject): boolean =>
  (stringAt(handler, 'scheme') ?? 'HTTP').toUpperCase() === 'HTTP'

type Asked = Pick<Question, 'path' | 'headers' | 'isLess'>

const asked = (kind: (typeof KINDS)[number], handler: JsonObject): Asked => {
  const path = kind === 'httpGet' && isPlain(handler) ? pathIn(handler) : undefined
  const headers = headersIn(handler)
  return path !== undefined && areFit(headers)
    ? { path, headers, isLess: false }
    : { path: undefined, headers: [], isLess: kind !== 'tcpSocket' }
}

/** The questions that go to the pod's own address; one with a `host` goes elsewhere, and is left to the rule `probe-host`. */
const questions = (server: JsonObject): readonly Question[] =>
  PLACES.flatMap(({ path: place, isProbe }) =>
    KINDS.flatMap((kind) => {
      const value = at(server, ...place, kind)
      const handler = objectAt(server, ...place, kind)
      const port = portIn(server, handler)
      if (value === undefined || port === undefined) return []
      if ((stringAt(handler, 'host') ?? '') !== '') return []
      return [{ place, isProbe, port, ...asked(kind, handler) }]
    }),
  )

/** How long the shim waits by itself, and at most. */
const USUAL_SECONDS = 5
const MAX_SECONDS = 86_400

const within = (server: JsonObject, { place }: Question): readonly string[] => {
  const seconds = numberAt(server, ...place, 'timeoutSeconds') ?? 1
  return seconds > USUAL_SECONDS ? ['--within', String(Math.min(seconds, MAX_SECONDS))] : []
}

const wordsFor = (server: JsonObject, question: Question): readonly string[] => {
  const { port, path, headers, isProbe } = question
  const request = path === undefined ? [] : [path, ...headers]
  const words = [...within(server, question), String(port), ...request]
  return [SHIM_PATH, 'probe', ...(isProbe ? words.map(escapeExpansion) : words)]
}

/** The container with each of them asked by the shim. */
export const probeLoopback = (server: JsonObject): JsonObject =>
  questions(server).reduce((current, question) => {
    const bare = KINDS.reduce(
      (changed, kind) => withAt(changed, [...question.place, kind], undefined),
      current,
    )
    const command = wordsFor(server, question)
    return withAt(bare, [...question.place, 'exec'], { command })
  }, server)

/** What of it the author should know. */
export const probeWarnings = (server: JsonObject): readonly string[] => {
  const all = questions(server)
  const names = (some: readonly Question[]): string =>
    some.map(({ place }) => place.join('.')).join(', ')
  const less = all.filter(({ isLess }) => isLess)
  const container = `container ${nameOf(server)}`
  return [
    ...(all.length > 0
      ? [`${container}: ${names(all)}: asked on loopback by the shim, where the server is now`]
      : []),
    ...(less.length > 0
      ? [
          `${container}: ${names(less)}: only tells whether the port is open: the shim speaks neither TLS nor gRPC`,
        ]
      : []),
  ]
}
