// What injection needs to know of a namespace, and where a program gets it from.

import { INJECTION_LABEL } from '../../shared/names.ts'
import { isObject, numberAt, objectAt, objectsAt, stringAt, type Json } from '../../shared/json.ts'

/** A port of a Service, and where it leads: a number, or the name of a container's port. */
export interface ServicePort {
  readonly port: number
  readonly target: number | string
  /** Whoever renders leads it to the sidecar in the same breath. */
  readonly isRedirected?: boolean
}

export interface Service {
  readonly name: string
  /** Whoever resolves it gets the pods' own addresses, and its ports say nothing. */
  readonly isHeadless: boolean
  readonly selector: Readonly<Record<string, string>>
  /** TCP alone. */
  readonly ports: readonly ServicePort[]
}

/** Whether annotations say that it is somebody at a cloud; `unknown`: it could not be read. */
export type DefaultAccount = 'plain' | 'at-cloud' | 'unknown'

export interface Namespace {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** Absent where nobody has looked. */
  readonly services?: readonly Service[]
  /** What its ServiceAccount `default` is at a cloud. Absent where nobody has looked. */
  readonly defaultAccount?: DefaultAccount
}

/** Whether all pods of a namespace are to have a sidecar. */
export const optsIn = ({ labels }: Pick<Namespace, 'labels'>): boolean =>
  labels[INJECTION_LABEL] === 'enabled'

/** Whether a namespace is the system's, or ours: nothing in it is touched, nor judged. */
export const isSystem = (
  { name }: Pick<Namespace, 'name'>,
  { systemNamespaces }: { readonly systemNamespaces: readonly string[] },
): boolean => systemNamespaces.includes(name)

/**
 * Answers from memory where it can and reads live where it must; undefined: there is none. `makesPods`: it is asked for pods
 * that are made, which run by its accounts.
 */
export interface Namespaces {
  get(name: string, makesPods?: boolean): Promise<Namespace | undefined>
}

/** The string members of an object; others are left out. */
export const stringsOf = (value: Json | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(isObject(value) ? value : {}).flatMap(([name, text]) =>
      typeof text === 'string' ? [[name, text]] : [],
    ),
  )

/** A namespace of which nothing is known but its name. */
export const bareNamespace = (name: string): Namespace => ({ name, labels: {}, annotations: {} })

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
    get: (name) => Promise.resolve(byName.get(name) ?? bareNamespace(name)),
  }
}

/** The same with the Services of each namespace, where somebody follows them. */
export const withServices = (
  namespaces: Namespaces,
  servicesOf: (name: string) => readonly Service[] | undefined,
): Namespaces => ({
  get: async (name) => {
    const namespace = await namespaces.get(name)
    const services = servicesOf(name)
    return namespace && services ? { ...namespace, services } : namespace
  },
})

/** The same with what clouds know of each namespace's `default` account, of those that somebody asks after: where pods are made. */
export const withAccounts = (
  namespaces: Namespaces,
  defaultAccountOf: (name: string) => Promise<DefaultAccount> | undefined,
): Namespaces => ({
  get: async (name, makesPods) => {
    const namespace = await namespaces.get(name)
    const defaultAccount = namespace && makesPods ? await defaultAccountOf(name) : undefined
    return namespace && defaultAccount ? { ...namespace, defaultAccount } : namespace
  },
})

/** Reads a Service object (raw JSON). */
export const serviceOf = (object: Json): Service => ({
  name: stringAt(object, 'metadata', 'name') ?? 'unnamed',
  isHeadless: stringAt(object, 'spec', 'clusterIP') === 'None',
  // One of type ExternalName has no endpoints, whatever its selector.
  selector:
    stringAt(object, 'spec', 'type') === 'ExternalName'
      ? {}
      : stringsOf(objectAt(object, 'spec', 'selector')),
  ports: objectsAt(object, 'spec', 'ports')
    .filter((port) => (stringAt(port, 'protocol') ?? 'TCP') === 'TCP')
    .map((item) => {
      const port = numberAt(item, 'port') ?? 0
      const target = numberAt(item, 'targetPort') ?? stringAt(item, 'targetPort') ?? port
      return { port, target }
    }),
})
