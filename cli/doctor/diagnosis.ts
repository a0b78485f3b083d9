// All checks of a cluster, in the order in which one would put things right. Pure.

import { judgeKubelets, judgeServer } from './api-server.ts'
import { judgeController } from './controller.ts'
import type { Finding } from './finding.ts'
import type { Seen } from './in-cluster.ts'
import { judgeNetwork } from './network.ts'
import { judgeConfiguration, judgePolicy } from './own-objects.ts'
import { judgeTrial } from './trial.ts'
import { judgeCertificates, judgeDeployment, judgeVersions } from './webhook.ts'
import { judgeEnforcement, judgeNamespaces, judgeRows } from './workloads.ts'

/** `namespace`: that of the trial pod; `own`: Outrigger's. */
export const diagnose = (
  seen: Seen,
  { namespace, own }: { readonly namespace: string; readonly own: string },
): readonly Finding[] => {
  const config = seen.config.ok ? seen.config.value : undefined
  return [
    judgeServer(seen.version),
    judgeKubelets(seen.nodes),
    ...judgeConfiguration('MutatingWebhookConfiguration', seen.mutating),
    ...judgeConfiguration('ValidatingWebhookConfiguration', seen.validating),
    ...[...seen.policies].flatMap(([name, read]) => judgePolicy(name, read, config)),
    judgeDeployment(seen.deployment, seen.ownPods, own),
    judgeVersions(seen.deployment, seen.config),
    ...judgeCertificates(seen.certificates.inspection, seen.certificates.notes),
    ...judgeController(seen.controller, seen.ownPods, {
      namespace: own,
      config: seen.config,
      now: seen.now,
    }),
    judgeTrial(seen.tried, namespace, config),
    ...judgeNamespaces(seen.namespaces, config),
    judgeRows(seen.rows),
    judgeNetwork(seen.daemonSets),
    judgeEnforcement(seen.enforcement),
  ]
}
