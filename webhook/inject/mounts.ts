// Where a container's program can make files: in what is mounted there, and in /tmp, which injection
// makes writable over a read-only root. Pure.

import { at, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { cleanPath, isWithin } from './paths.ts'
import { nameOf } from './pod.ts'

export const TMP = '/tmp'
// Volumes that nobody can write to, whatever the mount says.
const READ_ONLY = ['configMap', 'secret', 'downwardAPI', 'projected', 'image']

export interface Mount {
  readonly path: string
  readonly isWritable: boolean
}

/** Names of the pod's volumes that nobody can write to. */
export const readOnlyVolumes = (pod: JsonObject): ReadonlySet<string> =>
  new Set(
    objectsAt(pod, 'spec', 'volumes')
      .filter((volume) => READ_ONLY.some((type) => at(volume, type) !== undefined))
      .map(nameOf),
  )

// No home is longer, and what is normalized costs time.
const MAX_PATH = 1024

/** What is mounted in a container, and what `writable-paths` adds to it. */
export const mountsOf = (
  container: JsonObject,
  readOnly: ReadonlySet<string>,
  writablePaths: readonly string[],
): readonly Mount[] => [
  // The author's come first: where both stand, injection leaves the author's.
  ...objectsAt(container, 'volumeMounts')
    .filter((mount) => (stringAt(mount, 'mountPath') ?? '').length <= MAX_PATH)
    .map((mount) => ({
      path: cleanPath(stringAt(mount, 'mountPath') ?? ''),
      isWritable: at(mount, 'readOnly') !== true && !readOnly.has(nameOf(mount)),
    })),
  ...writablePaths.map((path) => ({ path, isWritable: true })),
]

/** Whether files can be made at a path, by the innermost mount that it lies in. */
export const canWrite = (path: string, mounts: readonly Mount[]): boolean => {
  const around = mounts.filter((mount) => isWithin(path, mount.path))
  const depth = Math.max(0, ...around.map((mount) => mount.path.length))
  const inner = around.find((mount) => mount.path.length === depth)
  return inner ? inner.isWritable : isWithin(path, TMP)
}
