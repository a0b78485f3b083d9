// What is taken off the server's container in stdio mode, because nothing runs there until somebody
// calls: terminals, probes, postStart. Each with a warning; the status keeps it for `uninject`. Pure.

import { at, objectAt, withAt, type JsonObject } from '../../shared/json.ts'

/** Paths of members that are taken off, and why. */
export const TAKEN: readonly (readonly [path: readonly [string, ...string[]], why: string])[] = [
  [['stdin'], 'its standard input belongs to Outrigger'],
  [['stdinOnce'], 'its standard input belongs to Outrigger'],
  [['tty'], 'its standard output carries the protocol'],
  [['livenessProbe'], 'the sidecar watches the server'],
  [['readinessProbe'], 'the sidecar says when the server is ready'],
  [['startupProbe'], 'nothing runs there until somebody calls'],
  [['lifecycle', 'postStart'], 'nothing runs there until somebody calls'],
  [['lifecycle', 'stopSignal'], 'the shim stops at SIGTERM'],
]

const isPresent = (container: JsonObject, path: readonly string[]): boolean => {
  const value = at(container, ...path)
  return value !== undefined && value !== false
}

export const takeOff = (
  container: JsonObject,
  { dropsPorts }: { readonly dropsPorts: boolean },
): JsonObject => {
  const portless = dropsPorts ? withAt(container, ['ports'], undefined) : container
  const bare = TAKEN.reduce(
    (current, [path]) => (isPresent(current, path) ? withAt(current, path, undefined) : current),
    portless,
  )
  const isEmpty =
    at(container, 'lifecycle') && Object.keys(objectAt(bare, 'lifecycle')).length === 0
  return isEmpty ? withAt(bare, ['lifecycle'], undefined) : bare
}

export const takeOffWarnings = (name: string, container: JsonObject): readonly string[] =>
  TAKEN.filter(([path]) => isPresent(container, path)).map(
    ([path, why]) =>
      `container ${name}: ${path.join('.')} is taken off with transport stdio: ${why}`,
  )
