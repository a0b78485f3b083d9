// Everything that injection will do to one pod, worked out before anything is changed, or every
// reason why it cannot be done, all at once. Pure.

import { fail, ok, type Result } from '../../shared/result.ts'
import type { SidecarDocument } from '../../shared/sidecar-config.ts'
import { stringAt, type JsonObject } from '../../shared/json.ts'
import { auditWarnings } from './audit.ts'
import { baseLockOf } from './base-lock.ts'
import { cachesFor, type Caches } from './caches.ts'
import { identityTaken } from './cloud-identity.ts'
import { findCommand, holdPrefix, readLine, shimPrefix } from './command.ts'
import { isEnforced } from './egress.ts'
import { isToWait } from './gate.ts'
import { chooseAccount } from './own-account.ts'
import { isLookedUp } from './made-again.ts'
import { documentViolations } from './document-size.ts'
import { judge, type Found } from './judge.ts'
import { callerVariableWarnings } from '../settings/caller-variables.ts'
import { tokenExchangeWarnings } from '../settings/token-exchange.ts'
import { enforcedIn } from '../settings/enforced.ts'
import { identityWarnings } from '../settings/trust-faults.ts'
import type { Violation } from '../settings/violation.ts'
import { nameOf, ownSidecar } from './pod.ts'
import { sidecarResources } from './resources.ts'
import { rootWarnings, securityWarnings } from './security.ts'
import { findServer } from './server-container.ts'
import type { Limited } from './server-limits.ts'
import { serverLabel } from './server-label.ts'
import { serverWarnings } from './server-warnings.ts'
import { sidecarContainer, takenFromSidecar } from './sidecar-container.ts'
import { sidecarDocument } from './sidecar-document.ts'
import { sidecarVolumes } from './sidecar-volumes.ts'
import type { Subject } from './subject.ts'
import { findTransport, hasShim, type Transport } from './transport.ts'
import { tlsSecretOf, tlsWarnings } from './serving-tls.ts'
import { chooseToken } from './token.ts'
import { sidecarIdentity, type Identity } from './uid.ts'
import { fillsFor, placeOf, type Fill, type Fills } from './users.ts'
import { isKeptToFiles } from './writable.ts'

export interface Plan {
  /** Name of the server's container. */
  readonly server: string
  readonly transport: Transport
  /** The server's command line as it will be; undefined: the member is absent. */
  readonly command: readonly string[] | undefined
  readonly args: readonly string[] | undefined
  /** Users and pinned images, by `placeOf` a container. */
  readonly fills: ReadonlyMap<string, Fill>
  /** Where package managers keep what they fetch, by `placeOf` a container. */
  readonly caches: Caches['byPlace']
  readonly sidecar: JsonObject
  readonly resources: JsonObject
  /** Of the server's container; undefined: it keeps its own. */
  readonly serverResources: JsonObject | undefined
  readonly label: string
  readonly writablePaths: readonly string[]
  /** Its processes have their private directories on a volume of ours. */
  readonly hasHomes: boolean
  /** Those that the sidecar alone mounts. */
  readonly sidecarVolumes: readonly JsonObject[]
  readonly keepsToken: boolean
  /** Whether the server may have a token for the Kubernetes API, also one that its author has mounted. */
  readonly mayHaveToken: boolean
  /** The Secret of the certificate that the server shows itself. */
  readonly ownCertificate: string | undefined
  /** The server is kept to its `egress`, and so is what the kubelet starts beside it. */
  readonly isEgressEnforced: boolean
  readonly pullSecrets: readonly string[]
  /** The ServiceAccount by which it runs. */
  readonly account: string
  /** It waits for its NetworkPolicy. */
  readonly waits: boolean
  readonly warnings: readonly string[]
}

type CommandLine = Pick<Plan, 'command' | 'args'>

const commandLine = (
  server: JsonObject,
  transport: Transport,
  subject: Subject,
): Result<CommandLine, Violation> => {
  const { pod, config, resolution } = subject
  const line = readLine(server)
  if (!line.ok) return line
  const { command, args, hadShim } = line.value
  const isAdvisory = config.floor.allowAdvisoryIsolation
  const shimmed = { pod, server, settings: resolution.settings, isAdvisory }
  if (transport.kind === 'http') {
    const own = transport.line
    const prefix = holdPrefix(shimmed)
    if (own) return ok({ command: [...prefix, ...own.command], args: own.args })
    const isShimAlone = hadShim !== undefined && command?.length === 0
    return ok({ command: isShimAlone ? undefined : command, args })
  }
  const prefix = shimPrefix(shimmed)
  if (transport.command) return ok({ command: [...prefix, ...transport.command], args: undefined })
  const found = findCommand(server, line.value, {
    pod,
    images: config.images,
    settings: resolution.settings,
    isLookedUp: isLookedUp(subject),
  })
  if (!found.ok) return found
  return ok({ command: [...prefix, ...found.value.command], args: found.value.args })
}

// A warning says no more than fits.
const MAX_TAKEN = 20

/**
 * What another webhook, a registry mirror's mostly, has made of the sidecar's image is taken back: nobody can tell it from
 * what the pod's author wrote, and which image guards a server is the platform team's word.
 */
const imageWarnings = (before: JsonObject | undefined, after: JsonObject): readonly string[] => {
  const [was, is] = [stringAt(before, 'image'), stringAt(after, 'image')]
  return was === undefined || was === is
    ? []
    : [
        `container ${nameOf(after)}: its image is the cluster configuration's ${String(is)} again, not ${was}; a mirror's belongs into sidecar.image there`,
      ]
}

const sidecarWarnings = (before: JsonObject | undefined, after: JsonObject): readonly string[] => {
  const taken = before ? takenFromSidecar(before, after) : []
  const names = taken.slice(0, MAX_TAKEN).join(', ')
  const more = taken.length > MAX_TAKEN ? ` and ${taken.length - MAX_TAKEN} more` : ''
  return taken.length === 0
    ? []
    : [`container ${nameOf(after)}: is Outrigger's; taken off it: ${names}${more}`]
}

interface Parts {
  readonly server: JsonObject
  readonly transport: Transport
  readonly document: SidecarDocument
  readonly identity: Identity
  readonly line: CommandLine
  readonly fills: Fills
  readonly limited: Limited
}

const planWith = ({ server, transport, document, identity, line, fills, limited }: Parts): Plan => {
  const { subject } = limited
  const { pod, namespace, config, workload, resolution } = subject
  const { settings } = resolution
  const resources = sidecarResources(pod, settings, config)
  const existing = ownSidecar(pod)
  const caMount = transport.kind === 'http' ? transport.tls.ca?.mount : undefined
  const portNames = transport.kind === 'http' ? transport.names.ofSidecar : []
  const secret = tlsSecretOf(transport, settings)
  const tls = secret === undefined ? {} : { 'tls-secret': secret }
  const { volumes, mounts } = sidecarVolumes({ ...settings, ...tls }, { document, config })
  const ours = { caMount, portNames, existing, mounts, hasShim: hasShim(transport) }
  const parts = { config, document, resources, ...ours, ...identity }
  const sidecar = sidecarContainer(parts)
  const token = chooseToken(subject)
  const account = chooseAccount(subject)
  const caches = cachesFor(subject, server, transport)
  return {
    server: nameOf(server),
    transport,
    ...line,
    fills: fills.byPlace,
    caches: caches.byPlace,
    sidecar,
    resources,
    serverResources: limited.resources,
    label: serverLabel(pod, workload),
    writablePaths: settings['writable-paths'] ?? [],
    hasHomes: transport.kind === 'stdio' && isKeptToFiles(settings),
    sidecarVolumes: volumes,
    keepsToken: token.isKept,
    mayHaveToken: token.isAllowed,
    ownCertificate: transport.kind === 'http' && transport.tls.isTls ? secret : undefined,
    isEgressEnforced: isEnforced(settings),
    pullSecrets: config.sidecar.imagePullSecrets,
    account: account.name,
    waits: isToWait(pod, namespace, config),
    warnings: [
      ...securityWarnings(pod, config.floor, enforcedIn(namespace, config.floor)),
      ...rootWarnings(pod, nameOf(server), config.floor),
      ...limited.warnings,
      ...identityWarnings(settings, config.floor),
      ...callerVariableWarnings(settings, config.floor),
      ...tokenExchangeWarnings(settings, config.floor),
      ...token.warnings,
      ...account.warnings,
      ...identityTaken(pod, {
        server: nameOf(server),
        isShared: config.floor.allowSharedIdentity,
      }),
      ...tlsWarnings(nameOf(server), transport, settings),
      ...auditWarnings(pod, resolution, config),
      ...serverWarnings(server, transport, subject),
      ...fills.warnings,
      ...caches.warnings,
      ...sidecarWarnings(existing, sidecar),
      ...imageWarnings(existing, sidecar),
    ],
  }
}

/** What could be told of the server; `faults` says why the rest could not. */
interface Inspected extends Found {
  readonly line?: CommandLine
  readonly faults: readonly Violation[]
}

const inspect = (subject: Subject): Inspected => {
  const server = findServer(subject)
  if (!server.ok) return { faults: [server.error] }
  const transport = findTransport(server.value, subject)
  if (!transport.ok) return { server: server.value, faults: [transport.error] }
  const found = { server: server.value, transport: transport.value }
  const line = commandLine(found.server, found.transport, subject)
  return line.ok ? { ...found, line: line.value, faults: [] } : { ...found, faults: [line.error] }
}

/** Whom the sidecar and the others run as; `faults` says why that cannot be told. */
interface Users {
  readonly identity?: Identity
  readonly fills?: Fills
  readonly faults: readonly Violation[]
}

const users = (subject: Subject): Users => {
  const identity = sidecarIdentity(subject.namespace, subject.config)
  if (!identity.ok) return { faults: [identity.error] }
  const fills = fillsFor(subject, identity.value)
  return { identity: identity.value, fills, faults: fills.violations }
}

/** What the sidecar is told, where the server and what it speaks are known. */
const told = (
  subject: Subject,
  { server, transport }: Found,
  fills: Fills | undefined,
): SidecarDocument | undefined => {
  const { pod, workload, resolution, config, namespace } = subject
  const place = placeOf({ list: 'containers', name: nameOf(server ?? {}) })
  return (
    server &&
    transport &&
    sidecarDocument({
      pod,
      server,
      label: serverLabel(pod, workload),
      namespace: namespace.name,
      workload,
      image: fills?.byPlace.get(place)?.image,
      transport,
      resolution,
      config,
      baseLock: baseLockOf(subject, server),
    })
  )
}

/** The plan, or every violation. */
export const planInjection = (limited: Limited): Result<Plan, readonly Violation[]> => {
  const { subject } = limited
  const inspected = inspect(subject)
  const { server, transport, line } = inspected
  const { identity, fills, faults } = users(subject)
  const document = told(subject, inspected, fills)
  const violations = [
    ...inspected.faults,
    ...faults,
    ...judge(subject, inspected),
    ...(document ? documentViolations(document, subject.resolution.placed) : []),
  ]
  const isWhole = server && transport && line && document && identity && fills
  return violations.length === 0 && isWhole
    ? ok(planWith({ server, transport, line, document, identity, fills, limited }))
    : fail(violations)
}
