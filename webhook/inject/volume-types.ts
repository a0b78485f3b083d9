// The types of volumes that the restricted Pod Security Standard allows: none of the others is kept
// apart from the node and from other pods by Kubernetes itself. Pure.

import { objectsAt, type JsonObject } from '../../shared/json.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { nameOf } from './pod.ts'

export const ALLOWED_VOLUMES: ReadonlySet<string> = new Set([
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
export const typesOf = (volume: JsonObject): readonly string[] =>
  Object.keys(volume).filter((name) => name !== 'name' && volume[name] !== null)

/** Every volume of another type, such as a directory of the node. */
export const volumeTypeViolations = (pod: JsonObject): readonly Violation[] =>
  objectsAt(pod, 'spec', 'volumes').flatMap((volume) =>
    typesOf(volume)
      .filter((type) => !ALLOWED_VOLUMES.has(type))
      .map((type) =>
        violation(
          'weaker-security',
          `pod: volume ${nameOf(volume)}: ${type} is weaker than what an MCP server gets; use one of ${[...ALLOWED_VOLUMES].join(', ')}`,
        ),
      ),
  )
