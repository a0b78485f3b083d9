// How each rule of a pod by itself is checked. Pure.

import type { RuleId } from '../settings/rule.ts'
import { cloudIdentity } from './cloud-identity.ts'
import { hostNamespaces, hostPorts, processNamespace } from './host.ts'
import { probeHost, unconfinedHooks } from './hook.ts'
import { imageDigest } from './image.ts'
import type { Check } from './judged.ts'
import { limits } from './limit.ts'
import { meshIdentity } from './mesh-identity.ts'
import { dnsConfig, hostAliases } from './name-service.ts'
import { otherContainers } from './other-container.ts'
import { proxyProgram } from './proxy-program.ts'
import { secretLiteral } from './secret.ts'
import {
  appArmor,
  capabilities,
  linux,
  privileged,
  privilegeEscalation,
  procMount,
  readOnlyRoot,
  runAsNonRoot,
  seccomp,
  seLinux,
  sysctls,
} from './security-context.ts'
import { sidecarSecrets } from './sidecar-secret.ts'
import { apiToken } from './token.ts'
import { volumeTypes } from './volume.ts'

/** Those that are not here are told by comparison, or of what is done to a running pod: webhook/validation. */
export const CHECKS: Readonly<Partial<Record<RuleId, Check>>> = {
  'host-namespaces': hostNamespaces,
  'host-ports': hostPorts,
  'process-namespace': processNamespace,
  privileged,
  'privilege-escalation': privilegeEscalation,
  capabilities,
  'run-as-non-root': runAsNonRoot,
  seccomp,
  apparmor: appArmor,
  selinux: seLinux,
  'proc-mount': procMount,
  sysctls,
  'volume-types': volumeTypes,
  'probe-host': probeHost,
  linux,
  'api-token': apiToken,
  'cloud-identity': cloudIdentity,
  'sidecar-secrets': sidecarSecrets,
  'proxy-program': proxyProgram,
  'mesh-identity': meshIdentity,
  'read-only-root': readOnlyRoot,
  'image-digest': imageDigest,
  'secret-literal': secretLiteral,
  limits,
  'host-aliases': hostAliases,
  'dns-config': dnsConfig,
  'other-containers': otherContainers,
  'unconfined-hooks': unconfinedHooks,
}
