// What the rules look at: a pod as it will be stored, and which of its containers they are about. Pure.

import { EMPTY_INDEX, type ImageIndex } from '../../shared/image-index.ts'
import { objectsAt, type JsonObject } from '../../shared/json.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { whyNotExempt, withoutTags } from '../inject/exempt.ts'
import { isMeshName } from '../inject/mesh.ts'
import { members, nameOf, type List } from '../inject/pod.ts'
import { isJudged } from '../inject/security.ts'
import type { Floor } from '../settings/floor.ts'
import type { Finding } from './finding.ts'

export interface JudgedContainer {
  readonly list: List | 'ephemeralContainers'
  readonly name: string
  /** `container server`, as messages have it. */
  readonly where: string
  readonly container: JsonObject
  /** Of one that looks like a mesh's: why it is judged. */
  readonly hint: string | undefined
}

export interface Judged {
  readonly pod: JsonObject
  /** All but our own and those that the floor exempts; what is put into a running pod too. */
  readonly containers: readonly JudgedContainer[]
  /** The server's container; undefined where it could not be told. */
  readonly server: string | undefined
  /** The server may have a token for the Kubernetes API. */
  readonly mayHaveToken: boolean
  /** The Secret of the certificate that the server shows itself, where it speaks TLS. */
  readonly ownCertificate: string | undefined
  readonly images: ImageIndex
  readonly floor: Floor
}

/** Every container of a pod: exempt ones, our own, and what is put into it while it runs. */
export const everyContainer = (pod: JsonObject): readonly JsonObject[] => [
  ...members(pod).map(({ container }) => container),
  ...objectsAt(pod, 'spec', 'ephemeralContainers'),
]

/** What is wrong with a pod by one rule. */
export type Check = (judged: Judged) => readonly Finding[]

export interface JudgedParts {
  readonly server?: string | undefined
  readonly mayHaveToken?: boolean
  readonly ownCertificate?: string | undefined
}

const hintOn = (container: JsonObject, floor: Floor): string | undefined => {
  const why = whyNotExempt(container, floor)
  if (why !== undefined) return `named in floor.exemptContainers, but not exempt: ${why}`
  return isMeshName(nameOf(container))
    ? "if it is the mesh's, the platform team can name it and its image's digest in floor.exemptContainers"
    : undefined
}

export const judgedPod = (
  pod: JsonObject,
  { floor, images }: ClusterConfig,
  { server, mayHaveToken = false, ownCertificate }: JudgedParts,
): Judged => {
  const ephemeral = objectsAt(pod, 'spec', 'ephemeralContainers').map((container) => ({
    list: 'ephemeralContainers' as const,
    name: nameOf(container),
    container,
  }))
  const containers = [...members(pod), ...ephemeral]
    .filter(({ container }) => isJudged(container, floor))
    .map(({ list, name, container }) => ({
      list,
      name,
      container,
      where: `container ${name}`,
      hint: hintOn(container, floor),
    }))
  return { pod, containers, server, mayHaveToken, ownCertificate, images, floor }
}

/** A pod as it is stored: what is a tag still is pinned by nobody any more, whatever image index and floor know. */
export const judgedStored = (
  pod: JsonObject,
  config: ClusterConfig,
  parts: JudgedParts = {},
): Judged =>
  judgedPod(pod, { ...config, images: EMPTY_INDEX, floor: withoutTags(config.floor) }, parts)

/** A check that asks every container the same: what is wrong there, or nothing. */
export const ofEach =
  (wrongWith: (container: JsonObject, judged: Judged) => string | undefined): Check =>
  (judged) =>
    judged.containers.flatMap(({ where, container }) => {
      const found = wrongWith(container, judged)
      return found === undefined ? [] : [{ where, found }]
    })
