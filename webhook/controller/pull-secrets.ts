// A registry's credential among a pod's pull secrets, or those of its account, read only where a Role of the namespace lets the
// controller, and only when the registry asks for one. Nothing of it is kept, and none of it reaches a message.

import { objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { credentialSource, readDockerConfig, type Credential } from '../images/docker-config.ts'
import { ImageError } from '../images/image-error.ts'
import type { Keeper } from '../images/keeper.ts'
import { Refusal } from '../kube/reply.ts'
import type { Requests } from '../kube/requests.ts'
import { clusterWords } from '../kube/words.ts'
import { pullSecretsIn, type WantedImages } from './wanted-images.ts'

export const PULL_SECRETS: Keeper = {
  name: 'what the controller may read of its imagePullSecrets',
  help: () => 'a Role for these Secrets (webhook/README.md, "Looked up by the controller")',
}

const KEY = '.dockerconfigjson'
const MAX_BYTES = 1024 * 1024

const credentialIn = (secret: JsonObject, host: string): Credential | undefined => {
  if (stringAt(secret, 'type') !== `kubernetes.io/dockerconfigjson`) return undefined
  const text = stringAt(secret, 'data', KEY) ?? ''
  if (text.length > MAX_BYTES) return undefined
  const config = readDockerConfig(Buffer.from(text, 'base64').toString('utf8'))
  if (!config.ok) return undefined
  // A helper would be a program of ours, called by who writes a Secret.
  const source = credentialSource({ auths: config.value.auths, credHelpers: {} }, host)
  return source.from === 'file' ? source.credential : undefined
}

/** What may not be read is as good as none. */
const readLent = async (
  requests: Requests,
  path: string,
  signal: AbortSignal,
): Promise<JsonObject | undefined> => {
  try {
    return await requests.get(path, signal)
  } catch (error) {
    if (error instanceof Refusal && error.code === 403) return undefined
    const why = error instanceof Refusal ? `status ${error.code}` : clusterWords(error)
    throw new ImageError(`a pull secret cannot be read: ${why}`)
  }
}

/** For whose pod an image is read: by these Secrets of its namespace, or by those of this account of it. */
export interface Puller extends Pick<WantedImages, 'pullSecrets' | 'account'> {
  readonly namespace: string
}

/** Finds the credential of a registry by its host: the first that any of the Secrets has. */
export const pullCredentials = (
  requests: Requests,
  { namespace, pullSecrets, account }: Puller,
  signal: AbortSignal,
) => {
  const read = (kind: string, name: string): Promise<JsonObject | undefined> => {
    const place = `/api/v1/namespaces/${encodeURIComponent(namespace)}`
    return readLent(requests, `${place}/${kind}/${encodeURIComponent(name)}`, signal)
  }
  const named = async (): Promise<readonly string[]> => {
    if (account === undefined) return pullSecrets
    const lent = await read('serviceaccounts', account)
    return lent ? pullSecretsIn(objectsAt(lent, 'imagePullSecrets')) : []
  }
  return async (host: string): Promise<Credential | undefined> => {
    for (const name of await named()) {
      const secret = await read('secrets', name)
      const credential = secret && credentialIn(secret, host)
      if (credential) return credential
    }
    return undefined
  }
}
