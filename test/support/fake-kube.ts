// A fake API server with just what the webhook asks of one: namespaces and Services with a watch, one
// Secret and a webhook configuration of each kind, patched under the rules that the real one applies. It remembers
// every write, so that a test can say that nothing else was touched.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { isObject, objectAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { applyPatch, type Operation } from '../../webhook/inject/patch.ts'

export interface FakeKube {
  readonly url: string
  readonly writes: readonly string[]
  secret(): JsonObject
  configuration(): JsonObject
  /** That of what is only judged; it starts as a copy of the other. */
  validating(): JsonObject
  /** When either was last written, by this process's clock. */
  configuredAtMs(): number
  /** The image index's ConfigMap; a test may have somebody else write to it meanwhile. */
  readonly images: { text(): string | undefined; onRead?: () => void; write(text: string): void }
  /** Adds a namespace and tells whoever watches. */
  addNamespace(name: string, labels: JsonObject): void
  /** Adds a namespace that no list and no watch shows. */
  hideNamespace(name: string, labels: JsonObject): void
  /** Adds a Service, or takes it away, and tells whoever watches. */
  putService(namespace: string, name: string, spec: JsonObject): void
  removeService(namespace: string, name: string): void
  /** Ends every watch: the versions so far are no more. */
  endWatches(): void
  /** What else there is, by its path: an object, or the text that a pod answers through the API server. */
  readonly others: Map<string, () => JsonObject | Promise<string>>
  /** Whether Services may be listed. */
  readonly rights: { services: boolean }
  close(): Promise<void>
}

const namespaceObject = (name: string, labels: JsonObject, version: number): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels, resourceVersion: String(version), uid: name },
})

const readBody = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  const text = Buffer.concat(chunks).toString()
  return text === '' ? undefined : JSON.parse(text)
}

const send = (response: ServerResponse, status: number, body: JsonObject): void => {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

const failure = (code: number): JsonObject => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  code,
})

export const startFakeKube = async (configured: JsonObject): Promise<FakeKube> => {
  let version = 1
  let secret: JsonObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'outrigger-ca', namespace: 'outrigger-system', resourceVersion: '1' },
  }
  const listed = new Map<string, JsonObject>()
  const hidden = new Map<string, JsonObject>()
  const services = new Map<string, JsonObject>()
  const watches = {
    namespaces: new Set<ServerResponse>(),
    services: new Set<ServerResponse>(),
  }
  const rights = { services: true }
  const others: FakeKube['others'] = new Map()
  const writes: string[] = []

  const patchSecret = (body: unknown, response: ServerResponse): void => {
    const wanted = isObject(body) ? stringAt(body, 'metadata', 'resourceVersion') : undefined
    if (!isObject(body) || wanted !== stringAt(secret, 'metadata', 'resourceVersion')) {
      send(response, 409, failure(409))
      return
    }
    version += 1
    const metadata = { ...objectAt(secret, 'metadata'), resourceVersion: String(version) }
    const members = Object.entries({ ...objectAt(secret, 'data'), ...objectAt(body, 'data') })
    const data = Object.fromEntries(members.filter(([, text]) => text !== null))
    secret = { ...secret, data, metadata }
    send(response, 200, secret)
  }

  let imageMap: JsonObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'outrigger-images', namespace: 'outrigger-system', resourceVersion: '1' },
  }
  const images: FakeKube['images'] = {
    text: () => stringAt(imageMap, 'data', 'index.json'),
    write: (text) => {
      version += 1
      const metadata = { ...objectAt(imageMap, 'metadata'), resourceVersion: String(version) }
      imageMap = { ...imageMap, data: { 'index.json': text }, metadata }
    },
  }

  const patchImages = (body: unknown, response: ServerResponse): void => {
    const wanted = isObject(body) ? stringAt(body, 'metadata', 'resourceVersion') : undefined
    if (!isObject(body) || wanted !== stringAt(imageMap, 'metadata', 'resourceVersion')) {
      send(response, 409, failure(409))
      return
    }
    images.write(stringAt(body, 'data', 'index.json') ?? '')
    send(response, 200, imageMap)
  }

  const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/'
  const MUTATING = `${CONFIGURATIONS}mutatingwebhookconfigurations/outrigger`
  const VALIDATING = `${CONFIGURATIONS}validatingwebhookconfigurations/outrigger`
  const configurations = new Map([
    [MUTATING, configured],
    [VALIDATING, configured],
  ])
  let configuredAtMs = Number.NEGATIVE_INFINITY
  const configurationAt = (path: string): JsonObject => configurations.get(path) ?? {}

  const patchConfiguration = (path: string, body: unknown, response: ServerResponse): void => {
    const operations: readonly Operation[] = Array.isArray(body) ? body : []
    const patched = applyPatch(configurationAt(path), operations)
    if (!patched.ok) {
      send(response, 422, failure(422))
      return
    }
    configurations.set(path, patched.value)
    configuredAtMs = performance.now()
    send(response, 200, patched.value)
  }

  const SECRET = '/api/v1/namespaces/outrigger-system/secrets/outrigger-ca'
  const IMAGES = '/api/v1/namespaces/outrigger-system/configmaps/outrigger-images'

  const patch = async (path: string, request: IncomingMessage, response: ServerResponse) => {
    const body = await readBody(request)
    writes.push(`${request.method ?? ''} ${path} ${request.headers['content-type'] ?? ''}`)
    if (path === SECRET) patchSecret(body, response)
    else if (path === IMAGES) patchImages(body, response)
    else if (configurations.has(path)) patchConfiguration(path, body, response)
    else send(response, 404, failure(404))
  }

  const COLLECTIONS = {
    '/api/v1/namespaces': { kind: 'NamespaceList', items: listed, watching: watches.namespaces },
    '/api/v1/services': { kind: 'ServiceList', items: services, watching: watches.services },
  } as const

  /** Lists in pages of two, whatever is asked for. */
  const answerCollection = (
    { kind, items, watching }: (typeof COLLECTIONS)[keyof typeof COLLECTIONS],
    query: URLSearchParams,
    response: ServerResponse,
  ): void => {
    if (!query.has('watch')) {
      const from = Number(query.get('continue') ?? 0)
      const rest = from + 2 < items.size ? { continue: String(from + 2) } : {}
      const metadata = { resourceVersion: String(version), ...rest }
      const page = [...items.values()].slice(from, from + 2)
      send(response, 200, { kind, apiVersion: 'v1', metadata, items: page })
      return
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    watching.add(response)
    response.on('close', () => watching.delete(response))
  }

  const tell = (watching: ReadonlySet<ServerResponse>, type: string, object: JsonObject): void => {
    for (const watch of watching) watch.write(`${JSON.stringify({ type, object })}\n`)
  }

  const objectAtPath = (path: string): JsonObject | undefined => {
    if (path === SECRET) return secret
    const configuration = configurations.get(path)
    if (configuration) return configuration
    if (path === IMAGES) {
      const read = imageMap
      images.onRead?.()
      return read
    }
    const name = path.replace('/api/v1/namespaces/', '')
    return listed.get(name) ?? hidden.get(name)
  }

  const answerObject = async (path: string, response: ServerResponse): Promise<void> => {
    const other = await others.get(path)?.()
    const found = other ?? objectAtPath(path)
    if (typeof found === 'string') response.end(found)
    else send(response, found ? 200 : 404, found ?? failure(404))
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://fake')
    if (request.method !== 'GET') return patch(path, request, response)
    if (path === '/version') return send(response, 200, { major: '1', minor: '36+' })
    if (path === '/api/v1/services' && !rights.services) return send(response, 403, failure(403))
    if (path === '/api/v1/namespaces' || path === '/api/v1/services') {
      return answerCollection(COLLECTIONS[path], searchParams, response)
    }
    return answerObject(path, response)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    writes,
    images,
    secret: () => secret,
    configuration: () => configurationAt(MUTATING),
    validating: () => configurationAt(VALIDATING),
    configuredAtMs: () => configuredAtMs,
    addNamespace: (name, labels) => {
      version += 1
      const object = namespaceObject(name, labels, version)
      listed.set(name, object)
      tell(watches.namespaces, 'ADDED', object)
    },
    putService: (namespace, name, spec) => {
      version += 1
      const metadata = { name, namespace, resourceVersion: String(version) }
      const object = { apiVersion: 'v1', kind: 'Service', metadata, spec }
      const type = services.has(`${namespace}/${name}`) ? 'MODIFIED' : 'ADDED'
      services.set(`${namespace}/${name}`, object)
      tell(watches.services, type, object)
    },
    removeService: (namespace, name) => {
      const object = services.get(`${namespace}/${name}`)
      services.delete(`${namespace}/${name}`)
      if (object) tell(watches.services, 'DELETED', object)
    },
    endWatches: () => {
      for (const watching of [watches.namespaces, watches.services]) {
        for (const watch of watching) {
          watch.end(`${JSON.stringify({ type: 'ERROR', object: failure(410) })}\n`)
        }
        watching.clear()
      }
    },
    rights,
    others,
    hideNamespace: (name, labels) => hidden.set(name, namespaceObject(name, labels, version)),
    close: () =>
      new Promise((resolve) => {
        for (const watch of [...watches.namespaces, ...watches.services]) watch.end()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A kubeconfig (JSON, of which YAML is a part) that leads to it. */
export const kubeconfigFor = ({ url }: Pick<FakeKube, 'url'>): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'fake',
    clusters: [{ name: 'fake', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'fake', user: {} }],
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake' } }],
  })

/** The bundle that each entry of a webhook configuration carries. */
export const caBundlesOf = (configuration: JsonObject): readonly (string | undefined)[] =>
  objectsAt(configuration, 'webhooks').map((webhook) =>
    stringAt(webhook, 'clientConfig', 'caBundle'),
  )
