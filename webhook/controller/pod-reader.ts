// Reads one image for a pod, whose author names it: by the pod's own Secrets and nobody's docker configuration, within what a
// program of the cluster may ask. Decides nothing.

import { readFile } from 'node:fs/promises'
import type { ClusterConfig } from '../cluster/config.ts'
import { BY_ITSELF } from '../images/read-limits.ts'
import { createReader, type Reader } from '../images/reader.ts'
import type { Requests } from '../kube/requests.ts'
import { PULL_SECRETS, pullCredentials, type Puller } from './pull-secrets.ts'

/** Whoever asks closes it. */
export type PodReader = (puller: Puller, signal: AbortSignal) => Reader

export const podReader =
  (requests: Requests, config: () => ClusterConfig): PodReader =>
  (puller, signal) =>
    createReader({
      registries: config().registries,
      credential: pullCredentials(requests, puller, signal),
      keeper: PULL_SECRETS,
      readCa: (file) => readFile(file, 'utf8'),
      environment: {},
      signal,
      limits: BY_ITSELF,
      isGuarded: true,
    })
