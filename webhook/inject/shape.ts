// Whether raw JSON has a pod's shape as far as injection reads it. The API server has checked its
// own pods; the CLI reads what people wrote. Pure.

import { at, arrayAt, isObject, stringAt, type Json, type JsonObject } from '../../shared/json.ts'
import { violation, type Violation } from '../settings/violation.ts'

const METADATA_MAPPINGS = [
  ['metadata', 'labels'],
  ['metadata', 'annotations'],
] as const
const SPEC_MAPPINGS = [
  ['spec'],
  ['spec', 'securityContext'],
  ['spec', 'nodeSelector'],
  ['spec', 'resources'],
] as const
const LISTS = ['containers', 'initContainers', 'volumes', 'imagePullSecrets'] as const
const MEMBER_LISTS = ['env', 'ports', 'volumeMounts', 'volumeDevices'] as const
const MEMBER_MAPPINGS = ['securityContext', 'resources', 'lifecycle'] as const
const MEMBER_STRINGS = ['command', 'args'] as const

const wrong = (where: string, wants: string): Violation =>
  violation('malformed', `${where} is not ${wants}`)

const isMapping = (value: Json | undefined): boolean => value === undefined || isObject(value)

const listFaults = (where: string, value: Json | undefined): readonly Violation[] => {
  if (value === undefined) return []
  if (!Array.isArray(value)) return [wrong(where, 'a list')]
  const items: readonly Json[] = value
  const faults = items.flatMap((item, index) =>
    isObject(item) ? [] : [wrong(`${where}[${index}]`, 'a mapping')],
  )
  return faults
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

/** A value in a message: what somebody has nested is not written out. */
const inWords = (value: Json): string => {
  if (Array.isArray(value)) return 'a list'
  return isObject(value) ? 'a mapping' : JSON.stringify(value)
}

const stringMapFaults = (where: string, value: Json | undefined): readonly Violation[] =>
  Object.entries(isObject(value) ? value : {})
    .filter(([, text]) => typeof text !== 'string')
    .map(([name, text]) =>
      violation(
        'malformed',
        `${where}: ${name}: ${inWords(text)} must be a string: put it in quotes`,
      ),
    )

const memberFaults = (where: string, member: JsonObject): readonly Violation[] => [
  ...MEMBER_LISTS.flatMap((name) => listFaults(`${where}.${name}`, at(member, name))),
  ...MEMBER_MAPPINGS.filter((name) => !isMapping(at(member, name))).map((name) =>
    wrong(`${where}.${name}`, 'a mapping'),
  ),
  ...MEMBER_STRINGS.filter((name) => {
    const value = at(member, name)
    const isStrings = Array.isArray(value) && value.every((word: Json) => typeof word === 'string')
    return value !== undefined && !isStrings
  }).map((name) => wrong(`${where}.${name}`, 'a list of strings')),
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
  ...LISTS.flatMap((name) => listFaults(`spec.${name}`, at(pod, 'spec', name))),
  ...LISTS.flatMap((name) => nameFaults(`spec.${name}`, at(pod, 'spec', name))),
  ...(['initContainers', 'containers'] as const).flatMap((list) =>
    (arrayAt(pod, 'spec', list) ?? [])
      .filter(isObject)
      .flatMap((member, index) => memberFaults(`spec.${list}[${index}]`, member)),
  ),
]
