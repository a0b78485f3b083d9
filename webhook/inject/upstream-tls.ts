// Whether the server speaks TLS on its port, by the annotation or by what its container shows, and by what its
// certificate is verified: a file in a volume of the server's, which the sidecar mounts too. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { at, numberAt, objectAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { CA_DIR } from '../../shared/names.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { cleanPath } from './paths.ts'
import { nameOf } from './pod.ts'
import { tcpPorts } from './ports.ts'
import type { Subject } from './subject.ts'

export interface UpstreamTls {
  readonly isTls: boolean
  /** The file where the sidecar has it, and the mount that brings it there. */
  readonly ca: { readonly file: string; readonly mount: JsonObject } | undefined
  readonly warnings: readonly string[]
}

const PLAIN: UpstreamTls = { isTls: false, ca: undefined, warnings: [] }
const PROBES = ['readinessProbe', 'livenessProbe', 'startupProbe'] as const

/** What of the container says that the port speaks TLS. */
const sign = (server: JsonObject, port: number): string | undefined => {
  const names = tcpPorts(server)
    .filter(({ number }) => number === port)
    .map(({ name }) => name)
  const named = names.find((name) => /\b(?:https|tls)\b/.test(name))
  if (named !== undefined) return `it is named ${named}`
  const probe = PROBES.find((name) => {
    const get = objectAt(server, name, 'httpGet')
    const to = numberAt(get, 'port') ?? stringAt(get, 'port') ?? ''
    const isHere = to === port || names.some((other) => other === to)
    return isHere && stringAt(get, 'scheme') === 'HTTPS'
  })
  return probe && `its ${probe} asks it by HTTPS`
}

/** The deepest mount of the container under which a file lies. */
const mountOver = (server: JsonObject, file: string): JsonObject | undefined =>
  objectsAt(server, 'volumeMounts')
    .map((mount) => ({ mount, path: cleanPath(stringAt(mount, 'mountPath') ?? '') }))
    .filter(({ path }) => path === file || file.startsWith(`${path}/`))
    .toSorted((a, b) => b.path.length - a.path.length)[0]?.mount

const caOf = (server: JsonObject, file: string): UpstreamTls['ca'] => {
  const mount = mountOver(server, file)
  // The sidecar has none of the variables by which such a path is made.
  if (!mount || at(mount, 'subPathExpr') !== undefined) return undefined
  const rest = file.slice(cleanPath(stringAt(mount, 'mountPath') ?? '').length)
  const subPath = stringAt(mount, 'subPath')
  return {
    file: CA_DIR + rest,
    mount: {
      name: nameOf(mount),
      mountPath: CA_DIR,
      readOnly: true,
      ...(subPath === undefined ? {} : { subPath }),
    },
  }
}

const withCa = (server: JsonObject, file: string): Result<UpstreamTls, Violation> => {
  const ca = caOf(server, file)
  const name = nameOf(server)
  const message = `${PREFIX}ca-file: ${file} is in no volume of container ${name}: mount one there that holds it, a Secret or a ConfigMap`
  return ca ? ok({ isTls: true, ca, warnings: [] }) : fail(violation('incomplete', message))
}

/** How the server's port is reached, or why that cannot be done. */
export const findTls = (
  server: JsonObject,
  port: number,
  { resolution }: Subject,
): Result<UpstreamTls, Violation> => {
  const { scheme, 'ca-file': file } = resolution.settings
  const why = scheme === 'auto' ? sign(server, port) : undefined
  const name = nameOf(server)
  if (scheme === 'http' || (scheme === 'auto' && why === undefined)) {
    const vain = `container ${name}: ${PREFIX}ca-file changes nothing: its port ${port} is reached without TLS; set ${PREFIX}scheme: https`
    return ok(file === undefined ? PLAIN : { ...PLAIN, warnings: [vain] })
  }
  const guess = `container ${name}: port ${port} is reached by TLS, since ${why}; if it is plain, set ${PREFIX}scheme: http`
  const guesses = why === undefined ? [] : [guess]
  if (file === undefined) {
    const any = `container ${name}: whatever certificate the server shows on port ${port} is taken, inside the pod; ${PREFIX}ca-file names one to verify it by`
    return ok({ isTls: true, ca: undefined, warnings: [...guesses, any] })
  }
  const found = withCa(server, file)
  return found.ok ? ok({ ...found.value, warnings: guesses }) : found
}
