// Which container is the MCP server: the annotation's, else the only one, else the pod's default
// container. A mesh's containers that are exempt and our own are never it. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { SIDECAR_CONTAINER } from '../../shared/names.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { isExempt } from './exempt.ts'
import { isInjectedName } from './mesh.ts'
import { otherProgram } from './other-program.ts'
import { nameOf } from './pod.ts'
import type { Subject } from './subject.ts'

export const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container'

const quoted = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ')

/** The server's container, or why it cannot be told. */
export const findServer = (subject: Subject): Result<JsonObject, Violation> => {
  const { pod, config, resolution } = subject
  const candidates = objectsAt(pod, 'spec', 'containers').filter(
    (item) => nameOf(item) !== SIDECAR_CONTAINER && !isExempt(item, config.floor),
  )
  const names = candidates.map(nameOf)
  const byName = (name: string | undefined): JsonObject | undefined =>
    candidates.find((item) => nameOf(item) === name)
  const wanted = resolution.placed.get('container')
  if (wanted) {
    const found = byName(wanted.text)
    if (found) return ok(found)
    const message = `${wanted.where}: ${PREFIX}container: \`${wanted.text}\` is not a container of the pod; there is ${quoted(names)}`
    return fail(violation('no-server', message))
  }
  // Nobody has to say of what injectors have added that it is not the server.
  const written = candidates.filter((item) => !isInjectedName(nameOf(item)))
  const [only, ...others] = written.length > 0 ? written : candidates
  if (only && others.length === 0) {
    const other = otherProgram(only, subject)
    return other ? fail(other) : ok(only)
  }
  const found = byName(stringAt(pod, 'metadata', 'annotations', DEFAULT_CONTAINER))
  if (found) return ok(found)
  const why =
    only === undefined
      ? 'the pod has no container that could be the MCP server'
      : `the pod has ${names.length} containers (${quoted(names)}): say which is the MCP server with the annotation ${PREFIX}container`
  return fail(violation('no-server', why))
}
