// A pod that asks for a server, created in a dry run: it has to come back with the sidecar in it. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { stringAt, type JsonObject } from '../../shared/json.ts'
import { SIDECAR_IMAGE } from '../../shared/own-images.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import { ownSidecar } from '../../webhook/inject/pod.ts'
import { publicUrlsFor } from '../../webhook/settings/public-urls.ts'
import { namedBy, type Finding, type Read } from './finding.ts'

const NAME = 'outrigger-doctor'

/** A URL that the floor lets it claim, where it has to claim one. */
const callersFor = (namespace: string, config: ClusterConfig | undefined) => {
  if (!config) return {}
  if (config.floor.allowAnonymous) return { [`${PREFIX}auth`]: 'none' }
  const claimant = { namespace, name: NAME, serviceAccount: 'default' }
  const [url] = publicUrlsFor(claimant, config.floor.publicUrls)
  return url === undefined
    ? {}
    : { [`${PREFIX}public-url`]: url.endsWith('/*') ? `${url.slice(0, -1)}${NAME}` : url }
}

/** As little as a server can be, and as strict. */
export const trialPod = (namespace: string, config: ClusterConfig | undefined): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: NAME,
    namespace,
    annotations: { [`${PREFIX}inject`]: 'true', ...callersFor(namespace, config) },
  },
  spec: {
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'server',
        // It is never run, and this one is there.
        image: config?.sidecar.image ?? SIDECAR_IMAGE,
        command: ['/server'],
        resources: { limits: { cpu: '100m', memory: '64Mi' } },
        securityContext: {
          runAsUser: 10_001,
          runAsGroup: 10_001,
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      },
    ],
  },
})

const TRIAL = namedBy('admission')

const OWN_WEBHOOK = /admission webhook \\?"[a-z-]+\.(?:inject|validate)\.outrigger\.dev\\?" denied/
const CALL_FAILED = /failed calling webhook \\?"([a-z-]+\.(?:inject|validate)\.outrigger\.dev)/
const OWN_POLICY = /ValidatingAdmissionPolicy \\?'outrigger-/

const refusal = (why: string, where: string): Finding => {
  const [, entry] = CALL_FAILED.exec(why) ?? []
  if (entry !== undefined) {
    return TRIAL.fault(
      `the API server does not reach the webhook by ${entry}: ${why}`,
      'see that its pods are ready, that its Service leads to them, that caBundle and certificates are right (above), and that nothing keeps the API server from its port',
    )
  }
  if (OWN_POLICY.test(why)) {
    return TRIAL.fault(
      `a pod that asks for a server ${where} is refused for want of its sidecar: ${why}`,
      'see whether the webhook is asked (webhook configurations, above), and which other webhook takes the sidecar out',
    )
  }
  if (OWN_WEBHOOK.test(why)) {
    return TRIAL.warning(
      `the webhook answers, and denies the trial pod ${where}: ${why}`,
      'where pods of that namespace are to be let in, do what it says; -n names another namespace',
    )
  }
  if (/cannot create resource/.test(why)) return TRIAL.unread(`what comes of a pod ${where}`, why)
  return TRIAL.warning(
    `somebody else refuses the trial pod ${where}, so whether it is injected is not known: ${why}`,
    'try another namespace by -n',
  )
}

/** What has come of it. */
export const judgeTrial = (
  tried: Read<JsonObject>,
  namespace: string,
  config: ClusterConfig | undefined,
): Finding => {
  const where = `in namespace ${namespace}`
  if (!tried.ok) {
    return tried.error.isMissing
      ? TRIAL.unread(
          `what comes of a pod ${where}`,
          tried.error.why,
          'name a namespace that is there by -n',
        )
      : refusal(tried.error.why, where)
  }
  const sidecar = ownSidecar(tried.value)
  if (!sidecar) {
    return TRIAL.fault(
      `a pod that asks for a server ${where} is let in without the sidecar`,
      'see the webhook configurations and the final state, above',
    )
  }
  const image = stringAt(sidecar, 'image') ?? ''
  return config !== undefined && image !== config.sidecar.image
    ? TRIAL.fault(
        `pods get the sidecar ${image}, and the configuration names ${config.sidecar.image}`,
        'the webhook reads another configuration than its ConfigMap: restart it (kubectl rollout restart), and see its log',
      )
    : TRIAL.ok(`a pod that asks for a server ${where} gets the sidecar ${image}`)
}
