// The value of the `outrigger.dev/server` label: the workload's kind and name. Pure.

import { createHash } from 'node:crypto'
import { at, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import type { Workload } from './subject.ts'

const MAX_LENGTH = 63
const HASH_LENGTH = 8

const cut = (text: string): string => {
  if (text.length <= MAX_LENGTH) return text
  const hash = createHash('sha256').update(text).digest('hex').slice(0, HASH_LENGTH)
  const head = text.slice(0, MAX_LENGTH - HASH_LENGTH - 1).replace(/[^a-z0-9]+$/, '')
  return `${head}-${hash}`
}

// A CronJob names its Jobs by the minute of their schedule, eight digits from 1989 to 2160.
const CRON_SUFFIX = /-\d{8}$/

/** The workload behind a pod's controller: a ReplicaSet's Deployment, a Job's CronJob. */
const ownerOf = (pod: JsonObject): Workload => {
  const controller = objectsAt(pod, 'metadata', 'ownerReferences').find(
    (owner) => at(owner, 'controller') === true,
  )
  const [kind, name] = [stringAt(controller, 'kind'), stringAt(controller, 'name')]
  if (kind === undefined || name === undefined) {
    // The API server makes a name of that between the two halves of admission: both are to call it the same.
    const names = ['generateName', 'name'].map((member) => stringAt(pod, 'metadata', member))
    const own = names.find((text) => text !== undefined && text !== '')
    return { kind: 'pod', name: (own ?? 'unnamed').replace(/-+$/, '') }
  }
  const hash = stringAt(pod, 'metadata', 'labels', 'pod-template-hash')
  if (kind === 'ReplicaSet' && hash !== undefined && name.endsWith(`-${hash}`)) {
    return { kind: 'Deployment', name: name.slice(0, -hash.length - 1) }
  }
  if (kind === 'Job' && CRON_SUFFIX.test(name)) {
    return { kind: 'CronJob', name: name.replace(CRON_SUFFIX, '') }
  }
  return { kind, name }
}

/** The workload that a pod is of; one that nobody controls is its own. */
export const workloadOf = (pod: JsonObject, workload: Workload | undefined): Workload =>
  workload ?? ownerOf(pod)

/** `<kind>-<name>` of the pod's workload, at most 63 characters. */
export const serverLabel = (pod: JsonObject, workload: Workload | undefined): string => {
  const { kind, name } = workloadOf(pod, workload)
  return cut(`${kind.toLowerCase()}-${name}`)
}
