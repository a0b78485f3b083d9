// What a server may name in `egress`: of what the floor lists for its namespace, as much or less. Addresses of the link and of
// the clouds' metadata services need an entry that is about them: no wide range lists them. Pure.

import { PREFIX, type Key } from '../../shared/annotations.ts'
import { holdsNear, isNearRange } from '../../shared/address.ts'
import { destinationOf, NO_EGRESS, type Destination } from '../../shared/destination.ts'
import { isMetadataName } from '../../shared/host-name.ts'
import { coverage } from './cover.ts'
import type { Placed } from './placed.ts'
import { violation, type Violation } from './violation.ts'

/** Destinations by namespace. */
export type Egress = Readonly<Record<string, readonly string[]>>

const EVERY_NAMESPACE = '*'
// Of many, a message shows a few.
const MAX_TOLD = 5

/** Whether all that is meant is near. */
const isAllNear = ({ hosts }: Destination): boolean =>
  hosts.kind === 'range'
    ? isNearRange(hosts.range)
    : hosts.kind === 'name' && isMetadataName(hosts.name)

/** Whether anything of it is. */
const isNear = (destination: Destination): boolean => {
  const { hosts } = destination
  return isAllNear(destination) || (hosts.kind === 'range' && holdsNear(hosts.range))
}

const holdsBy =
  (test: (destination: Destination) => boolean) =>
  (text: string): boolean => {
    const destination = destinationOf(text)
    return destination !== undefined && test(destination)
  }

const quoted = (texts: readonly string[]): string => {
  const more = texts.length - MAX_TOLD
  const told = texts.slice(0, MAX_TOLD).map((text) => `\`${text.slice(0, 120)}\``)
  return more > 0 ? `${told.join(', ')} and ${more} more` : told.join(', ')
}

const sentence = (where: string, items: readonly string[], why: string): Violation => {
  const verb = items.length === 1 ? 'is' : 'are'
  return violation(
    'not-listed',
    `${where}: ${PREFIX}egress: ${quoted(items)} ${verb} ${why}`,
    'egress',
  )
}

/** As the floor lists it: a forward by what it leads to. */
const plain = (item: string): string => item.slice(0, 120).replace(/^\d+=/, '')

/** The member of the cluster configuration that lists them. */
const entryOf = (namespace: string, items: readonly string[]): string => {
  const plains = [...new Set(items.map(plain))]
  const told = plains.slice(0, MAX_TOLD).map((item) => JSON.stringify(item))
  const more = plains.length > MAX_TOLD ? ', …' : ''
  return `floor: { egress: { ${namespace}: [${told.join(', ')}${more}] } }`
}

/** What the floor lists for a namespace. */
export const destinationsFor = (namespace: string, egress: Egress): readonly string[] =>
  [namespace, EVERY_NAMESPACE].flatMap((name) =>
    Object.hasOwn(egress, name) ? (egress[name] ?? []) : [],
  )

/** Destinations that the floor does not list for a namespace. */
export const egressViolations = (
  placed: ReadonlyMap<Key, Placed>,
  namespace: string,
  egress: Egress,
): readonly Violation[] => {
  const said = placed.get('egress')
  if (!said || said.isDefault || said.text === NO_EGRESS) return []
  const listed = destinationsFor(namespace, egress)
  const isCovered = coverage(listed, namespace)
  const isNamed = coverage(listed.filter(holdsBy(isAllNear)), namespace)
  const items = said.text.split(',').map((item) => item.trim())
  const strangers = items.filter((item) => !isCovered(item))
  const near = items.filter((item) => isCovered(item) && holdsBy(isNear)(item) && !isNamed(item))
  const list =
    listed.length === 0
      ? `it lists none: ask the platform team to declare there what this namespace may reach, \`${entryOf(namespace, strangers)}\``
      : `it lists ${quoted(listed)}. Choose of these, or ask the platform team for floor.egress`
  return [
    ...(strangers.length === 0
      ? []
      : [
          sentence(
            said.where,
            strangers,
            `not listed in the cluster configuration for namespace ${namespace}; ${list}`,
          ),
        ]),
    ...(near.length === 0
      ? []
      : [
          sentence(
            said.where,
            near,
            'link-local or where a cloud gives out credentials, which no wider entry lists; leave that out, or ask the platform team for an entry of floor.egress that is about nothing else',
          ),
        ]),
  ]
}
