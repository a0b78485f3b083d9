// Which images the pods of an owner were denied for: those of which nobody knows the command, by the decision that denied them.
// Whatever else asks for an image is nothing to look one up for. Pure.

import { EMPTY_INDEX } from '../../shared/image-index.ts'
import { at, numberAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { isSystem, type Namespace } from '../cluster/namespace.ts'
import { renderUnwritten } from '../inject/render.ts'
import { kindOfObject, nameOf, templateOf } from '../workload/kinds.ts'
import { podOf } from '../workload/preview.ts'

export interface WantedImages {
  readonly images: readonly string[]
  /** Names of Secrets beside the pod that its kubelet pulls with. */
  readonly pullSecrets: readonly string[]
  /** The ServiceAccount whose Secrets it pulls with, where the pod names none. */
  readonly account?: string | undefined
}

const MAX_IMAGES = 4
const MAX_PULL_SECRETS = 8
const NAME = /^[a-z0-9][a-z0-9.-]{0,252}$/

export const NOTHING: WantedImages = { images: [], pullSecrets: [] }

/** Of a list of references. */
export const pullSecretsIn = (references: readonly JsonObject[]): readonly string[] =>
  references
    .flatMap((secret) => stringAt(secret, 'name') ?? [])
    .filter((name) => NAME.test(name))
    .slice(0, MAX_PULL_SECRETS)

/** By whom the pod runs before anybody gives it an account of its own: so the API server fills in what it is pulled with. */
const accountOf = (pod: JsonObject): string | undefined => {
  const said = ['serviceAccountName', 'serviceAccount'].map((field) => stringAt(pod, 'spec', field))
  const name = said.find((text) => text !== undefined && text !== '') ?? 'default'
  return NAME.test(name) ? name : undefined
}

/** What was scaled to nothing or is suspended makes no pods: a template that a Deployment has left stands there for long. */
const isAtRest = (object: JsonObject): boolean =>
  numberAt(object, 'spec', 'replicas') === 0 || at(object, 'spec', 'suspend') === true

/** As if nothing were in the index: whoever asks looks there himself. */
export const wantedBy = (
  object: JsonObject,
  namespace: Namespace,
  config: ClusterConfig,
): WantedImages => {
  const kind = kindOfObject(object)
  const template = kind && templateOf(object, kind)
  if (!kind || !template || isAtRest(object) || isSystem(namespace, config)) return NOTHING
  const pod = podOf(template, { kind: kind.kind, name: nameOf(object) }, namespace)
  const outcome = renderUnwritten(pod, namespace, { ...config, images: EMPTY_INDEX })
  if (outcome.kind !== 'deny') return NOTHING
  const images = new Set(outcome.violations.flatMap(({ image }) => image ?? []))
  const named = objectsAt(pod, 'spec', 'imagePullSecrets')
  return {
    images: [...images].slice(0, MAX_IMAGES),
    pullSecrets: pullSecretsIn(named),
    account: named.length === 0 ? accountOf(pod) : undefined,
  }
}
