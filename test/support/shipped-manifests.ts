// What manifests/ holds, as objects.

import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { arrayAt, isObject, stringAt, type JsonObject } from '../../shared/json.ts'

export const ROOT = new URL('../../manifests/', import.meta.url)
export const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')

/** All documents of a file; one that is no YAML fails. */
export const objects = (path: string): readonly JsonObject[] =>
  parseAllDocuments(read(path)).map((document) => {
    for (const error of document.errors) throw error
    const value: unknown = document.toJS()
    return isObject(value) ? value : {}
  })

export const kustomization = (path: string): JsonObject =>
  objects(`${path}/kustomization.yaml`)[0] ?? {}

/** The files that the base consists of, and their objects. */
export const listed = (arrayAt(kustomization('base'), 'resources') ?? []).map(String)
export const base = listed.flatMap((file) => objects(`base/${file}`))

/** The only one of its kind in the base. */
export const one = (kind: string): JsonObject => {
  const [found, ...more] = base.filter((object) => object['kind'] === kind)
  if (!found || more.length > 0) throw new Error(`the base has not one ${kind}`)
  return found
}

export const nameOf = (object: JsonObject): string | undefined =>
  stringAt(object, 'metadata', 'name')
