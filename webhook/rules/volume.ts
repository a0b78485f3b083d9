// The types of a pod's volumes: those that the restricted Pod Security Standard allows. None of the others is
// kept apart from the node and from other pods by Kubernetes itself. Pure.

import { objectsAt, type JsonObject } from '../../shared/json.ts'
import { nameOf } from '../inject/pod.ts'
import type { Check } from './judged.ts'

const ALLOWED: ReadonlySet<string> = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
])

/** A volume's types; none at all is an emptyDir to the API server. */
const typesOf = (volume: JsonObject): readonly string[] =>
  Object.keys(volume).filter((name) => name !== 'name' && volume[name] !== null)

export const volumeTypes: Check = ({ pod }) =>
  objectsAt(pod, 'spec', 'volumes').flatMap((volume) =>
    typesOf(volume)
      .filter((type) => !ALLOWED.has(type))
      .map((type) => ({ where: 'pod', found: `volume ${nameOf(volume)}: ${type}` })),
  )
