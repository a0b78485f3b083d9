// What the webhooks of clouds and meshes add to every container that they find: variables that no program of
// ours or of a mesh's is bent by, and data to read. Pure.

import { at, objectAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { isPluginVolumeName } from './api-token.ts'
import { isIdentityVolume } from './cloud-identity.ts'
import { cleanPath, isWithin } from './paths.ts'
import { nameOf } from './pod.ts'

const GUEST_VARIABLE = /^(?:AWS|AZURE|GOOGLE|CLOUDSDK|ISTIO|LINKERD)_[A-Z0-9_]+$/
const GUEST_DIRECTORIES = ['/var/run/secrets', '/run/secrets']

export const isGuestVariable = (entry: JsonObject): boolean => GUEST_VARIABLE.test(nameOf(entry))

/** Read-only, where no program and no library is looked for. */
export const isGuestMount = (mount: JsonObject): boolean =>
  at(mount, 'readOnly') === true &&
  GUEST_DIRECTORIES.some((directory) =>
    isWithin(cleanPath(stringAt(mount, 'mountPath') ?? ''), directory),
  )

const isTokenName = (name: string): boolean => isIdentityVolume(name) || isPluginVolumeName(name)

/** As clouds and the API server mount tokens, by the volume's name: what is in it `holdsTokens` says. */
export const isTokenMount = (mount: JsonObject): boolean =>
  isGuestMount(mount) && isTokenName(nameOf(mount))

const AUTHORITIES: ReadonlySet<string | undefined> = new Set([
  'kube-root-ca.crt',
  'openshift-service-ca.crt',
])

/** A token, and what the API server puts beside its own: nothing that an author writes. */
const isTokenSource = (source: JsonObject): boolean =>
  Object.keys(source).every(
    (kind) =>
      kind === 'serviceAccountToken' ||
      (kind === 'configMap' && AUTHORITIES.has(stringAt(source, kind, 'name'))) ||
      (kind === 'downwardAPI' &&
        objectsAt(source, kind, 'items').every(
          (item) => stringAt(item, 'fieldRef', 'fieldPath') === 'metadata.namespace',
        )),
  )

/** Whether a volume holds what its name says, where that is one of a token's. */
export const holdsTokens = (volume: JsonObject): boolean =>
  !isTokenName(nameOf(volume)) ||
  (Object.keys(objectAt(volume, 'projected')).length > 0 &&
    objectsAt(volume, 'projected', 'sources').every(isTokenSource))
