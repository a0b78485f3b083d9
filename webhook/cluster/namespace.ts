// What injection needs to know of a namespace, and where a program gets it from.

import { isObject, objectAt, stringAt, type Json } from '../../shared/json.ts'

export interface Namespace {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** Answers from memory where it can and reads live where it must; undefined: there is none. */
export interface Namespaces {
  get(name: string): Promise<Namespace | undefined>
}

/** The string members of an object; others are left out. */
export const stringsOf = (value: Json | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(isObject(value) ? value : {}).flatMap(([name, text]) =>
      typeof text === 'string' ? [[name, text]] : [],
    ),
  )

/** Reads a Namespace object (raw JSON). */
export const namespaceOf = (object: Json): Namespace => ({
  name: stringAt(object, 'metadata', 'name') ?? 'default',
  labels: stringsOf(objectAt(object, 'metadata', 'labels')),
  annotations: stringsOf(objectAt(object, 'metadata', 'annotations')),
})

/** A fixed set, for the CLI and for tests; an unknown name is a namespace without labels. */
export const fixedNamespaces = (known: readonly Namespace[]): Namespaces => {
  const byName = new Map(known.map((namespace) => [namespace.name, namespace]))
  return {
    get: (name) => Promise.resolve(byName.get(name) ?? { name, labels: {}, annotations: {} }),
  }
}
