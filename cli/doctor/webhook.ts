// The webhook itself: whether it runs, as which version, and by which certificates. Pure.

import { objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import type { Result } from '../../shared/result.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import type { Inspection } from '../certs/inspection.ts'
import { namedBy, type Finding, type Read } from './finding.ts'
import { judgeReplicas } from './replicas.ts'

const RUNNING = namedBy('webhook')

/** Whether it is there, and as often as it is to be. */
export const judgeDeployment = (
  read: Read<JsonObject>,
  pods: readonly JsonObject[],
  namespace: string,
): Finding =>
  judgeReplicas(read, pods, {
    check: RUNNING,
    namespace,
    name: 'outrigger-webhook',
    apply: "apply Outrigger's manifests (kubectl apply -k manifests/base, or the chart)",
    alone: 'no pod that asks for a server comes up',
  })

/** Of what may also not be there, or not be what it is to be. */
const IN_PLACE =
  'see that it is there and whole (kubectl apply -k manifests/base, or the chart), or ask as somebody who may read it'

const VERSIONS = namedBy('versions')

/** The tag of an image that goes by one alone; undefined of a digest, which names no version. */
const tagOf = (image: string): string | undefined =>
  image.includes('@') ? undefined : /:([^/:]+)$/.exec(image)?.[1]

/** Whether webhook and sidecar are of one build: each knows what the other writes in its own version alone. */
export const judgeVersions = (
  deployment: Read<JsonObject>,
  config: Result<ClusterConfig, string>,
): Finding => {
  if (!config.ok) return VERSIONS.unread('the cluster configuration', config.error, IN_PLACE)
  if (!deployment.ok) {
    return VERSIONS.unread("the webhook's image", deployment.error.why, IN_PLACE)
  }
  const [container] = objectsAt(deployment.value, 'spec', 'template', 'spec', 'containers')
  const images = [stringAt(container, 'image') ?? '', config.value.sidecar.image]
  const [webhook, sidecar] = images.map(tagOf)
  const both = images.join(' and ')
  if (webhook === undefined || sidecar === undefined) {
    return VERSIONS.ok(`${both} go by digests: see that they are of one release`)
  }
  return webhook === sidecar
    ? VERSIONS.ok(`webhook and sidecar are of one version, ${webhook}`)
    : VERSIONS.fault(
        `webhook and sidecar are of two versions: ${both}`,
        'name the sidecar of the same release in sidecar.image of the cluster configuration',
      )
}

const CERTIFICATES = namedBy('certificates')

/** Of what `outrigger certs inspect` finds. */
export const judgeCertificates = (
  inspection: Result<Inspection, string>,
  notes: readonly string[],
): readonly Finding[] => {
  if (!inspection.ok) return [CERTIFICATES.unread('certificates', inspection.error, IN_PLACE)]
  const { faults, serving } = inspection.value
  const [soonest] = serving.map(({ end }) => end).toSorted()
  const until = soonest === undefined ? '' : `, what serves until ${soonest}`
  return [
    ...faults.map(({ what, advice }) => CERTIFICATES.fault(what, advice)),
    ...notes.map((note) =>
      CERTIFICATES.warning(
        note,
        'see the webhook, above, or ask as somebody who may read of its pods',
      ),
    ),
    ...(faults.length + notes.length === 0
      ? [CERTIFICATES.ok(`caBundle, authority and replicas agree${until}`)]
      : []),
  ]
}
