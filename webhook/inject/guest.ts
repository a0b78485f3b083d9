// What the webhooks of clouds and meshes add to every container that they find: variables that no program of
// ours or of a mesh's is bent by, and data to read. Pure.

import { at, stringAt, type JsonObject } from '../../shared/json.ts'
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
