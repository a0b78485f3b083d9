// The Secrets and ConfigMaps of a manifest, for the pods beside them: what a cluster would hand to them. Pure. A value
// may be secret: no message holds one.

import { at, isObject, stringAt, type JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { nameOf } from '../../webhook/workload/kinds.ts'
import type { NumberedDocument } from '../manifest/read-manifest.ts'
import { objectsOf } from '../manifest/templates.ts'

export type SupplyKind = 'ConfigMap' | 'Secret'

export interface Supply {
  /** What a variable may be; and of a volume each becomes a file. */
  readonly values: ReadonlyMap<string, Buffer>
  /** Keys that no variable can be taken from (`binaryData`). */
  readonly binary: ReadonlySet<string>
}

/** One of a namespace, if the manifest holds it. */
export type Supplies = (kind: SupplyKind, namespace: string, name: string) => Supply | undefined

export const NO_SUPPLIES: Supplies = () => undefined

type Coding = 'text' | 'base64'
type Member = readonly [field: string, coding: Coding]

/** A later member stands above an earlier one. */
const MEMBERS: Readonly<Record<SupplyKind, readonly Member[]>> = {
  ConfigMap: [
    ['binaryData', 'base64'],
    ['data', 'text'],
  ],
  Secret: [
    ['data', 'base64'],
    ['stringData', 'text'],
  ],
}

const BASE64 = /^[A-Za-z0-9+/\s]*(?:=\s*){0,2}$/

const decoded = (value: unknown, coding: Coding): Result<Buffer, string> => {
  if (typeof value !== 'string') return fail('must be text: put it in quotes')
  if (coding === 'text') return ok(Buffer.from(value))
  return BASE64.test(value)
    ? ok(Buffer.from(value, 'base64'))
    : fail('is no base64; plain text stands in stringData of a Secret, in data of a ConfigMap')
}

const readSupply = (kind: SupplyKind, object: JsonObject): Result<Supply, readonly string[]> => {
  const values = new Map<string, Buffer>()
  const binary = new Set<string>()
  const errors: string[] = []
  for (const [field, coding] of MEMBERS[kind]) {
    const members = at(object, field) ?? {}
    if (!isObject(members)) {
      errors.push(`${field} must be a mapping of keys to text`)
      continue
    }
    for (const [key, value] of Object.entries(members)) {
      const bytes = decoded(value, coding)
      if (!bytes.ok) errors.push(`${field}.${key} ${bytes.error}`)
      else values.set(key, bytes.value)
      if (field === 'binaryData') binary.add(key)
    }
  }
  return errors.length > 0 ? fail(errors) : ok({ values, binary })
}

const idOf = (kind: SupplyKind, namespace: string, name: string): string =>
  `${kind}/${namespace}/${name}`

/** What the documents hold; the errors say of each which of its members cannot be read. */
export const suppliesIn = (
  documents: readonly NumberedDocument[],
  namespace: string,
): Result<Supplies, readonly string[]> => {
  const found = new Map<string, Supply>()
  const errors: string[] = []
  for (const { value, where } of documents) {
    for (const kind of ['ConfigMap', 'Secret'] as const) {
      for (const object of objectsOf(kind, value)) {
        const supply = readSupply(kind, object)
        const own = stringAt(object, 'metadata', 'namespace') ?? namespace
        if (supply.ok) found.set(idOf(kind, own, nameOf(object)), supply.value)
        else
          errors.push(...supply.error.map((line) => `${where}: ${kind} ${nameOf(object)}: ${line}`))
      }
    }
  }
  return errors.length > 0
    ? fail(errors)
    : ok((kind, own, name) => found.get(idOf(kind, own, name)))
}
