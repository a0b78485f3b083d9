// The pod that a workload's controller would create from its template. Pure.

import { withAt, type JsonObject } from '../../shared/json.ts'
import type { Template } from '../manifest/templates.ts'

/** As the ReplicaSet controller writes it: a generated name and the template's metadata and spec. */
export const podOf = (template: Template): JsonObject =>
  withAt(
    { apiVersion: 'v1', kind: 'Pod', ...template.pod },
    ['metadata', 'generateName'],
    `${template.name}-`,
  )
