// By which ports callers reach an injected pod's server, whether through the sidecar, with whose tokens, by which policies and within which locks: for
// `outrigger explain`, read from the document that the sidecar gets. Pure.

import { MCP_PATH, MCP_PORT, OWN_VOLUMES, REPLICA_PORT } from '../../shared/names.ts'
import { callerVariables, type CallerVariable } from '../../shared/caller-environment.ts'
import { at, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { speaksHttp, type EgressConfig } from '../../shared/sidecar-config.ts'
import { documentOf } from '../../webhook/inject/stand-ins.ts'
import { ownSidecar } from '../../webhook/inject/pod.ts'

/** A line for each port. */
export const reachLines = (pod: JsonObject): readonly string[] => {
  const config = documentOf(ownSidecar(pod))
  if (!config) return []
  const { settings, standIns, carriedPorts, isSupervised, tls, replicas } = config
  const over = tls === undefined ? '' : ', over TLS alone (https://)'
  const why = isSupervised ? 'the server is held on loopback' : 'in the place of a bridge'
  const taken = standIns.map(
    ({ port, path }) =>
      `${port}: the sidecar, by ${path ?? "the server's own path"}${over}; ${why}`,
  )
  const carried = carriedPorts.map(
    (port) => `${port}: the server itself, by way of the sidecar, which reads nothing of it`,
  )
  const open =
    speaksHttp(settings) && !isSupervised
      ? [`${settings.port}: the server itself, around the sidecar`]
      : []
  const handed =
    replicas === undefined
      ? []
      : [
          `${REPLICA_PORT}: the sidecars of its other replicas alone, for the sessions that are here`,
        ]
  return [
    `${MCP_PORT}: the sidecar, by ${MCP_PATH}${over}`,
    ...taken,
    ...carried,
    ...open,
    ...handed,
  ]
}

/** A line for each issuer, with the audiences of which a token must name one. */
export const callerLines = (pod: JsonObject): readonly string[] => {
  const config = documentOf(ownSidecar(pod))
  if (!config) return []
  const { settings, issuers, trustDomains } = config
  if (settings.auth === 'none') return ['nobody is asked for one: auth: none']
  const own = [settings['public-url'] ?? '']
  return [
    ...issuers.map(({ url, audiences = own }) => `${url}, for ${audiences.join(' or ')}`),
    ...trustDomains.flatMap(({ ids, jwt }) =>
      jwt ? [`JWT-SVIDs of ${ids.join(' or ')}, for ${(jwt.audiences ?? own).join(' or ')}`] : [],
    ),
    ...(config.tls === undefined ? [] : trustDomains).map(
      ({ ids }) => `none, but X.509-SVIDs of ${ids.join(' or ')}`,
    ),
  ]
}

const valueWords = (pieces: CallerVariable['pieces']): string =>
  pieces
    .map((piece) => ('claim' in piece ? `the claim ${piece.claim}` : JSON.stringify(piece.text)))
    .join(' and ')

/** A line for each variable that its processes have of their callers. */
export const callerVariableLines = (pod: JsonObject): readonly string[] => {
  const items = documentOf(ownSidecar(pod))?.settings['caller-environment'] ?? []
  const read = callerVariables(items)
  return (read.ok ? read.value : []).map(
    ({ name, pieces }) =>
      `${name}: ${valueWords(pieces)} of its caller's token, or the caller is refused`,
  )
}

/** A line for each policy that a call has to pass. */
export const policyLines = (pod: JsonObject): readonly string[] => {
  const config = documentOf(ownSidecar(pod))
  if (!config) return []
  const lines = [
    ...(config.basePolicy === undefined
      ? []
      : ['the base policy of the cluster configuration (floor.basePolicy)']),
    ...(config.toolPolicy === undefined ? [] : ['its own (the ConfigMap of tool-policy)']),
  ]
  return lines.length === 0 ? ['none: whoever is let in may call everything'] : lines
}

/** A line for each lock that what the server lists is held to. */
export const lockLines = (pod: JsonObject): readonly string[] => {
  const config = documentOf(ownSidecar(pod))
  if (!config) return []
  const lines = [
    ...(config.baseLock === undefined
      ? []
      : ['the first in floor.toolLocks of the cluster configuration that is about it']),
    ...(config.toolLock === undefined ? [] : ['its own (the ConfigMap of tool-lock)']),
  ]
  return lines.length === 0 ? ['none: what it lists goes on as it is'] : lines
}

/** Whether arguments are held against what the server lists. */
export const validationLines = (pod: JsonObject): readonly string[] => {
  const config = documentOf(ownSidecar(pod))
  return config?.settings['validate-arguments'] === true
    ? ["the tools' own input schemas, as the server lists them (validate-arguments)"]
    : []
}

const forwardWords = (text: string): string => {
  const [local, target] = text.split('=')
  return target === undefined ? text : `${target}, which it finds at its own 127.0.0.1:${local}`
}

/** What keeps it to that, where that is little. */
const weaknesses = (egress: EgressConfig, isEnforced: boolean): readonly string[] =>
  egress.confinement === 'advisory' && isEnforced
    ? ['where the kernel cannot keep it to that, what it likes (floor.allowAdvisoryEgress)']
    : []

/** A line for each destination of the server's, or for all that it reaches. */
export const egressLines = (pod: JsonObject): readonly string[] => {
  const config = documentOf(ownSidecar(pod))
  if (config?.egress === undefined) return []
  const { settings, egress, runDir } = config
  const declared = (settings.egress ?? []).map(forwardWords)
  const isEnforced = settings['egress-mode'] === 'enforce'
  const enforced = declared.length === 0 ? ['nothing'] : declared
  const observed = [
    'what it likes, but for metadata and link-local addresses',
    ...declared.map((text) => `declared: ${text}`),
  ]
  return [
    ...(isEnforced ? enforced : observed),
    ...weaknesses(egress, isEnforced),
    ...(egress.parentProxy === undefined ? [] : [`all by way of ${egress.parentProxy.url}`]),
    ...(runDir === undefined ? ['nothing confines it: its command is not known'] : []),
  ]
}

const OURS: ReadonlySet<string> = new Set(OWN_VOLUMES)

/** A line for each Secret and ConfigMap of the namespace without which the pod does not start. */
export const neededLines = (pod: JsonObject): readonly string[] =>
  objectsAt(pod, 'spec', 'volumes')
    .filter((volume) => OURS.has(stringAt(volume, 'name') ?? ''))
    .filter((volume) => at(volume, 'secret', 'optional') !== true)
    .flatMap((volume) => {
      const [kind, form, member] = volume['secret']
        ? (['Secret', 'secret', 'secretName'] as const)
        : (['ConfigMap', 'configMap', 'name'] as const)
      const name = stringAt(volume, form, member)
      const keys = objectsAt(volume, form, 'items').map((item) => stringAt(item, 'key') ?? '')
      return name === undefined ? [] : [`${kind} ${name}, with ${keys.join(' and ')}`]
    })
