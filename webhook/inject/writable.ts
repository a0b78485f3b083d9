// Where a server's processes may change files: the words that tell the shim, and what stands in the way of keeping them to it.
// What its pod declares is what `writable-paths` names and what is mounted to be written. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { HOMES_DIR } from '../../shared/names.ts'
import { objectsAt, stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import type { Settings } from '../../shared/settings.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { mountsOf, readOnlyVolumes, TMP } from './mounts.ts'
import { cleanPath } from './paths.ts'
import { nameOf } from './pod.ts'
import { isReservedVolume } from './volumes.ts'

/** The shim holds so many open. */
const MAX_PATHS = 128

/** Whether a server's processes may change files only where that is declared. */
export const isKeptToFiles = (settings: Settings): boolean => settings['file-writes'] === 'declared'

/** All that is declared, each once. */
const declaredPaths = (
  pod: JsonObject,
  server: JsonObject,
  settings: Settings,
): readonly string[] => {
  const own = objectsAt(server, 'volumeMounts').filter((mount) => !isReservedVolume(nameOf(mount)))
  const mounts = mountsOf(
    withAt(server, ['volumeMounts'], own),
    readOnlyVolumes(pod),
    settings['writable-paths'] ?? [],
  )
  const devices = objectsAt(server, 'volumeDevices').map((device) =>
    cleanPath(stringAt(device, 'devicePath') ?? ''),
  )
  const written = mounts.filter(({ isWritable }) => isWritable).map(({ path }) => path)
  return [...new Set([...written, ...devices])]
}

export interface Written {
  readonly pod: JsonObject
  readonly server: JsonObject
  readonly settings: Settings
  /** It runs, and says so, where the kernel cannot keep it to that. */
  readonly isAdvisory: boolean
  /** The shim gives its processes no directory of their own. */
  readonly needsTmp: boolean
}

/** The shim's words; none where files are changed wherever a server's user may. */
export const fileFlags = ({
  pod,
  server,
  settings,
  isAdvisory,
  needsTmp,
}: Written): readonly string[] => {
  if (!isKeptToFiles(settings)) return []
  const declared = declaredPaths(pod, server, settings)
  const paths = needsTmp && !declared.includes(TMP) ? [TMP, ...declared] : declared
  return [
    '--files',
    isAdvisory ? 'advisory' : 'require',
    ...paths.flatMap((path) => ['--writable', path]),
    // Whatever is declared, none of it holds these.
    ...(needsTmp ? [] : ['--homes', HOMES_DIR]),
  ]
}

/** More of them than the shim takes, with the one that it may add. */
export const writableViolations = (
  pod: JsonObject,
  server: JsonObject | undefined,
  settings: Settings,
): readonly Violation[] => {
  if (!server || !isKeptToFiles(settings)) return []
  const count = declaredPaths(pod, server, settings).length
  return count < MAX_PATHS
    ? []
    : [
        violation(
          'too-large',
          `container ${nameOf(server)}: ${count} directories can be written, and ${PREFIX}file-writes: declared takes ${MAX_PATHS - 1}; mount fewer, or mark them readOnly`,
          'file-writes',
        ),
      ]
}
