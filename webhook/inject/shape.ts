// Whether raw JSON has a pod's shape as far as injection reads it. The API server has checked its
// own pods; the CLI reads what people wrote. Pure.

import {
  arrayAt,
  at,
  isList,
  isObject,
  objectAt,
  stringAt,
  type Json,
  type JsonObject,
} from '../../shared/json.ts'
import { violation, type Violation } from '../settings/violation.ts'
import {
  areTyped,
  CONTAINER_FIELDS,
  noString,
  ITEM_FIELDS,
  METADATA_FIELDS,
  POD_FIELDS,
  typeFaults,
  type Fields,
} from './field-types.ts'

const METADATA_MAPPINGS = [
  ['metadata', 'labels'],
  ['metadata', 'annotations'],
] as const
const SPEC_MAPPINGS = [['spec'], ['spec', 'securityContext'], ['spec', 'resources']] as const
const LISTS = ['containers', 'initContainers', 'volumes', 'imagePullSecrets'] as const
const MEMBER_LISTS = ['env', 'ports', 'volumeMounts', 'volumeDevices'] as const
const MEMBER_MAPPINGS = ['securityContext', 'resources', 'lifecycle'] as const

const wrong = (where: string, wants: string): Violation =>
  violation('malformed', `${where} is not ${wants}`)

const isMapping = (value: Json | undefined): boolean => value === undefined || isObject(value)

const listFaults = (where: string, value: Json | undefined): readonly Violation[] => {
  if (value === undefined) return []
  if (!Array.isArray(value)) return [wrong(where, 'a list')]
  const items: readonly Json[] = value
  if (items.every(isObject)) return []
  return items.flatMap((item, index) =>
    isObject(item) ? [] : [wrong(`${where}[${index}]`, 'a mapping')],
  )
}

const nameFaults = (where: string, value: Json | undefined): readonly Violation[] => {
  const names = (arrayAt({ value: value ?? [] }, 'value') ?? []).map((item) =>
    stringAt(item, 'name'),
  )
  const seen = new Set<string | undefined>()
  const twice = names.find((name) => seen.size === seen.add(name).size && name !== undefined)
  return [
    ...(names.includes(undefined) ? [violation('malformed', `${where}: an item has no name`)] : []),
    ...(twice === undefined
      ? []
      : [violation('malformed', `${where}: the name ${twice} stands twice`)]),
  ]
}

const stringMapFaults = (where: string, value: Json | undefined): readonly Violation[] =>
  Object.entries(isObject(value) ? value : {})
    .filter(([, text]) => typeof text !== 'string')
    .map(([name, text]) => violation('malformed', `${where}: ${noString(name, text)}`))

const fieldFaults = (where: string, object: JsonObject, fields: Fields): readonly Violation[] =>
  typeFaults(where, object, fields).map((message) => violation('malformed', message))

/** Of the items of a list that are mappings; of one that is as it should be no name is made up. */
const itemFaults = (where: string, name: string, list: Json | undefined): readonly Violation[] => {
  const fields = ITEM_FIELDS[name]
  if (!fields || !isList(list)) return []
  return list.flatMap((item, index) =>
    isObject(item) && !areTyped(item, fields)
      ? fieldFaults(`${where}.${name}[${index}]`, item, fields)
      : [],
  )
}

const memberFaults = (where: string, member: JsonObject): readonly Violation[] => [
  ...MEMBER_LISTS.flatMap((name) => listFaults(`${where}.${name}`, at(member, name))),
  ...MEMBER_LISTS.flatMap((name) => itemFaults(where, name, at(member, name))),
  ...MEMBER_MAPPINGS.filter((name) => !isMapping(at(member, name))).map((name) =>
    wrong(`${where}.${name}`, 'a mapping'),
  ),
  ...fieldFaults(where, member, CONTAINER_FIELDS),
]

const mappingFaults = (
  pod: JsonObject,
  paths: readonly (readonly string[])[],
): readonly Violation[] =>
  paths
    .filter((path) => !isMapping(at(pod, ...path)))
    .map((path) => wrong(path.join('.'), 'a mapping'))

/** What keeps anybody from telling whether the pod asks for injection. */
export const metadataFaults = (pod: JsonObject): readonly Violation[] => [
  ...mappingFaults(pod, METADATA_MAPPINGS),
  ...stringMapFaults('metadata.labels', at(pod, 'metadata', 'labels')),
  ...stringMapFaults('metadata.annotations', at(pod, 'metadata', 'annotations')),
]

/** What is wrong with the rest of a pod that asks for it; empty where injection can read it. */
export const specFaults = (pod: JsonObject): readonly Violation[] => [
  ...mappingFaults(pod, SPEC_MAPPINGS),
  ...fieldFaults('metadata', objectAt(pod, 'metadata'), METADATA_FIELDS),
  ...itemFaults('metadata', 'ownerReferences', at(pod, 'metadata', 'ownerReferences')),
  ...fieldFaults('spec', objectAt(pod, 'spec'), POD_FIELDS),
  ...itemFaults('spec', 'volumes', at(pod, 'spec', 'volumes')),
  ...LISTS.flatMap((name) => listFaults(`spec.${name}`, at(pod, 'spec', name))),
  ...LISTS.flatMap((name) => nameFaults(`spec.${name}`, at(pod, 'spec', name))),
  ...(['initContainers', 'containers'] as const).flatMap((list) =>
    (arrayAt(pod, 'spec', list) ?? [])
      .filter(isObject)
      .flatMap((member, index) => memberFaults(`spec.${list}[${index}]`, member)),
  ),
]
