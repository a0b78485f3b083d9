// The Kubernetes API as the webhook needs it, behind narrow interfaces: namespaces and Services that
// it follows, namespaces live where it lacks one, the authority's Secret, and the one field of our
// webhook configuration. The only importer of @kubernetes/client-node. Decides nothing.

import { Readable } from 'node:stream'
import {
  AdmissionregistrationV1Api,
  ApiException,
  AuthorizationV1Api,
  CoreV1Api,
  createConfiguration,
  HttpMethod,
  KubeConfig,
  PatchStrategy,
  RequestContext,
  setHeaderOptions,
  VersionApi,
  Watch,
} from '@kubernetes/client-node'
import { authoritiesIn, secretChange, type AuthorityStore } from '../../certs/stored-authority.ts'
import { INDEX_CONFIG_MAP, INDEX_KEY } from '../../shared/image-index.ts'
import type { Log } from '../../shared/log.ts'
import { isObject, stringAt } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { sleep } from '../../shared/timers.ts'
import { namespaceOf, serviceOf, type Namespace, type Namespaces } from '../cluster/namespace.ts'
import { NamespaceStore } from '../cluster/namespace-store.ts'
import type { GuardedPods } from '../cluster/guarded-pods.ts'
import type { RunningPods } from '../cluster/running-pods.ts'
import { ServiceStore, type PlacedService } from '../cluster/service-store.ts'
import { defaultAccounts, type DefaultAccounts } from './accounts.ts'
import { bundleOperations } from './bundle.ts'
import { sourceOf, type Watcher } from './collection.ts'
import { Follower, type Told } from './follower.ts'
import { objectsBy, type Objects } from './objects.ts'
import { runningPods } from './pods.ts'
import type { Ask, Send } from './reply.ts'
import { clusterWords } from './words.ts'

export interface Kube {
  /** From memory, else live. */
  readonly namespaces: Namespaces & { readonly follower: Follower<Namespace, NamespaceStore> }
  readonly services: Follower<PlacedService, ServiceStore>
  /** Of each namespace that called `default`, as clouds know it. */
  readonly accounts: DefaultAccounts
  /** Lists one namespace after the other. */
  readonly pods: RunningPods
  readonly guarded: GuardedPods
  authorityStore(namespace: string, secret: string): AuthorityStore
  /** Writes caBundle into our webhook configurations, of both kinds, and nothing else, where it differs; true when it did. */
  setCaBundle(configuration: string, pem: string): Promise<boolean>
  /** The API server's minor version: 36 of v1.36.3. */
  minorVersion(): Promise<number>
}

export interface KubeOptions {
  readonly log: Log
  /** Milliseconds of a steady clock. */
  readonly now: () => number
  readonly random: () => number
}

const isStatus = (error: unknown, code: number): boolean =>
  error instanceof ApiException && error.code === code

const placedService = (object: unknown): PlacedService | undefined =>
  isObject(object)
    ? { namespace: stringAt(object, 'metadata', 'namespace') ?? '', service: serviceOf(object) }
    : undefined

const servicesOf = (
  kubeConfig: KubeConfig,
  core: CoreV1Api,
  options: KubeOptions,
  told?: Told<PlacedService>,
): Kube['services'] => {
  const source = sourceOf(new Watch(kubeConfig), {
    path: '/api/v1/services',
    list: (request) => core.listServiceForAllNamespaces(request),
    read: placedService,
  })
  const empty = () => new ServiceStore()
  return new Follower({ ...options, resource: 'services', source, empty, sleep, told })
}

const namespacesOf = (
  kubeConfig: KubeConfig,
  core: CoreV1Api,
  options: KubeOptions,
  told?: Told<Namespace>,
): Kube['namespaces'] => {
  const source = sourceOf(new Watch(kubeConfig), {
    path: '/api/v1/namespaces',
    list: (request) => core.listNamespace(request),
    read: (object) => (isObject(object) ? namespaceOf(object) : undefined),
  })
  const empty = () => new NamespaceStore()
  const follower = new Follower({ ...options, resource: 'namespaces', source, empty, sleep, told })
  return {
    follower,
    get: async (name) => {
      const known = follower.current()?.get(name)
      if (known) return known
      try {
        const { metadata } = await core.readNamespace({ name })
        return { name, labels: metadata?.labels ?? {}, annotations: metadata?.annotations ?? {} }
      } catch (error) {
        if (isStatus(error, 404)) return undefined
        throw new Error(clusterWords(error), { cause: error })
      }
    },
  }
}

const METHODS = {
  GET: HttpMethod.GET,
  POST: HttpMethod.POST,
  PUT: HttpMethod.PUT,
  PATCH: HttpMethod.PATCH,
  DELETE: HttpMethod.DELETE,
} as const

/** Asks the API server for the bytes of an answer, which its client would read whole, whatever their size. */
const sendOf = (kubeConfig: KubeConfig): Send => {
  const { httpApi } = createConfiguration()
  return async ({ method, path, contentType, body: sent }, signal) => {
    const server = (kubeConfig.getCurrentCluster()?.server ?? '').replace(/\/$/, '')
    const context = new RequestContext(`${server}${path}`, METHODS[method])
    context.setHeaderParam('Accept', 'application/json')
    if (sent !== undefined) {
      context.setHeaderParam('Content-Type', contentType ?? 'application/json')
      context.setBody(sent)
    }
    if (signal) context.setSignal(signal)
    await kubeConfig.applySecurityAuthentication(context)
    const { httpStatusCode, body } = await httpApi.send(context).toPromise()
    return { status: httpStatusCode, body: body.stream() ?? Readable.from([]) }
  }
}

const askOf = (kubeConfig: KubeConfig): Ask => {
  const send = sendOf(kubeConfig)
  return (path, signal, body) =>
    send(body === undefined ? { method: 'GET', path } : { method: 'POST', path, body }, signal)
}

/** Asks the API server's authorizers, whichever it has. */
const mayListBy =
  (api: AuthorizationV1Api): RunningPods['mayList'] =>
  async (namespace, { user, uid, groups, extra }) => {
    const texts = Object.entries(extra).map(([name, values]): [string, string[]] => [
      name,
      [...values],
    ])
    const spec = {
      user,
      uid,
      groups: [...groups],
      extra: Object.fromEntries(texts),
      resourceAttributes: { namespace, verb: 'list', group: '', resource: 'pods' },
    }
    const { status } = await api.createSubjectAccessReview({ body: { spec } })
    return status?.allowed === true
  }

const encode = (text: string): string => Buffer.from(text).toString('base64')
const decode = (text: string): string => Buffer.from(text, 'base64').toString()

// One that names a resource version is refused when another has been written since.
const MERGE = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)

const unlessConflict = async (patch: Promise<unknown>): Promise<'written' | 'conflict'> => {
  try {
    await patch
    return 'written'
  } catch (error) {
    if (isStatus(error, 409)) return 'conflict'
    throw error
  }
}

const storeOf = (core: CoreV1Api, namespace: string, name: string): AuthorityStore => ({
  read: async () => {
    const { data: secret, headers } = await core.readNamespacedSecretWithHttpInfo({
      namespace,
      name,
    })
    const texts = Object.entries(secret.data ?? {}).map(([key, text]) => [key, decode(text)])
    return {
      authorities: authoritiesIn(Object.fromEntries(texts)),
      version: secret.metadata?.resourceVersion ?? '',
      date: headers['date'] === undefined ? undefined : new Date(headers['date']),
    }
  },
  write: async (authorities, version) => {
    const texts = Object.entries(secretChange(authorities))
    const data = Object.fromEntries(texts.map(([key, text]) => [key, text && encode(text)]))
    const body = { metadata: { resourceVersion: version }, data }
    return unlessConflict(core.patchNamespacedSecret({ namespace, name, body }, MERGE))
  },
})

/** The ConfigMap that holds the image index, for those who fill it. */
export interface ImageStore {
  /** The index's text, and the version to write over. */
  read(): Promise<{ readonly text: string | undefined; readonly version: string }>
  write(text: string, version: string): Promise<'written' | 'conflict'>
}

const imageStoreOf = (core: CoreV1Api, namespace: string): ImageStore => {
  const name = INDEX_CONFIG_MAP
  return {
    read: async () => {
      try {
        const { data, metadata } = await core.readNamespacedConfigMap({ namespace, name })
        return { text: data?.[INDEX_KEY], version: metadata?.resourceVersion ?? '' }
      } catch (error) {
        const missing = `there is no ConfigMap ${namespace}/${name}; Outrigger's manifests have it`
        throw new Error(isStatus(error, 404) ? missing : clusterWords(error), { cause: error })
      }
    },
    write: async (text, version) => {
      const body = { metadata: { resourceVersion: version }, data: { [INDEX_KEY]: text } }
      try {
        return await unlessConflict(core.patchNamespacedConfigMap({ namespace, name, body }, MERGE))
      } catch (error) {
        throw new Error(clusterWords(error), { cause: error })
      }
    },
  }
}

const caBundleWriter =
  (api: AdmissionregistrationV1Api): Kube['setCaBundle'] =>
  async (name, pem) => {
    const caBundle = encode(pem)
    const options = setHeaderOptions('Content-Type', PatchStrategy.JsonPatch)
    const mutating = await api.readMutatingWebhookConfiguration({ name })
    const validating = await api.readValidatingWebhookConfiguration({ name })
    const [changes, checks] = [mutating, validating].map(({ webhooks = [] }) =>
      bundleOperations(webhooks, caBundle),
    )
    if (changes?.length)
      await api.patchMutatingWebhookConfiguration({ name, body: changes }, options)
    if (checks?.length)
      await api.patchValidatingWebhookConfiguration({ name, body: checks }, options)
    return Boolean(changes?.length) || Boolean(checks?.length)
  }

/** What the client assumes where nobody has named a cluster. */
const NOBODYS_CLUSTER = 'http://localhost:8080'

/** As kubectl finds it; fails where no cluster is named, and throws where a kubeconfig cannot be read. */
const namedCluster = (): Result<KubeConfig, string> => {
  const kubeConfig = new KubeConfig()
  kubeConfig.loadFromDefault()
  const cluster = kubeConfig.getCurrentCluster()
  if (!cluster)
    return fail('its current-context leads to no cluster (`kubectl config use-context NAME`)')
  if (cluster.server === NOBODYS_CLUSTER)
    return fail('it is not there, and KUBECONFIG names no other')
  // The client sends no request then, and says so by the names of its own options.
  if (cluster.server.startsWith('http:') && !cluster.skipTLSVerify) {
    return fail(
      `the server of its cluster ${cluster.name} is ${cluster.server}: write https, or say insecure-skip-tls-verify: true beside it`,
    )
  }
  return ok(kubeConfig)
}

/** For who fills the image index; throws where a kubeconfig cannot be read. */
export const connectImageStore = (namespace: string): Result<ImageStore, string> => {
  const named = namedCluster()
  return named.ok ? ok(imageStoreOf(named.value.makeApiClient(CoreV1Api), namespace)) : named
}

/** For who looks at what is there, once; throws where a kubeconfig cannot be read. */
export const connectObjects = (signal: AbortSignal): Result<Objects, string> => {
  const named = namedCluster()
  if (!named.ok) return named
  const { currentContext: context } = named.value
  const { namespace = 'default' } = named.value.getContextObject(context) ?? {}
  return ok(objectsBy(askOf(named.value), namespace, signal))
}

/** Connects by the pod's ServiceAccount, or by the kubeconfig that KUBECONFIG names. */
export const connectKube = (options: KubeOptions): Kube => {
  const kubeConfig = new KubeConfig()
  kubeConfig.loadFromDefault()
  const core = kubeConfig.makeApiClient(CoreV1Api)
  const admission = kubeConfig.makeApiClient(AdmissionregistrationV1Api)
  const version = kubeConfig.makeApiClient(VersionApi)
  const { guarded, ...pods } = runningPods(askOf(kubeConfig))
  return {
    namespaces: namespacesOf(kubeConfig, core, options),
    services: servicesOf(kubeConfig, core, options),
    accounts: defaultAccounts(
      { send: sendOf(kubeConfig), watcher: new Watch(kubeConfig) },
      options,
    ),
    pods: { ...pods, mayList: mayListBy(kubeConfig.makeApiClient(AuthorizationV1Api)) },
    guarded,
    authorityStore: (namespace, secret) => storeOf(core, namespace, secret),
    setCaBundle: caBundleWriter(admission),
    minorVersion: async () => Number.parseInt((await version.getCode()).minor, 10),
  }
}

/** What the controller goes by: any request, and watches, with what it shares with the webhook. */
export interface ControllerKube extends Pick<Kube, 'services'> {
  readonly namespaces: Follower<Namespace, NamespaceStore>
  readonly send: Send
  readonly watcher: Watcher
}

/** The same for the controller; each change of a namespace or Service is told. */
export const connectController = (
  options: KubeOptions,
  told: { readonly namespace: Told<Namespace>; readonly service: Told<PlacedService> },
): ControllerKube => {
  const kubeConfig = new KubeConfig()
  kubeConfig.loadFromDefault()
  const core = kubeConfig.makeApiClient(CoreV1Api)
  return {
    namespaces: namespacesOf(kubeConfig, core, options, told.namespace).follower,
    services: servicesOf(kubeConfig, core, options, told.service),
    send: sendOf(kubeConfig),
    watcher: new Watch(kubeConfig),
  }
}
