// A registry's credential among a pod's pull secrets, read only where a Role of the namespace lets the controller, and only when
// the registry asks for one. Nothing of it is kept, and none of it reaches a message.

import { stringAt, type JsonObject } from '../../shared/json.ts'
import { credentialSource, readDockerConfig, type Credential } from '../images/docker-config.ts'
import { ImageError } from '../images/image-error.ts'
import type { Keeper } from '../images/keeper.ts'
import { Refusal } from '../kube/reply.ts'
import type { Requests } from '../kube/requests.ts'
import { clusterWords } from '../kube/words.ts'

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

/** One that may not be read is as good as none. */
const readSecret = async (
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

/** Finds the credential of a registry by its host: the first that any of the Secrets has. */
export const pullCredentials =
  (
    requests: Requests,
    { namespace, names }: { readonly namespace: string; readonly names: readonly string[] },
    signal: AbortSignal,
  ) =>
  async (host: string): Promise<Credential | undefined> => {
    for (const name of names) {
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`
      const secret = await readSecret(requests, path, signal)
      const credential = secret && credentialIn(secret, host)
      if (credential) return credential
    }
    return undefined
  }
