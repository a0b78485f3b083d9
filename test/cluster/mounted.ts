// What the kubelet has brought into a sidecar's folder, and whether anything has started anew since.

import { lstatSync } from 'node:fs'
import { DEFAULT_SIDECAR_UID } from '../../webhook/cluster/config-schema.ts'
import { at, list, type Json } from './api.ts'
import type { OwnTarget } from './describe-cluster.ts'
import { waitFor } from './machine/waiting.ts'
import { podProcesses } from './pod-processes.ts'

/** The kubelet looks at what is mounted once a minute or so. */
const KUBELET_SECONDS = 180

/** When the kubelet has last put a ConfigMap or a Secret into a folder of the sidecar's: by a link, in one step. */
export const changedAt = (target: OwnTarget, pod: Json, folder: string): number => {
  const clusterId = target.own.dir.split('/').at(-1) ?? ''
  const processes = podProcesses(clusterId, String(at(pod, 'metadata', 'uid')))
  const sidecar = processes.find(({ uid }) => uid === DEFAULT_SIDECAR_UID)
  return lstatSync(`/proc/${sidecar?.pid ?? 0}/root${folder}/..data`).ctimeMs
}

/** Changes something and waits until the kubelet has brought it; gives when it did. */
export const brought = async (
  target: OwnTarget,
  { pod, folder }: { readonly pod: Json; readonly folder: string },
  change: () => Promise<unknown>,
): Promise<number> => {
  const was = changedAt(target, pod, folder)
  await change()
  return waitFor(
    'the kubelet to bring it',
    () => {
      const now = changedAt(target, pod, folder)
      return Promise.resolve(now > was ? now : undefined)
    },
    KUBELET_SECONDS,
  )
}

/** The pod and its containers, each with how often it has started. */
export const startsOf = (pod: Json): readonly unknown[] => {
  const statuses = ['initContainerStatuses', 'containerStatuses'].flatMap((name) =>
    list(pod, 'status', name),
  )
  return [
    at(pod, 'metadata', 'uid'),
    ...statuses.map((one) => [at(one, 'containerID'), at(one, 'restartCount')]),
  ]
}
