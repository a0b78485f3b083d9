// What `inject` has changed in a Service: the earlier `targetPort` of each port, in an annotation of the
// Service itself, so that `uninject` can give it back. Pure.

import { z } from 'zod'
import { MCP_PORT, STATUS_ANNOTATION } from '../../shared/names.ts'
import {
  arrayAt,
  at,
  isObject,
  numberAt,
  objectAt,
  stringAt,
  withAt,
  type Json,
  type JsonObject,
} from '../../shared/json.ts'

const ANNOTATION = ['metadata', 'annotations', STATUS_ANNOTATION] as const
const PORTS = ['spec', 'ports'] as const

const schema = z.strictObject({
  version: z.literal(1),
  /** Earlier targets by port; null where there was none. */
  targetPorts: z.record(z.string().regex(/^\d{1,5}$/), z.union([z.number(), z.string(), z.null()])),
})
type Targets = z.output<typeof schema>['targetPorts']

const targetsBefore = (service: JsonObject): Targets | undefined => {
  try {
    const document: unknown = JSON.parse(stringAt(service, ...ANNOTATION) ?? '')
    return schema.safeParse(document).data?.targetPorts
  } catch {
    return undefined
  }
}

const isTcp = (port: JsonObject): boolean => (stringAt(port, 'protocol') ?? 'TCP') === 'TCP'

/** A Service with each of its TCP ports run through a function that knows its number. */
const mapPorts = (
  service: JsonObject,
  change: (port: JsonObject, number: number) => JsonObject,
): JsonObject => {
  const ports = (arrayAt(service, ...PORTS) ?? []).map((port) =>
    isObject(port) && isTcp(port) ? change(port, numberAt(port, 'port') ?? 0) : port,
  )
  return withAt(service, PORTS, ports)
}

const targetOf = (port: JsonObject): number | string | null => {
  const target: Json | undefined = at(port, 'targetPort')
  return typeof target === 'number' || typeof target === 'string' ? target : null
}

/** The Service with some of its ports leading to the sidecar, and a record of where they led. */
export const leadToSidecar = (service: JsonObject, ports: ReadonlySet<number>): JsonObject => {
  const was = new Map(Object.entries(targetsBefore(service) ?? {}))
  const led = mapPorts(service, (port, number) => {
    if (!ports.has(number)) return port
    was.set(String(number), targetOf(port))
    return { ...port, targetPort: MCP_PORT }
  })
  const status = { version: 1, targetPorts: Object.fromEntries(was) }
  return withAt(led, ANNOTATION, JSON.stringify(status))
}

/** The Service as it was; undefined where it bears no record of ours. */
export const leadBack = (service: JsonObject): JsonObject | undefined => {
  const was = targetsBefore(service)
  if (!was) return undefined
  const back = mapPorts(service, (port, number) => {
    const target = was[String(number)]
    // What somebody has led elsewhere since is theirs.
    if (target === undefined || targetOf(port) !== MCP_PORT) return port
    return withAt(port, ['targetPort'], target ?? undefined)
  })
  const bare = withAt(back, ANNOTATION, undefined)
  const isEmpty = Object.keys(objectAt(bare, 'metadata', 'annotations')).length === 0
  return isEmpty ? withAt(bare, ['metadata', 'annotations'], undefined) : bare
}
