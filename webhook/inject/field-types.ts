// The type of every field of a pod that injection reads, as the API server would have it: a number in
// quotes, or a word where a number belongs, would be read as nothing at all. Pure.

import { isKey, PREFIX } from '../../shared/annotations.ts'
import { atPath, isList, isObject, type Json, type JsonObject } from '../../shared/json.ts'
import { parseValue, wants } from '../../shared/settings.ts'

interface Type {
  readonly is: (value: Json) => boolean
  readonly wants: string
}

const isWhole = (value: Json, least: number, most: number): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most

const MAX_ID = 2_147_483_647
const isText = (value: Json): boolean => typeof value === 'string'
const isId = (value: Json): boolean => isWhole(value, 0, MAX_ID)
const isPort = (value: Json): boolean => isWhole(value, 1, 65_535)
const isAmount = (value: Json): boolean => typeof value === 'string' || typeof value === 'number'

const TEXT: Type = { is: isText, wants: 'a string: put it in quotes' }
const TRUTH: Type = {
  is: (value) => typeof value === 'boolean',
  wants: 'true or false, without quotes',
}
const MAPPING: Type = { is: isObject, wants: 'a mapping' }
const ID: Type = { is: isId, wants: `a whole number from 0 to ${MAX_ID}, without quotes` }
const SECONDS: Type = {
  is: (value) => isWhole(value, 0, Infinity),
  wants: 'a whole number, without quotes',
}
const PORT: Type = { is: isPort, wants: 'a port from 1 to 65535, without quotes' }
const HOST_PORT: Type = {
  is: (value) => isWhole(value, 0, 65_535),
  wants: 'a port from 0 to 65535, without quotes',
}
const TARGET: Type = { is: (value) => isText(value) || isPort(value), wants: 'a port or its name' }
const TEXTS: Type = {
  is: (value) => isList(value) && value.every(isText),
  wants: 'a list of strings',
}
const IDS: Type = {
  is: (value) => isList(value) && value.every(isId),
  wants: 'a list of whole numbers',
}
const MAPPINGS: Type = {
  is: (value) => isList(value) && value.every(isObject),
  wants: 'a list of mappings',
}
const HEADERS: Type = {
  is: (value) =>
    isList(value) &&
    value.every(
      (item) => isObject(item) && isText(item['name'] ?? '') && isText(item['value'] ?? ''),
    ),
  wants: 'a list of mappings with a name and a value, both strings',
}
const AMOUNTS: Type = {
  is: (value) =>
    isObject(value) && Object.values(value).every((item) => item === null || isAmount(item)),
  wants: 'a mapping of quantities',
}
const WORDS: Type = {
  is: (value) =>
    isObject(value) && Object.values(value).every((item) => item === null || isText(item)),
  wants: 'a mapping of strings: put each in quotes',
}

type Typed = readonly [path: string, type: Type]

/** A typed field with the members on the way to it. */
interface Field extends Type {
  readonly path: string
  readonly names: readonly string[]
}

/** Fields by the members on the way to them, so that below a member that is absent nothing is looked for. */
interface Tree {
  readonly checks: readonly Type['is'][]
  readonly below: ReadonlyMap<string, Tree>
}

export interface Fields {
  readonly all: readonly Field[]
  readonly tree: Tree
}

const treeOf = (fields: readonly Field[], depth: number): Tree => {
  const deeper = fields.filter(({ names }) => names.length > depth)
  const byName = Map.groupBy(deeper, ({ names }) => names[depth] ?? '')
  return {
    checks: fields.filter(({ names }) => names.length === depth).map(({ is }) => is),
    below: new Map([...byName].map(([name, some]) => [name, treeOf(some, depth + 1)])),
  }
}

const fieldsOf = (...typed: readonly Typed[]): Fields => {
  const all = typed.map(([path, { is, wants }]) => ({ path, names: path.split('.'), is, wants }))
  return { all, tree: treeOf(all, 0) }
}

const SECURITY: readonly Typed[] = [
  ['runAsNonRoot', TRUTH],
  ['runAsUser', ID],
  ['runAsGroup', ID],
  ['seccompProfile', MAPPING],
  ['seccompProfile.type', TEXT],
  ['appArmorProfile', MAPPING],
  ['appArmorProfile.type', TEXT],
  ['seLinuxOptions', WORDS],
  ['windowsOptions', MAPPING],
  ['windowsOptions.hostProcess', TRUTH],
]

const RESOURCES: readonly Typed[] = [
  ['requests', AMOUNTS],
  ['limits', AMOUNTS],
]

const below = (name: string, fields: readonly Typed[]): readonly Typed[] =>
  fields.map(([path, type]) => [`${name}.${path}`, type])

const HANDLER: readonly Typed[] = [
  ...['httpGet', 'tcpSocket'].flatMap((kind): Typed[] => [
    [kind, MAPPING],
    [`${kind}.port`, TARGET],
    [`${kind}.host`, TEXT],
  ]),
  ['httpGet.path', TEXT],
  ['httpGet.scheme', TEXT],
  ['httpGet.httpHeaders', HEADERS],
]

// What probes alone have.
const PROBE: readonly Typed[] = [
  ['grpc', MAPPING],
  ['grpc.port', PORT],
  ['timeoutSeconds', SECONDS],
]

// What may call a port of the container.
const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe']
const CALLERS = [...PROBES, 'lifecycle.postStart', 'lifecycle.preStop']

export const METADATA_FIELDS = fieldsOf(
  ['name', TEXT],
  ['generateName', TEXT],
  ['ownerReferences', MAPPINGS],
)

export const POD_FIELDS = fieldsOf(
  ['hostNetwork', TRUTH],
  ['hostPID', TRUTH],
  ['hostIPC', TRUTH],
  ['shareProcessNamespace', TRUTH],
  ['automountServiceAccountToken', TRUTH],
  ['serviceAccountName', TEXT],
  ['restartPolicy', TEXT],
  ['terminationGracePeriodSeconds', SECONDS],
  ['os', MAPPING],
  ['os.name', TEXT],
  ['nodeSelector', WORDS],
  ...below('resources', RESOURCES),
  ...below('securityContext', SECURITY),
  ['securityContext.fsGroup', ID],
  ['securityContext.supplementalGroups', IDS],
  ['securityContext.sysctls', MAPPINGS],
)

export const CONTAINER_FIELDS = fieldsOf(
  ['image', TEXT],
  ['restartPolicy', TEXT],
  ['command', TEXTS],
  ['args', TEXTS],
  ['stdin', TRUTH],
  ['stdinOnce', TRUTH],
  ['tty', TRUTH],
  ...below('resources', RESOURCES),
  ...below('securityContext', SECURITY),
  ['securityContext.privileged', TRUTH],
  ['securityContext.allowPrivilegeEscalation', TRUTH],
  ['securityContext.readOnlyRootFilesystem', TRUTH],
  ['securityContext.procMount', TEXT],
  ['securityContext.capabilities', MAPPING],
  ['securityContext.capabilities.add', TEXTS],
  ['securityContext.capabilities.drop', TEXTS],
  ...CALLERS.map((path): Typed => [path, MAPPING]),
  ...CALLERS.flatMap((path) => below(path, HANDLER)),
  ...PROBES.flatMap((path) => below(path, PROBE)),
)

/** Of the items of a list, by the list's name. */
export const ITEM_FIELDS: Readonly<Record<string, Fields>> = {
  env: fieldsOf(['name', TEXT], ['value', TEXT]),
  ports: fieldsOf(
    ['name', TEXT],
    ['protocol', TEXT],
    ['containerPort', PORT],
    ['hostPort', HOST_PORT],
  ),
  volumeMounts: fieldsOf(
    ['name', TEXT],
    ['mountPath', TEXT],
    ['subPath', TEXT],
    ['subPathExpr', TEXT],
    ['readOnly', TRUTH],
  ),
  volumeDevices: fieldsOf(['name', TEXT], ['devicePath', TEXT]),
  volumes: fieldsOf(['emptyDir', MAPPING], ['projected', MAPPING], ['projected.sources', MAPPINGS]),
  ownerReferences: fieldsOf(['kind', TEXT], ['name', TEXT], ['controller', TRUTH]),
}

/** A value in a message: what somebody has nested, or written at length, is not written out. */
export const inWords = (value: Json): string => {
  if (Array.isArray(value)) return 'a list'
  if (isObject(value)) return 'a mapping'
  const text = JSON.stringify(value)
  return text.length > 64 ? `${text.slice(0, 63)}…` : text
}

/** Of an annotation of ours what quotes alone do not mend. */
const rightForm = (name: string, value: Json): string => {
  const key = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : ''
  if (!isKey(key)) return ''
  if (isObject(value) || isList(value)) return `; use ${wants(key)}`
  const isRight = parseValue(key, `${value}`).ok
  return isRight ? '' : `; "${value}" is not right either: use ${wants(key)}`
}

/** That a label or an annotation is no string. */
export const noString = (name: string, value: Json): string =>
  `${name}: ${inWords(value)} must be ${TEXT.wants}${rightForm(name, value)}`

const isTypedBy = (value: Json, { checks, below }: Tree): boolean => {
  for (const is of checks) if (!is(value)) return false
  if (below.size === 0 || !isObject(value)) return true
  for (const name of Object.keys(value)) {
    const [tree, member] = [below.get(name), value[name] ?? null]
    if (tree && member !== null && !isTypedBy(member, tree)) return false
  }
  return true
}

/** Whether each field that is there is of its type. */
export const areTyped = (object: JsonObject, { tree }: Fields): boolean => isTypedBy(object, tree)

const isTyped = (object: JsonObject, { names, is }: Field): boolean => {
  const value = atPath(object, names)
  return value === undefined || is(value)
}

/** Of a list of strings the first item that is none is what is wrong, mostly a number. */
const typeFault = ({ path, wants }: Field, value: Json): string => {
  const items = wants === TEXTS.wants && isList(value) ? value : []
  const index = items.findIndex((item) => !isText(item))
  return index === -1
    ? `${path}: ${inWords(value)} must be ${wants}`
    : `${path}[${index}]: ${inWords(items[index] ?? null)} must be ${TEXT.wants}`
}

/** A sentence for each field that is there and of another type; one below such a field is not looked at. */
export const typeFaults = (where: string, object: JsonObject, fields: Fields): readonly string[] =>
  areTyped(object, fields)
    ? []
    : fields.all
        .filter((field) => !isTyped(object, field))
        .map((field) => `${where}.${typeFault(field, atPath(object, field.names) ?? null)}`)
