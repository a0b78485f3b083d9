// What looks like something that Outrigger knows and is not: a prefix, a kind, a member of a workload that is misspelt.
// kubectl and the API server take the first in silence, and tell the others only at the cluster. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { objectAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { nearest } from '../../shared/nearest.ts'
import { kindOfObject, WORKLOAD_KINDS } from '../../webhook/workload/kinds.ts'
import { templatesIn } from './templates.ts'

/** Nobody mistypes more; each costs a comparison with every word. */
const MAX_TOLD = 5
const MAX_NAMES = 256

const DOMAIN = PREFIX.slice(0, -1)
const KINDS: readonly string[] = ['Pod', 'List', ...WORKLOAD_KINDS]
/** Objects of Kubernetes that are near to these and right: what they are is no mistake. */
const RIGHT: ReadonlySet<string> = new Set(['PodList', 'Role', 'Node', 'Lease'])
const TOP = ['apiVersion', 'kind', 'metadata', 'spec', 'status', 'data', 'template']
const POD = ['containers', 'initContainers', 'volumes', 'securityContext', 'restartPolicy']
const METADATA = ['name', 'namespace', 'labels', 'annotations', 'generateName']

const meant = (word: string, words: readonly string[]): string | undefined => {
  const found = words.includes(word) ? undefined : nearest(word, words)
  return found === word ? undefined : found
}

/** Somebody else's domain may be near, too: two letters more or less are a slip, three a name. */
const isNearDomain = (domain: string): boolean =>
  Math.abs(domain.length - DOMAIN.length) <= 2 && meant(domain, [DOMAIN]) !== undefined

const prefixes = (object: JsonObject): readonly string[] =>
  ['annotations', 'labels'].flatMap((field) =>
    Object.keys(objectAt(object, 'metadata', field))
      .slice(0, MAX_NAMES)
      .flatMap((name) => {
        const [domain = '', ...rest] = name.split('/')
        return rest.length > 0 && isNearDomain(domain)
          ? [`${name} is nothing of Outrigger's; did you mean ${PREFIX}${rest.join('/')}?`]
          : []
      }),
  )

const kinds = (object: JsonObject): readonly string[] => {
  const kind = stringAt(object, 'kind') ?? ''
  if (RIGHT.has(kind)) return []
  // Lower case counts as misspelt, too: Kubernetes knows no kind pod.
  const found = KINDS.find((one) => one.toLowerCase() === kind.toLowerCase() && one !== kind)
  const match = found ?? KINDS.find((one) => one === meant(kind, [one]))
  return match === undefined ? [] : [`there is no kind ${kind}; did you mean ${match}?`]
}

const fields = (object: JsonObject, known: readonly string[], where: string): readonly string[] =>
  Object.keys(object)
    .slice(0, MAX_NAMES)
    .flatMap((name) => {
      const match = meant(name, known)
      return match === undefined || Object.hasOwn(object, match)
        ? []
        : [`${where}${name}: there is no such member; did you mean ${match}?`]
    })

const workloads = (object: JsonObject): readonly string[] => {
  const isWorkload = kindOfObject(object) !== undefined || stringAt(object, 'kind') === 'Pod'
  if (!isWorkload) return []
  const templates = templatesIn(object)
  return [
    ...fields(object, TOP, ''),
    ...fields(objectAt(object, 'spec'), ['template', 'selector', ...POD], 'spec.'),
    ...templates.flatMap(({ pod }) => fields(objectAt(pod, 'metadata'), METADATA, 'metadata.')),
    ...templates.flatMap(({ pod }) => fields(objectAt(pod, 'spec'), POD, 'spec.')),
  ]
}

const ofOne = (object: JsonObject): readonly string[] => [
  ...kinds(object),
  ...prefixes(object),
  ...templatesIn(object).flatMap(({ pod }) => (pod === object ? [] : prefixes(pod))),
  ...workloads(object),
]

/** The first few of a document, and of what its List holds. */
export const nearMisses = (object: JsonObject): readonly string[] => {
  const items = objectsAt(object, 'items')
  return [...new Set([object, ...items].flatMap(ofOne))].slice(0, MAX_TOLD)
}
