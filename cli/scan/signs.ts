// By what a pod is taken for an MCP server: what its author calls things, and what those who run such servers leave on
// them. A sign is a guess from public habits, never proof. Pure.

import { isObject, objectAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { HOOKS, members, PROBES, type Member } from '../../webhook/inject/pod.ts'
import { stringsOf } from '../../webhook/cluster/namespace.ts'
import { parseReference } from '../../webhook/images/reference.ts'
import { startWords } from '../survey/workloads.ts'

/** Of many, a report shows a few. */
const MAX_SIGNS = 4
const MAX_WORDS = 256
const MAX_CHARS = 160

/** `mcp` as a word of its own, or what programs around it are called. */
const WORD = /(?:^|[^a-z0-9])(?:fast)?mcp(?:[^a-z0-9]|$)|modelcontextprotocol|supergateway/i
/** A path at which such servers listen. */
const ENDPOINT = /^\/(?:mcp|sse)\/?(?:$|[?#])/
/** What servers are told by; a client's `MCP_SERVER_URL` is none. */
const VARIABLE = /^(?:FASTMCP_[A-Z_]+|MCP_(?:TRANSPORT|TRANSPORT_TYPE|PORT|HOST|MODE|HTTP_PORT))$/

/** What operators and gateways mark with: a label or annotation (with its value, where any other means nothing), and whose it is. */
const MARKS: readonly { readonly name: string; readonly value?: string; readonly of: string }[] = [
  { name: 'toolhive', value: 'true', of: 'ToolHive' },
  { name: 'toolhive-name', of: 'ToolHive' },
  { name: 'mcp.x-k8s.io/mcp-server', of: 'mcp-lifecycle-operator' },
  { name: 'mcp.x-k8s.io/managed-extra-annotations', of: 'mcp-lifecycle-operator' },
  {
    name: 'app.kubernetes.io/managed-by',
    value: 'mcp-lifecycle-operator',
    of: 'mcp-lifecycle-operator',
  },
  { name: 'app.kubernetes.io/managed-by', value: 'kmcp', of: 'kmcp' },
]
/** A Service's protocol, as gateways for MCP ask for it. */
export const MCP_PROTOCOL = /^[a-z0-9.-]+\/mcp(?:-sse)?$/

const cut = (text: string): string =>
  text.length <= MAX_CHARS ? text : `${text.slice(0, MAX_CHARS)}…`

/** The image without registry, tag and digest: a registry's own name says nothing of what it serves. */
const repositoryOf = (image: string): string => {
  const reference = parseReference(image)
  return reference.ok ? reference.value.repository : image
}

const pathsOf = (container: JsonObject): readonly string[] =>
  [...PROBES, ...HOOKS].map((place) => stringAt(container, ...place, 'httpGet', 'path') ?? '')

const ofContainer = ({ name, container }: Member): readonly string[] => {
  const image = stringAt(container, 'image') ?? ''
  const ports = objectsAt(container, 'ports').map((port) => stringAt(port, 'name') ?? '')
  const variables = objectsAt(container, 'env').map((one) => stringAt(one, 'name') ?? '')
  const about = (word: string | undefined, sign: string): readonly string[] =>
    word === undefined ? [] : [`${sign} ${cut(word)} (container ${name})`]
  return [
    ...about(WORD.test(repositoryOf(image)) ? image : undefined, 'image'),
    ...about(
      startWords(container)
        .slice(0, MAX_WORDS)
        .find((word) => WORD.test(word)),
      'command line with',
    ),
    ...about(
      ports.find((port) => WORD.test(port)),
      'port',
    ),
    ...about(
      pathsOf(container).find((path) => ENDPOINT.test(path)),
      'probe at',
    ),
    ...about(
      variables.find((variable) => VARIABLE.test(variable)),
      'variable',
    ),
  ]
}

const marksOn = (object: JsonObject): readonly string[] => {
  const metadata = objectAt(object, 'metadata')
  const marks = { ...stringsOf(metadata['annotations']), ...stringsOf(metadata['labels']) }
  return MARKS.flatMap(({ name, value, of }) =>
    Object.hasOwn(marks, name) && (value === undefined || marks[name] === value)
      ? [`${name} of ${of}`]
      : [],
  )
}

/** Whose kind says so: `MCPServer github`. */
const ownersOf = (object: JsonObject): readonly string[] =>
  objectsAt(object, 'metadata', 'ownerReferences')
    .filter((owner) => /^V?MCP[A-Z]/i.test(stringAt(owner, 'kind') ?? ''))
    .map((owner) => `made by ${stringAt(owner, 'kind') ?? ''} ${stringAt(owner, 'name') ?? ''}`)

/** Why this pod, or pod template of `owner`, looks like an MCP server; empty where it does not. */
export const signsOf = (pod: JsonObject, owner: JsonObject | undefined): readonly string[] => {
  const around = isObject(owner) ? [owner, pod] : [pod]
  const name = around
    .map((object) => stringAt(object, 'metadata', 'name') ?? '')
    .find((text) => WORD.test(text))
  const signs = [
    ...around.flatMap(ownersOf),
    ...around.flatMap(marksOn),
    ...members(pod).flatMap(ofContainer),
    ...(name === undefined ? [] : [`name ${cut(name)}`]),
  ]
  return [...new Set(signs)].slice(0, MAX_SIGNS)
}
