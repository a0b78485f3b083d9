// Whether the sidecar can be told what to be: its document is one environment variable, and Linux starts no process with a
// longer one. Such a pod would never start, and say nothing that its author could act on. Pure.

import { PREFIX, type Key } from '../../shared/annotations.ts'
import { CONFIG_VARIABLE } from '../../shared/names.ts'
import type { SidecarDocument } from '../../shared/sidecar-config.ts'
import type { Placed } from '../settings/placed.ts'
import { violation, type Violation } from '../settings/violation.ts'

/** Linux's MAX_ARG_STRLEN: the longest string of an environment, with the name, `=` and the NUL at its end. */
const MAX_STRING_BYTES = 128 * 1024
export const MAX_DOCUMENT_BYTES = MAX_STRING_BYTES - Buffer.byteLength(`${CONFIG_VARIABLE}=\0`)

/** More are not named, nor what is so small that nothing is gained by it. */
const MAX_NAMED = 3
const MIN_NAMED_BYTES = 1024

/** Members that are not settings, and what makes them shorter. */
const MEMBERS = {
  issuers: `floor.issuers of the cluster configuration (${PREFIX}oidc-issuers and ${PREFIX}oidc-audience choose fewer)`,
  basePolicy: 'floor.basePolicy of the cluster configuration',
  baseLock: 'floor.toolLocks of the cluster configuration',
  traces: 'traces of the cluster configuration',
} as const satisfies { readonly [member in keyof SidecarDocument]?: string }

interface Part {
  readonly name: string
  readonly bytes: number
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? '')

const partsOf = (
  { settings = {}, issuers, basePolicy, baseLock, traces }: SidecarDocument,
  placed: ReadonlyMap<Key, Placed>,
): readonly Part[] => [
  ...[...placed].flatMap(([key, { where }]) => {
    const text = settings[key]
    return text === undefined ? [] : [{ name: `${PREFIX}${key} (${where})`, bytes: bytesOf(text) }]
  }),
  { name: MEMBERS.issuers, bytes: bytesOf(issuers) },
  { name: MEMBERS.basePolicy, bytes: bytesOf(basePolicy) },
  { name: MEMBERS.baseLock, bytes: bytesOf(baseLock) },
  { name: MEMBERS.traces, bytes: bytesOf(traces) },
]

/** That the document is too long, by how much, and what in it is. */
export const documentViolations = (
  document: SidecarDocument,
  placed: ReadonlyMap<Key, Placed>,
): readonly Violation[] => {
  const bytes = bytesOf(document)
  if (bytes <= MAX_DOCUMENT_BYTES) return []
  const largest = partsOf(document, placed)
    .filter((part) => part.bytes >= MIN_NAMED_BYTES)
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, MAX_NAMED)
    .map((part) => `${part.name}, ${part.bytes} bytes`)
  const message = `pod: what the sidecar has to be told takes ${bytes} bytes, ${bytes - MAX_DOCUMENT_BYTES} more than one environment variable can hold; make shorter what is largest: ${largest.join('; ')}`
  return [violation('too-large', message)]
}
