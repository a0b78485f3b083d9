// The controller of companions: whether it is asked for and there, whether one of its replicas leads, what it may, and whether
// what it keeps stands. Pure.

import { numberAt, stringAt, type JsonObject } from '../../shared/json.ts'
import type { Result } from '../../shared/result.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import { plural } from '../output/plural.ts'
import { someOf } from './api-server.ts'
import { CONTROLLER, makesAccounts, type ControllerSeen } from './controller-in-cluster.ts'
import { namedBy, type Finding, type Read } from './finding.ts'
import { judgeReplicas } from './replicas.ts'

const CHECK = namedBy('controller')
const APPLY =
  'apply its manifests (kubectl apply -k manifests/base/companions, or the chart with companions: true)'
const LOOK_UPS =
  'those for floor.resolveImages (kubectl apply -k manifests/base/resolve-images, or resolveImages: true)'
const ACCOUNTS =
  'those for floor.ownServiceAccounts (kubectl apply -k manifests/base/own-accounts, or ownServiceAccounts: true)'
type Held = 'held' | 'fault' | 'future'
/** By so much clocks may differ. */
const CLOCKS_SECONDS = 60
/** Whoever writes a Lease may say that it lasts for ever, and be called whatever he likes. */
const MAX_TERM_SECONDS = 60
const MAX_HOLDER = 128

const holderIn = (lease: JsonObject): string => {
  const holder = stringAt(lease, 'spec', 'holderIdentity') ?? ''
  return holder.length > MAX_HOLDER ? `${holder.slice(0, MAX_HOLDER)}…` : holder
}

/** Whether somebody renews it. */
const judgeHeld = (lease: JsonObject, called: string, now: Date): readonly [Held, string] => {
  const holder = holderIn(lease)
  if (holder === '') return ['fault', `nobody holds the ${called}: no companion is kept`]
  const renewed = Date.parse(stringAt(lease, 'spec', 'renewTime') ?? '')
  const seconds = Math.round((now.getTime() - renewed) / 1000)
  const term = Math.min(numberAt(lease, 'spec', 'leaseDurationSeconds') ?? 0, MAX_TERM_SECONDS)
  if (Number.isNaN(seconds)) {
    return ['fault', `${holder} holds the ${called}, and does not say since when`]
  }
  if (seconds < -CLOCKS_SECONDS) {
    return [
      'future',
      `${holder} has renewed the ${called} ${-seconds} s from now, by the clock of this machine`,
    ]
  }
  return seconds > term + CLOCKS_SECONDS
    ? [
        'fault',
        `${holder} leads no more: it has not renewed the ${called} for ${seconds} s, and no other has taken it`,
      ]
    : ['held', `${holder} leads`]
}

/** By the clock of this machine. */
const judgeLease = (read: Read<JsonObject>, namespace: string, now: Date): Finding => {
  const called = `Lease ${namespace}/${CONTROLLER}`
  const logs = `see the logs of its pods: kubectl -n ${namespace} logs -l app.kubernetes.io/name=${CONTROLLER}`
  if (!read.ok) {
    return read.error.isMissing
      ? CHECK.fault(`there is no ${called}, by which one replica leads: none does`, APPLY)
      : CHECK.unread(called, read.error.why)
  }
  const [held, what] = judgeHeld(read.value, called, now)
  if (held === 'held') return CHECK.ok(what)
  return held === 'fault'
    ? CHECK.fault(what, logs)
    : CHECK.warning(what, 'see which clock is wrong: whether it still leads is not known')
}

const judgeRights = (read: Read<readonly string[]>, config: ClusterConfig): Finding => {
  if (!read.ok) {
    return CHECK.unread(
      'what it may',
      read.error.why,
      'ask as somebody who may create subjectaccessreviews',
    )
  }
  return read.value.length > 0
    ? CHECK.fault(
        `it lacks rights: ${someOf(read.value)}`,
        [
          APPLY,
          ...(config.floor.resolveImages ? [LOOK_UPS] : []),
          ...(makesAccounts(config) ? [ACCOUNTS] : []),
        ].join(', and '),
      )
    : CHECK.ok('it has the rights that its manifests give it')
}

const judgeAbsent = (read: Read<readonly string[]>, workloads: number): Finding => {
  if (!read.ok) return CHECK.unread('what stands beside workloads', read.error.why)
  return read.value.length > 0
    ? CHECK.warning(
        `not there, or somebody else's: ${someOf(read.value)}`,
        'where that stays so for longer than a minute see the events of the workload, and the log of whoever leads',
      )
    : CHECK.ok(`${plural(workloads, 'workload')}, each with its companions`)
}

const unasked = (deployment: Read<JsonObject>, namespace: string): Finding => {
  if (deployment.ok) {
    return CHECK.warning(
      'it runs, and the cluster configuration has no `companions`: it keeps none, and takes away those that stand',
      `add \`companions: {}\` to the configuration, or delete it: kubectl delete -k manifests/base/companions (Deployment ${namespace}/${CONTROLLER})`,
    )
  }
  return deployment.error.isMissing
    ? CHECK.ok('nobody asks for one: the cluster configuration has no `companions`')
    : CHECK.unread(`Deployment ${namespace}/${CONTROLLER}`, deployment.error.why)
}

/** Of one that is asked for, each of its checks; of one that is not, whether that is what was meant. */
export const judgeController = (
  { deployment, lease, lacking, absent, workloads }: ControllerSeen,
  pods: readonly JsonObject[],
  {
    namespace,
    config,
    now,
  }: {
    readonly namespace: string
    readonly config: Result<ClusterConfig, string>
    readonly now: Date
  },
): readonly Finding[] => {
  if (!config.ok) {
    return [
      CHECK.unread(
        'the cluster configuration',
        config.error,
        'see that it is there and whole, or ask as somebody who may read it',
      ),
    ]
  }
  const { companions, floor } = config.value
  if (!companions && !floor.resolveImages) return [unasked(deployment, namespace)]
  const asked = companions
    ? `asks for companions, and nobody keeps them${companions.gate ? ', or lets go of the pods that wait for them (companions.gate)' : ''}`
    : 'says floor.resolveImages, and nobody looks images up'
  const running = judgeReplicas(deployment, pods, {
    check: CHECK,
    namespace,
    name: CONTROLLER,
    apply: `the cluster configuration ${asked}: ${APPLY}`,
    alone: 'companions stay as they are',
  })
  return [
    running,
    ...(deployment.ok ? [judgeLease(lease, namespace, now)] : []),
    ...(lacking === undefined ? [] : [judgeRights(lacking, config.value)]),
    ...(absent === undefined ? [] : [judgeAbsent(absent, workloads)]),
  ]
}
