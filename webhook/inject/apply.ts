// Carries out a plan: one list of steps, read from top to bottom, each a copy of the pod with one
// thing changed. Nothing is decided here. Pure.

import { INJECTED_LABEL, SERVER_LABEL, STATUS_ANNOTATION } from '../../shared/names.ts'
import { at, objectsAt, withAt, type JsonObject } from '../../shared/json.ts'
import type { Floor } from '../settings/floor.ts'
import { keepIdentityIn } from './cloud-identity.ts'
import { confineHooks } from './confined-hooks.ts'
import { gated } from './gate.ts'
import { withAccount } from './own-account.ts'
import { placeSidecar } from './placement.ts'
import type { Plan } from './plan.ts'
import { mapContainers, putBy, type Member } from './pod.ts'
import { probeLoopback } from './probes.ts'
import { withoutPortNames } from './port-names.ts'
import { raisePodResources } from './resources.ts'
import { fillContexts, isJudged } from './security.ts'
import { DEFAULT_CONTAINER } from './server-container.ts'
import { statusText } from './status.ts'
import { takeOff } from './taken.ts'
import { keepTokenIn, removeToken } from './token.ts'
import { hasShim } from './transport.ts'
import { placeOf } from './users.ts'
import { addVolumes } from './volumes.ts'

type Step = (pod: JsonObject, plan: Plan, floor: Floor) => JsonObject

const STEPS: readonly Step[] = [
  // What the rest relies on: contexts first, since a read-only root is what asks for volumes.
  (pod, _plan, floor) => fillContexts(pod, floor),
  (pod, plan) => mapContainers(pod, (member) => fillIn(member, plan)),
  (pod, plan) => mapContainers(pod, (member) => addCaches(member, plan)),
  (pod, plan) => mapContainers(pod, (member) => changeServer(member, plan)),
  (pod, plan) => withAccount(pod, plan.account),
  (pod, plan) => (plan.keepsToken ? keepTokenIn(pod, plan.server) : removeToken(pod)),
  (pod, plan, { allowSharedIdentity }) =>
    keepIdentityIn(pod, { server: plan.server, isShared: allowSharedIdentity }),
  (pod, plan, floor) =>
    addVolumes(pod, {
      server: plan.server,
      sidecarVolumes: plan.sidecarVolumes,
      hasShim: hasShim(plan.transport),
      hasHomes: plan.hasHomes,
      writablePaths: plan.writablePaths,
      isOurs: ({ container }) => isJudged(container, floor),
      needsTmp: ({ container }) =>
        isJudged(container, floor) &&
        at(container, 'securityContext', 'readOnlyRootFilesystem') === true,
    }),
  // Before the sidecar is put in: what an earlier pass has raised is seen by the sidecar it left.
  (pod, plan) => raisePodResources(pod, plan.resources),
  (pod, plan, floor) => placeSidecar(pod, plan.sidecar, floor),
  (pod, plan) => addPullSecrets(pod, plan.pullSecrets),
  (pod, plan) => (plan.waits ? gated(pod) : pod),
  (pod, plan) => addMarks(pod, plan),
]

const fillIn = (member: Member, { fills }: Plan): JsonObject => {
  const { image, ...user } = fills.get(placeOf(member)) ?? {}
  const pinned = image === undefined ? member.container : withAt(member.container, ['image'], image)
  return Object.entries(user).reduce(
    (container, [field, id]) => withAt(container, ['securityContext', field], id),
    pinned,
  )
}

const addCaches = (member: Member, { caches }: Plan): JsonObject => {
  const entries = caches.get(placeOf(member)) ?? []
  const env = [...objectsAt(member.container, 'env'), ...entries]
  return entries.length === 0 ? member.container : withAt(member.container, ['env'], env)
}

const changeServer = ({ list, name, container }: Member, plan: Plan): JsonObject => {
  if (list !== 'containers' || name !== plan.server) return container
  const { serverResources: resources } = plan
  const limited = resources ? withAt(container, ['resources'], resources) : container
  const fitting = fitServer(limited, plan)
  return withAt(withAt(fitting, ['command'], plan.command), ['args'], plan.args)
}

/** Without what the shim makes senseless there, or with what still works beside it. */
const fitServer = (container: JsonObject, { transport, isEgressEnforced }: Plan): JsonObject => {
  if (transport.kind === 'stdio')
    return confineHooks(takeOff(container, transport), isEgressEnforced)
  return hasShim(transport)
    ? confineHooks(probeLoopback(container), isEgressEnforced)
    : withoutPortNames(container, transport.names.moved, transport.port)
}

const addPullSecrets = (pod: JsonObject, names: readonly string[]): JsonObject => {
  const before = objectsAt(pod, 'spec', 'imagePullSecrets')
  const ours = names.map((name) => ({ name }))
  const after = putBy('name', before, ours)
  return names.length === 0 ? pod : withAt(pod, ['spec', 'imagePullSecrets'], after)
}

const addMarks = (pod: JsonObject, plan: Plan): JsonObject => {
  const injected = withAt(pod, ['metadata', 'labels', INJECTED_LABEL], 'true')
  const labelled = withAt(injected, ['metadata', 'labels', SERVER_LABEL], plan.label)
  const place = ['metadata', 'annotations', DEFAULT_CONTAINER] as const
  return at(labelled, ...place) === undefined ? withAt(labelled, place, plan.server) : labelled
}

/** The injected pod, without its status. */
export const applyPlan = (pod: JsonObject, plan: Plan, floor: Floor): JsonObject =>
  STEPS.reduce((current, step) => step(current, plan, floor), pod)

/** The injected pod with its status, for whoever writes it. */
export const withStatus = (
  before: JsonObject,
  after: JsonObject,
  { server: container, transport }: Plan,
): JsonObject => {
  const direct = transport.kind === 'http' && !hasShim(transport) ? [transport.port] : []
  const status = statusText(before, after, { container, transport: transport.kind, direct })
  return withAt(after, ['metadata', 'annotations', STATUS_ANNOTATION], status)
}
