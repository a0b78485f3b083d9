// What a pod may be told of itself (the downward API), by variables and by files: fields of its own that stand in the
// manifest, its address, which is loopback here, and its containers' resources. Pure.

import { at, objectAt, objectsAt, stringAt, type Json, type JsonObject } from '../../shared/json.ts'
import { parseQuantity } from '../../webhook/settings/quantity.ts'

/** A pod as it is here. */
export interface OwnPod {
  readonly pod: JsonObject
  /** Its own, or that of the workload whose template it is. */
  readonly name: string
  readonly namespace: string
}

const HERE = '127.0.0.1'

const FIELDS: Readonly<Record<string, (own: OwnPod) => string | undefined>> = {
  'metadata.name': ({ name }) => name,
  'metadata.namespace': ({ namespace }) => namespace,
  'spec.serviceAccountName': ({ pod }) => stringAt(pod, 'spec', 'serviceAccountName') ?? 'default',
  'status.podIP': () => HERE,
  'status.podIPs': () => HERE,
  'status.hostIP': () => HERE,
  'status.hostIPs': () => HERE,
}

const MAPS = ['labels', 'annotations'] as const

const MEMBER = /^metadata\.(labels|annotations)\['([^']+)'\]$/

/** All of a map, as the kubelet writes it to a file. */
const wholeMap = (pod: JsonObject, name: (typeof MAPS)[number]): string =>
  Object.entries(objectAt(pod, 'metadata', name))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort()
    .join('\n')

/** A field's text by its path; undefined where only a cluster knows it. */
export const fieldText = (own: OwnPod, path: string): string | undefined => {
  const [, map, key] = MEMBER.exec(path) ?? []
  if (map !== undefined && key !== undefined) return stringAt(own.pod, 'metadata', map, key) ?? ''
  const whole = MAPS.find((name) => path === `metadata.${name}`)
  if (whole !== undefined) return wholeMap(own.pod, whole)
  return Object.hasOwn(FIELDS, path) ? FIELDS[path]?.(own) : undefined
}

const RESOURCE = /^(limits|requests)\.([a-z0-9./-]+)$/

const textOf = (value: Json | undefined): string | undefined =>
  // YAML lets one write `cpu: 1`.
  typeof value === 'number' || typeof value === 'string' ? String(value) : undefined

/** What a container's spec says of a resource: where only a limit is named, it is the request too. */
const quantityOf = (pod: JsonObject, container: string, where: string): string | undefined => {
  const [, list, resource] = RESOURCE.exec(where) ?? []
  if (list === undefined || resource === undefined) return undefined
  const all = ['containers', 'initContainers'].flatMap((of) => objectsAt(pod, 'spec', of))
  const own = all.find((each) => stringAt(each, 'name') === container)
  const of = (member: string): string | undefined => textOf(at(own, 'resources', member, resource))
  return of(list) ?? (list === 'requests' ? of('limits') : undefined)
}

const ONE = parseQuantity('1') ?? 1n

/** `0` is how the API server writes a divisor that nobody has named. */
const unitOf = (reference: Json | undefined): bigint =>
  parseQuantity(textOf(at(reference, 'divisor')) ?? '') || ONE

/** A container's resource in units of its divisor, rounded up; undefined where its spec does not say. */
export const resourceText = (
  { pod }: OwnPod,
  container: string,
  reference: Json | undefined,
): string | undefined => {
  const name = stringAt(reference, 'containerName') ?? container
  const text = quantityOf(pod, name, stringAt(reference, 'resource') ?? '')
  const amount = parseQuantity(text ?? '')
  const unit = unitOf(reference)
  return amount === undefined ? undefined : String((amount + unit - 1n) / unit)
}
