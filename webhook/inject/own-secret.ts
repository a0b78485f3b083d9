// Of a server that speaks TLS: the Secret of the certificate that it shows, which the sidecar shows in its place where it
// takes the port. Told by what the server's container mounts; what cannot be told is asked for. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { at, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { TLS_CERT_KEY, TLS_PRIVATE_KEY } from '../../shared/names.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { cleanPath } from './paths.ts'
import { nameOf } from './pod.ts'
import type { Subject } from './subject.ts'

interface Candidate {
  readonly secret: string
  /** Whether something of the container says what it is for: its names, or a path in its command or variables. */
  readonly isSaid: boolean
}

/** The path of a key in the volume; undefined where that leaves it out. */
const pathOf = (volume: JsonObject, key: string): string | undefined => {
  if (at(volume, 'secret', 'items') === undefined) return key
  const item = objectsAt(volume, 'secret', 'items').find((one) => stringAt(one, 'key') === key)
  return item && stringAt(item, 'path')
}

/** What may be paths in its command and variables, so that each of many mounts is looked up and not searched for. */
const pathsOf = (server: JsonObject): ReadonlySet<string> => {
  const words = [at(server, 'command'), at(server, 'args')].flatMap((list) =>
    Array.isArray(list) ? list : [],
  )
  const values = objectsAt(server, 'env').map((variable) => stringAt(variable, 'value') ?? '')
  const texts = [...words.filter((word) => typeof word === 'string'), ...values]
  return new Set(texts.flatMap((text) => text.split(/[\s=,:'"]+/)))
}

const candidates = (server: JsonObject, pod: JsonObject): readonly Candidate[] => {
  const paths = pathsOf(server)
  const volumes = new Map(objectsAt(pod, 'spec', 'volumes').map((one) => [nameOf(one), one]))
  return objectsAt(server, 'volumeMounts').flatMap((mount) => {
    const volume = volumes.get(nameOf(mount)) ?? {}
    const secret = stringAt(volume, 'secret', 'secretName')
    const file = pathOf(volume, TLS_PRIVATE_KEY)
    if (secret === undefined || file === undefined || pathOf(volume, TLS_CERT_KEY) === undefined) {
      return []
    }
    const path = `${cleanPath(stringAt(mount, 'mountPath') ?? '')}/${file}`
    const isSaid = paths.has(path) || /tls|cert/i.test(`${nameOf(volume)} ${secret}`)
    return [{ secret, isSaid }]
  })
}

/** The one that is said to be it. */
export const ownSecret = (
  server: JsonObject,
  port: number,
  { pod }: Subject,
): Result<string, Violation> => {
  const said = candidates(server, pod).filter(({ isSaid }) => isSaid)
  const [only, ...others] = new Set(said.map(({ secret }) => secret))
  if (only !== undefined && others.length === 0) return ok(only)
  const why =
    only === undefined
      ? 'no Secret that the container mounts is known to hold its certificate'
      : `several Secrets that the container mounts may hold its certificate (${[only, ...others].slice(0, 4).join(', ')})`
  const message = `container ${nameOf(server)}: port ${port} speaks TLS, and ${why}, which the sidecar shows in its place: name it, of type kubernetes.io/tls, with ${PREFIX}tls-secret; if the port is plain, set ${PREFIX}scheme: http`
  return fail(violation('incomplete', message))
}
