// What a server may name in `egress`: of what the floor lists for its namespace, as much or less. Addresses of the link and of
// the clouds' metadata services need an entry that is about them: no wide range lists them. Pure.

import { BlockList } from 'node:net'
import { PREFIX, type Key } from '../../shared/annotations.ts'
import type { Placed } from './placed.ts'
import { coverage, rangeOf, split, type Range } from './tighten.ts'
import { violation, type Violation } from './violation.ts'

/** Destinations by namespace. */
export type Egress = Readonly<Record<string, readonly string[]>>

const EVERY_NAMESPACE = '*'
// Of many, a message shows a few.
const MAX_TOLD = 5

/** Where nodes, clouds and their credentials answer: link-local, and what clouds have given addresses of their own. */
const NEAR = [
  '169.254.0.0/16',
  'fe80::/10',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '192.0.0.192/32',
  'fd00:ec2::/32',
  'fd20:ce::/32',
  // The same in other spellings: mapped, translated (NAT64), 6to4.
  '::ffff:169.254.0.0/112',
  '64:ff9b::169.254.0.0/112',
  '2002:a9fe::/32',
] as const
const NEAR_NAMES = /^(metadata(\.google\.internal)?|instance-data(\.ec2\.internal)?)$/

/** Whether a range holds another. */
const holderOf = (outer: Range): ((inner: Range) => boolean) => {
  const list = new BlockList()
  list.addSubnet(outer.address, outer.prefix)
  return ({ family, prefix, address }) =>
    family === outer.family && prefix >= outer.prefix && list.check(address)
}

const NEAR_RANGES = NEAR.flatMap((text) => rangeOf(text) ?? [])
const NEAR_HOLDERS = NEAR_RANGES.map(holderOf)

/** Whether all that a host stands for is near. */
const isAllNear = (host: string): boolean => {
  const own = rangeOf(host)
  return own ? NEAR_HOLDERS.some((holds) => holds(own)) : NEAR_NAMES.test(host)
}

/** Whether anything of it is: of two ranges one holds the other, or they are apart. */
const isNear = (host: string): boolean => {
  const own = rangeOf(host)
  return isAllNear(host) || (own !== undefined && NEAR_RANGES.some(holderOf(own)))
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
  if (!said || said.isDefault) return []
  const listed = destinationsFor(namespace, egress)
  const isCovered = coverage(listed)
  const isNamed = coverage(listed.filter((item) => isAllNear(split(item)[0])))
  const items = said.text.split(',').map((item) => item.trim())
  const strangers = items.filter((item) => !isCovered(item))
  const near = items.filter((item) => isCovered(item) && isNear(split(item)[0]) && !isNamed(item))
  const list = listed.length === 0 ? 'it lists none' : `it lists ${quoted(listed)}`
  return [
    ...(strangers.length === 0
      ? []
      : [
          sentence(
            said.where,
            strangers,
            `not listed in the cluster configuration for namespace ${namespace}; ${list}. Choose of these, or ask the platform team for floor.egress`,
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
