// By what a pod's author tells Istio's proxy which program to start, with which configuration and by whose word: the agent
// in it takes all of that from its variable, from a file and from the pod's annotation, whoever has written them. Pure.

import { isObject, type JsonObject } from '../../shared/json.ts'
import { isIstiod, type IsWritten } from './mesh-variables.ts'

export const PROXY_CONFIG = 'PROXY_CONFIG'

/** Far beyond what anybody tells a proxy. */
const MAX_LENGTH = 16_384

/**
 * Of YAML and JSON: what makes a letter of something else (`\u0062`, a continued line), or text of a tag; what the kubelet
 * expands; and what one reader takes for the end of a line and another does not.
 */
const HIDES = /\\[xuU\r\n]|(?:^|[\s,{[:?-])!|\$\(|[^\t\n\r -~]/

/** Members of Istio's ProxyConfig that lead to no program, listener or control plane. */
const MEMBERS: ReadonlySet<string> = new Set([
  'concurrency',
  'drainDuration',
  'envoyAccessLogService',
  'envoyMetricsService',
  'extraStatTags',
  'fileFlushInterval',
  'fileFlushMinSizeKb',
  'holdApplicationUntilProxyStarts',
  'image',
  'interceptionMode',
  'meshId',
  'proxyHeaders',
  'proxyStatsMatcher',
  'serviceCluster',
  'statNameLength',
  'statsdUdpAddress',
  'terminationDrainDuration',
  'tracing',
  'tracingServiceName',
  'zipkinAddress',
])

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined

const bending = (config: JsonObject, isWritten: IsWritten): string | undefined =>
  Object.entries(config).find(([member, value]) => {
    if (member === 'discoveryAddress') return !isIstiod(textOf(value))
    if (member === 'proxyMetadata')
      return (
        !isObject(value) ||
        Object.entries(value).some(([name, word]) => !isWritten(name, textOf(word)))
      )
    return !MEMBERS.has(member)
  })?.[0]

interface Reading {
  /** The value of a text; what is no object cannot be read. */
  readonly read: (text: string) => unknown
  /** What of `proxyMetadata` is let pass: it becomes the proxy's variables. */
  readonly isWritten: IsWritten
}

/** What of a text bends the proxy, in words; one that is not there cannot be read. */
export const whyBends = (
  text: string | undefined,
  { read, isWritten }: Reading,
): string | undefined => {
  if (text?.trim() === '') return undefined
  if (text === undefined || text.length > MAX_LENGTH) return 'cannot be read'
  if (HIDES.test(text.replaceAll('\\\\', ''))) return 'may hide a member'
  const config = read(text)
  if (!isObject(config)) return 'cannot be read'
  const member = bending(config, isWritten)
  return member && `has ${member.slice(0, 64)}, which is the platform team's to set`
}
