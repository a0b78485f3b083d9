// Secrets of the sidecar's: its keys and certificates. Known are those that this pod's sidecar is given, and
// whatever is called outrigger-…; no other container may name one. A name is told, never a value. Pure.

import { SIDECAR_CONTAINER } from '../../shared/names.ts'
import { objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { nameOf, ownSidecar } from '../inject/pod.ts'
import { isReservedVolume } from '../inject/volumes.ts'
import { quoted, type Finding } from './finding.ts'
import { everyContainer, type Check } from './judged.ts'

/** What a Secret of the sidecar's is called, in whichever pod. */
const PREFIX = 'outrigger-'

type IsTheirs = (name: string | undefined) => boolean

/** The Secrets that a volume brings, by each way that there is. */
const secretsOf = (volume: JsonObject): readonly string[] =>
  [
    stringAt(volume, 'secret', 'secretName'),
    stringAt(volume, 'csi', 'nodePublishSecretRef', 'name'),
    ...objectsAt(volume, 'projected', 'sources').map((source) =>
      stringAt(source, 'secret', 'name'),
    ),
  ].filter((name) => name !== undefined)

const inVariable = (entry: JsonObject): string | undefined =>
  stringAt(entry, 'valueFrom', 'secretKeyRef', 'name')

const given = (pod: JsonObject): ReadonlySet<string> =>
  new Set([
    ...objectsAt(pod, 'spec', 'volumes')
      .filter((volume) => isReservedVolume(nameOf(volume)))
      .flatMap(secretsOf),
    ...objectsAt(ownSidecar(pod), 'env')
      .map(inVariable)
      .filter((name) => name !== undefined),
  ])

/** Volumes, by name, and the Secrets that they bring. */
type Bringing = readonly (readonly [name: string, secrets: readonly string[]])[]

const bringing = (pod: JsonObject): Bringing =>
  objectsAt(pod, 'spec', 'volumes')
    .map((volume) => [nameOf(volume), secretsOf(volume)] as const)
    .filter(([, secrets]) => secrets.length > 0)

/** Those with a Secret that is not let pass, by name: with the first. */
const volumesOf = (volumes: Bringing, isTheirs: IsTheirs): ReadonlyMap<string, string> =>
  new Map(
    volumes.flatMap(([name, secrets]) => {
      const secret = secrets.find(isTheirs)
      return secret === undefined ? [] : [[name, secret] as const]
    }),
  )

const findingsIn = (
  container: JsonObject,
  volumes: ReadonlyMap<string, string>,
  isTheirs: IsTheirs,
): readonly Finding[] => {
  const where = `container ${nameOf(container)}`
  const finding = (place: string, secret: string | undefined): Finding => ({
    where,
    found: `${place}: Secret ${quoted(secret)}`,
    part: place,
  })
  return [
    ...objectsAt(container, 'volumeMounts')
      .filter((mount) => volumes.has(nameOf(mount)))
      .map((mount) => finding(`mounts ${nameOf(mount)}`, volumes.get(nameOf(mount)))),
    ...objectsAt(container, 'env')
      .filter((entry) => isTheirs(inVariable(entry)))
      .map((entry) => finding(`env ${quoted(nameOf(entry))}`, inVariable(entry))),
    ...objectsAt(container, 'envFrom')
      .map((source) => stringAt(source, 'secretRef', 'name'))
      .filter(isTheirs)
      .map((secret) => finding('envFrom', secret)),
  ]
}

/** Those that the floor exempts too: a mesh has no use for them. */
export const sidecarSecrets: Check = ({ pod, server, ownCertificate }) => {
  const known = given(pod)
  const isTheirs: IsTheirs = (name) =>
    name !== undefined && (known.has(name) || name.startsWith(PREFIX))
  const brought = bringing(pod)
  const volumes = volumesOf(brought, isTheirs)
  // A server that speaks TLS holds the certificate that the sidecar shows in its place. The policy in the API server knows
  // no such thing, so that a name of ours is none for it.
  const serversVolumes = volumesOf(
    brought,
    (name) => isTheirs(name) && (name !== ownCertificate || name?.startsWith(PREFIX) === true),
  )
  const others = everyContainer(pod).filter((container) => nameOf(container) !== SIDECAR_CONTAINER)
  return others.flatMap((container) =>
    findingsIn(container, nameOf(container) === server ? serversVolumes : volumes, isTheirs),
  )
}
