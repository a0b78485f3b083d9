// What a server may reach on the network: what its sidecar and its shim are told of it, what stands in the way of keeping
// the server to it, and what its author should know. Which destinations there may be is webhook/settings/destinations.ts. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { stringAt, type JsonObject } from '../../shared/json.ts'
import { CA_KEY, PARENT_CA_DIR, PARENT_PROXY_DIR } from '../../shared/names.ts'
import type { Settings } from '../../shared/settings.ts'
import type { SidecarDocument } from '../../shared/sidecar-config.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import type { ClusterEgress } from '../cluster/pod-rules.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { knownImage } from './image.ts'
import { isLookedUp, LOOKED_UP } from './made-again.ts'
import { nameOf } from './pod.ts'
import { holderOf } from './ports.ts'
import { reasonAgainst } from './reach.ts'
import type { Subject } from './subject.ts'
import { hasShim, type Transport } from './transport.ts'

/** Whether a server is kept to what it has declared. */
export const isEnforced = (settings: Settings): boolean => settings['egress-mode'] === 'enforce'

/** Without the credentials: no document holds a secret. */
const parentIn = ({ url, credentialsSecret }: NonNullable<ClusterEgress['parentProxy']>) => ({
  url,
  ...(credentialsSecret === undefined ? {} : { credentialsDir: PARENT_PROXY_DIR }),
})

/** What the sidecar is told besides the settings: where nothing is refused, nothing depends on what the kernel can do. */
export const egressIn = (
  settings: Settings,
  { floor, egress = {} }: Pick<ClusterConfig, 'floor' | 'egress'>,
): Pick<SidecarDocument, 'egress'> => {
  const { parentProxy, bytesPerSession } = egress
  return {
    egress: {
      confinement: isEnforced(settings) && !floor.allowAdvisoryEgress ? 'require' : 'advisory',
      ...(parentProxy === undefined ? {} : { parentProxy: parentIn(parentProxy) }),
      ...(parentProxy?.caConfigMap === undefined ? {} : { caFile: `${PARENT_CA_DIR}/${CA_KEY}` }),
      ...(bytesPerSession === undefined ? {} : { bytesPerSession }),
    },
  }
}

interface Free {
  readonly why: string
  /** The image that the index lacks, where knowing it may help. */
  readonly image: string | undefined
}

/** Why nothing confines a server that speaks HTTP; undefined where the shim does. */
const freeBy = (server: JsonObject, transport: Transport, subject: Subject): Free | undefined => {
  if (transport.kind === 'stdio' || hasShim(transport)) return undefined
  const { pod, config } = subject
  const holder = holderOf(transport.port, server, pod)
  const isUnread = holder === undefined && knownImage(server, pod, config.images) === undefined
  return {
    why: reasonAgainst({ holder }, isUnread && isLookedUp(subject) ? LOOKED_UP : undefined),
    image: isUnread ? stringAt(server, 'image') : undefined,
  }
}

/** Of these keys, the value that takes a shim. */
const CONFINING = [
  ['egress-mode', 'enforce'],
  ['file-writes', 'declared'],
] as const

/** A server that would reach or change what it likes, where the floor or somebody else says that it must not. */
export const confinementViolations = (
  server: JsonObject | undefined,
  transport: Transport | undefined,
  subject: Subject,
): readonly Violation[] => {
  const { settings, placed } = subject.resolution
  const free = server && transport && freeBy(server, transport, subject)
  if (!free) return []
  const { why, image } = free
  return CONFINING.filter(([key, value]) => settings[key] === value).map(([key, value]) => {
    const said = placed.get(key)
    const by = said?.isDefault === false ? said.where : 'floor.egressMode'
    const found = violation(
      'unconfined',
      `container ${nameOf(server ?? {})}: ${why}, so that nothing confines it, and ${by} says ${PREFIX}${key}: ${value}; write its command into the spec, or as ${PREFIX}command, and leave its port to it alone`,
      key,
    )
    return image === undefined ? found : Object.assign(found, { image })
  })
}

/** What of it the author should know. */
export const egressWarnings = (
  server: JsonObject,
  { resolution, config }: Subject,
): readonly string[] => {
  const { settings, placed } = resolution
  const isChosen =
    placed.get('egress-mode')?.isDefault === false || config.floor.egressMode !== undefined
  const name = nameOf(server)
  return [
    ...(isChosen
      ? []
      : [
          `${PREFIX}egress-mode: nobody has chosen one: what the server reaches is observed, and not held to ${PREFIX}egress. Choose enforce, or observe; \`outrigger egress suggest\` makes the list of what was observed`,
        ]),
    ...(isEnforced(settings) && settings.egress === undefined
      ? [
          `container ${name}: reaches nothing on the network: ${PREFIX}egress-mode is enforce, and ${PREFIX}egress names no destination (\`none\` says that it needs none)`,
        ]
      : []),
  ]
}
