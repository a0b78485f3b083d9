// The tool lock of the cluster configuration that a pod's server is held to. Pure.

import { stringAt, type JsonObject } from '../../shared/json.ts'
import type { LockDocument } from '../../shared/lock/schema.ts'
import { baseLockFor } from '../cluster/base-locks.ts'
import { workloadOf } from './server-label.ts'
import type { Subject } from './subject.ts'

export const baseLockOf = (
  { pod, namespace, workload, config }: Subject,
  server: JsonObject,
): LockDocument | undefined =>
  baseLockFor(
    {
      namespace: namespace.name,
      name: workloadOf(pod, workload).name,
      image: stringAt(server, 'image') ?? '',
    },
    config.floor.toolLocks,
  )
