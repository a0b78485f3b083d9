// What a token for the Kubernetes API is, whoever has put it into a pod: what injection asks leave for and
// the rule of such tokens go by the same. Pure.

import { at, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import type { Floor } from '../settings/floor.ts'
import { nameOf } from './pod.ts'
import { isReservedVolume } from './volumes.ts'

/** What the API server calls the volume of the token that it mounts by itself: a prefix and five letters or digits of its own alphabet. */
const PLUGIN_VOLUME = /^kube-api-access-[a-z0-9]{5}$/

export const isPluginVolumeName = (name: string): boolean => PLUGIN_VOLUME.test(name)

/** What the API server itself is called by in its tokens, wherever nobody has named it otherwise. */
const API_AUDIENCE = /^(?:https:\/\/)?kubernetes(?:\.default(?:\.svc(?:\.[a-z0-9.-]+)?)?)?$/

/** Without an audience a token is for the API server; so it is mostly with the cluster's own issuer for one. */
const isForApi = (source: JsonObject, { issuers }: Pick<Floor, 'issuers'>): boolean => {
  if (at(source, 'serviceAccountToken') === undefined) return false
  const audience = stringAt(source, 'serviceAccountToken', 'audience') ?? ''
  const isIssuer = issuers.some(
    ({ url, serviceAccounts = [] }) => serviceAccounts.length > 0 && url === audience,
  )
  return audience === '' || API_AUDIENCE.test(audience) || isIssuer
}

/** The names of volumes that hold one. Our own are the sidecar's, and nobody else may mount them anyhow. */
export const apiTokenVolumes = (
  pod: JsonObject,
  floor: Pick<Floor, 'issuers'>,
): readonly string[] =>
  objectsAt(pod, 'spec', 'volumes')
    .filter((volume) => !isReservedVolume(nameOf(volume)))
    .filter((volume) =>
      objectsAt(volume, 'projected', 'sources').some((source) => isForApi(source, floor)),
    )
    .map(nameOf)
