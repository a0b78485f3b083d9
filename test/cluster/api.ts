// A thin client of the Kubernetes API for tests: status code, body and warnings as they came, so
// that a test can tell a webhook's denial from the API server's own.

import { z } from 'zod'
import { waitFor } from './machine/waiting.ts'

/** Marks the namespaces that tests have made. */
export const MADE_LABEL = 'test.example.com/made'

/** Any object of the API; tests look at it through `at`. */
export type Json = Readonly<Record<string, unknown>>

export interface Reply {
  readonly status: number
  readonly body: Json
  /** The texts of the Warning headers, in their order. */
  readonly warnings: readonly string[]
}

const object = z.record(z.string(), z.unknown())

/** The API server sends UTF-8 in a header, of which fetch makes a letter a byte. */
const warningsOf = (header: string | null): readonly string[] =>
  [
    ...Buffer.from(header ?? '', 'latin1')
      .toString()
      .matchAll(/299 - "((?:[^"\\]|\\.)*)"/g),
  ].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1'))

/** The value at a path of names and indices; undefined where there is none. */
export const at = (value: unknown, ...path: readonly (string | number)[]): unknown => {
  let here: unknown = value
  for (const step of path) {
    if (typeof here !== 'object' || here === null) return undefined
    here = Object.getOwnPropertyDescriptor(here, step)?.value
  }
  return here
}

/** The list at a path; empty where there is none. */
export const list = (value: unknown, ...path: readonly (string | number)[]): readonly unknown[] => {
  const found = at(value, ...path)
  return Array.isArray(found) ? found : []
}

const PLURALS: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networkpolicies',
  Ingress: 'ingresses',
}

/** The collection's path of an object by its apiVersion, kind and namespace. */
export const pathOf = (value: Json, namespace?: string): string => {
  const version = String(value['apiVersion'])
  const kind = String(value['kind'])
  const plural = PLURALS[kind] ?? `${kind.toLowerCase()}${kind.endsWith('s') ? 'es' : 's'}`
  const place = namespace === undefined ? '' : `/namespaces/${namespace}`
  return `${version.includes('/') ? '/apis' : '/api'}/${version}${place}/${plural}`
}

export interface Api {
  readonly request: (
    method: string,
    path: string,
    body?: unknown,
    contentType?: string,
  ) => Promise<Reply>
  /** Creates an object; the reply is whatever the server said. */
  readonly create: (object: Json, namespace?: string, query?: string) => Promise<Reply>
  /** Creates objects that must be taken. */
  readonly apply: (objects: readonly Json[], namespace?: string) => Promise<void>
  readonly get: (path: string) => Promise<Reply>
  readonly patch: (path: string, merge: Json) => Promise<Reply>
  readonly remove: (path: string) => Promise<Reply>
  /** Makes a namespace with a ServiceAccount, ready for pods. */
  readonly createNamespace: (
    name: string,
    labels?: Readonly<Record<string, string>>,
  ) => Promise<void>
  /** Removes every namespace that a test has made, and waits until none of their objects is left. */
  readonly removeMade: () => Promise<void>
}

/** Serves tests from the base URL of an API that asks for no credentials. */
export const createApi = (base: string): Api => {
  const request: Api['request'] = async (method, path, body, contentType = 'application/json') => {
    const reply = await fetch(`${base}${path}`, {
      method,
      headers: { accept: 'application/json', 'content-type': contentType },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await reply.text()
    const isJson = reply.headers.get('content-type')?.startsWith('application/json') === true
    return {
      status: reply.status,
      body: isJson ? object.parse(JSON.parse(text)) : { text },
      warnings: warningsOf(reply.headers.get('warning')),
    }
  }
  const get: Api['get'] = (path) => request('GET', path)
  const create: Api['create'] = (value, namespace, query = '') =>
    request('POST', `${pathOf(value, namespace)}${query}`, value)
  const apply: Api['apply'] = async (objects, namespace) => {
    for (const each of objects) {
      const reply = await create(each, namespace)
      if (reply.status >= 300) {
        throw new Error(`${String(each['kind'])}: ${reply.status} ${String(reply.body['message'])}`)
      }
    }
  }
  return {
    request,
    create,
    apply,
    get,
    patch: (path, merge) => request('PATCH', path, merge, 'application/merge-patch+json'),
    remove: (path) => request('DELETE', path),
    createNamespace: async (name, labels = {}) => {
      await apply([
        {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name, labels: { ...labels, [MADE_LABEL]: 'yes' } },
        },
      ])
      await waitFor(`ServiceAccount of ${name}`, async () => {
        const account = await get(`/api/v1/namespaces/${name}/serviceaccounts/default`)
        return account.status === 200 ? true : undefined
      })
    },
    removeMade: async () => {
      const made = async () =>
        list((await get(`/api/v1/namespaces?labelSelector=${MADE_LABEL}%3Dyes`)).body, 'items')
      for (const each of await made())
        await request('DELETE', `/api/v1/namespaces/${String(at(each, 'metadata', 'name'))}`)
      // A pod may take its whole grace period to end.
      const isGone = async () => ((await made()).length === 0 ? true : undefined)
      await waitFor('the namespaces of other tests to be gone', isGone, 180)
    },
  }
}
