// The Kubernetes API as the webhook needs it, behind narrow interfaces: namespaces from an informer
// and live where it lacks one, the authority's Secret, and the one field of our webhook
// configuration. The only importer of @kubernetes/client-node. Decides nothing.

import {
  AdmissionregistrationV1Api,
  ApiException,
  CoreV1Api,
  KubeConfig,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1Namespace,
} from '@kubernetes/client-node'
import type { AuthorityStore } from '../../certs/stored-authority.ts'
import { INDEX_CONFIG_MAP, INDEX_KEY } from '../../shared/image-index.ts'
import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'
import type { Namespace, Namespaces } from '../cluster/namespace.ts'

export interface Kube {
  /** Reads all namespaces and then follows them. */
  readonly namespaces: Namespaces & { start(): Promise<void>; close(): Promise<void> }
  authorityStore(namespace: string, secret: string): AuthorityStore
  /** Writes caBundle, and nothing else, where it differs; true when it did. */
  setCaBundle(configuration: string, pem: string): Promise<boolean>
}

const isStatus = (error: unknown, code: number): boolean =>
  error instanceof ApiException && error.code === code

const toNamespace = ({ metadata }: V1Namespace): Namespace => ({
  name: metadata?.name ?? '',
  labels: metadata?.labels ?? {},
  annotations: metadata?.annotations ?? {},
})

const WATCH_RETRY_MS = 2000

const namespacesOf = (kubeConfig: KubeConfig, core: CoreV1Api, log: Log): Kube['namespaces'] => {
  const informer = makeInformer(kubeConfig, '/api/v1/namespaces', () => core.listNamespace())
  let retry: NodeJS.Timeout | undefined
  let isClosed = false
  const restart = (): void => {
    if (isClosed) return
    retry = setTimeout(() => {
      informer.start().catch((error: unknown) => {
        log.warn('namespaces cannot be listed', { error: messageOf(error) })
        restart()
      })
    }, WATCH_RETRY_MS)
  }
  informer.on('error', (error: unknown) => {
    log.warn('the watch on namespaces ended', { error: messageOf(error) })
    restart()
  })
  return {
    start: () => informer.start(),
    close: async () => {
      isClosed = true
      clearTimeout(retry)
      await informer.stop()
    },
    get: async (name) => {
      const cached = informer.get(name)
      if (cached) return toNamespace(cached)
      try {
        return toNamespace(await core.readNamespace({ name }))
      } catch (error) {
        if (isStatus(error, 404)) return undefined
        throw error
      }
    },
  }
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

const CERTIFICATE = 'ca.crt'
const KEY = 'ca.key'

const storeOf = (core: CoreV1Api, namespace: string, name: string): AuthorityStore => ({
  read: async () => {
    const { data = {}, metadata } = await core.readNamespacedSecret({ namespace, name })
    const [certificate, key] = [data[CERTIFICATE], data[KEY]]
    const version = metadata?.resourceVersion ?? ''
    if (!certificate && !key) return { authority: undefined, version }
    const authority = {
      certificatePem: decode(certificate ?? ''),
      privateKeyPem: decode(key ?? ''),
    }
    return { authority, version }
  },
  write: async ({ certificatePem, privateKeyPem }, version) => {
    const data = { [CERTIFICATE]: encode(certificatePem), [KEY]: encode(privateKeyPem) }
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
        if (!isStatus(error, 404)) throw error
        const missing = `there is no ConfigMap ${namespace}/${name}; Outrigger's manifests have it`
        throw new Error(missing, { cause: error })
      }
    },
    write: async (text, version) => {
      const body = { metadata: { resourceVersion: version }, data: { [INDEX_KEY]: text } }
      return unlessConflict(core.patchNamespacedConfigMap({ namespace, name, body }, MERGE))
    },
  }
}

const caBundleWriter =
  (api: AdmissionregistrationV1Api): Kube['setCaBundle'] =>
  async (name, pem) => {
    const { webhooks = [] } = await api.readMutatingWebhookConfiguration({ name })
    const caBundle = encode(pem)
    const body = webhooks.flatMap((webhook, index) =>
      webhook.clientConfig.caBundle === caBundle
        ? []
        : [
            // Guards against a list that has been reordered since it was read.
            { op: 'test', path: `/webhooks/${index}/name`, value: webhook.name },
            { op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: caBundle },
          ],
    )
    if (body.length === 0) return false
    const options = setHeaderOptions('Content-Type', PatchStrategy.JsonPatch)
    await api.patchMutatingWebhookConfiguration({ name, body }, options)
    return true
  }

/** Connects as `connectKube` does. */
export const connectImageStore = (namespace: string): ImageStore => {
  const kubeConfig = new KubeConfig()
  kubeConfig.loadFromDefault()
  return imageStoreOf(kubeConfig.makeApiClient(CoreV1Api), namespace)
}

/** Connects by the pod's ServiceAccount, or by the kubeconfig that KUBECONFIG names. */
export const connectKube = (log: Log): Kube => {
  const kubeConfig = new KubeConfig()
  kubeConfig.loadFromDefault()
  const core = kubeConfig.makeApiClient(CoreV1Api)
  const admission = kubeConfig.makeApiClient(AdmissionregistrationV1Api)
  return {
    namespaces: namespacesOf(kubeConfig, core, log),
    authorityStore: (namespace, secret) => storeOf(core, namespace, secret),
    setCaBundle: caBundleWriter(admission),
  }
}
