// Whether a pod that is refused comes again by itself: whoever makes it tries once more, and says so in an Event, by which the
// controller hears what it lacks. Pure.

import { stringAt } from '../../shared/json.ts'
import { controllerOf } from './pod.ts'
import type { Subject } from './subject.ts'

/** Who makes a pod again that was refused, of those whose Events the controller understands. */
const MAKERS: ReadonlySet<string> = new Set([
  'apps/v1 ReplicaSet',
  'apps/v1 StatefulSet',
  'apps/v1 DaemonSet',
  'batch/v1 Job',
])
/** The same as whoever renders a template names them. */
const WORKLOADS: ReadonlySet<string> = new Set([
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
])

export const isMadeAgain = ({ pod, workload }: Pick<Subject, 'pod' | 'workload'>): boolean => {
  const controller = controllerOf(pod)
  if (!controller) return workload !== undefined && WORKLOADS.has(workload.kind)
  return MAKERS.has(
    `${stringAt(controller, 'apiVersion') ?? ''} ${stringAt(controller, 'kind') ?? ''}`,
  )
}

/** Whether the controller looks up what nobody knows of the pod's images. */
export const isLookedUp = (subject: Pick<Subject, 'pod' | 'workload' | 'config'>): boolean =>
  subject.config.floor.resolveImages && isMadeAgain(subject)

/** Of an image that is. */
export const LOOKED_UP =
  'the controller looks it up (floor.resolveImages), and a next try of whoever makes the pod, within some minutes, comes up by itself; where it cannot, the Event ImageUnread says why'
