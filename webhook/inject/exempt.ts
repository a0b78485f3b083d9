// The containers of a mesh that the floor exempts. Anybody can take a name and an image, so one is believed only
// by the digest of its image, and only where that does what it does by itself. Pure.

import { stringAt, type JsonObject } from '../../shared/json.ts'
import { parseReference, type Reference } from '../images/reference.ts'
import type { Exemption } from '../settings/exemption.ts'
import type { Floor } from '../settings/floor.ts'
import { whyForeign } from './own-program.ts'
import { nameOf } from './pod.ts'

const referenceOf = (image: string | undefined): Reference | undefined => {
  const reference = parseReference(image ?? '')
  return reference.ok ? reference.value : undefined
}

const imageOf = (container: JsonObject): Reference | undefined =>
  referenceOf(stringAt(container, 'image'))

const digestOf = ({ tags = {} }: Exemption, tag = ''): string | undefined =>
  Object.hasOwn(tags, tag) ? tags[tag] : undefined

const OTHER_IMAGE = 'its image is another'

const isOf = (entry: Exemption, { host, repository }: Reference): boolean => {
  const listed = referenceOf(entry.image)
  return listed?.host === host && listed.repository === repository
}

const whyOtherImage = (entry: Exemption, image: Reference | undefined): string | undefined => {
  if (!image || !isOf(entry, image)) return OTHER_IMAGE
  const { digest, tag } = image
  if (digest === undefined)
    return digestOf(entry, tag) === undefined
      ? "its image's tag is not among its entry's tags"
      : undefined
  const digests = [...(entry.digests ?? []), ...Object.values(entry.tags ?? {})]
  return digests.includes(digest) ? undefined : "its image's digest is not among its entry's"
}

const whyNotBy = (entry: Exemption, container: JsonObject): string | undefined =>
  whyOtherImage(entry, imageOf(container)) ?? whyForeign(container, entry)

const entriesFor = (container: JsonObject, floor: Floor): readonly Exemption[] => {
  const name = nameOf(container)
  return floor.exemptContainers.filter((entry) => entry.name === name)
}

const exemptionOf = (container: JsonObject, floor: Floor): Exemption | undefined =>
  entriesFor(container, floor).find((entry) => whyNotBy(entry, container) === undefined)

/** Whether a container is one of a mesh that the floor exempts: by its name, its image's digest, and what it runs. */
export const isExempt = (container: JsonObject, floor: Floor): boolean =>
  exemptionOf(container, floor) !== undefined

/** Why a container that has the name of an exempt one is judged as every other; undefined where none has its name. */
export const whyNotExempt = (container: JsonObject, floor: Floor): string | undefined => {
  const found = entriesFor(container, floor).map((entry) => whyNotBy(entry, container))
  if (found.includes(undefined)) return undefined
  // Several entries may have the name: that of its image says more.
  return found.find((reason) => reason !== OTHER_IMAGE) ?? found[0]
}

/** The image of an exempt container with the digest that the floor has for its tag; undefined where it has one itself. */
export const pinnedByFloor = (container: JsonObject, floor: Floor): string | undefined => {
  const entry = exemptionOf(container, floor)
  const image = imageOf(container)
  if (!entry || !image || image.digest !== undefined) return undefined
  return `${stringAt(container, 'image') ?? ''}@${digestOf(entry, image.tag) ?? ''}`
}

/** The floor over a pod as it is stored: a tag that still stands there is pinned by nobody any more. */
export const withoutTags = (floor: Floor): Floor => ({
  ...floor,
  exemptContainers: floor.exemptContainers.map(({ tags, ...entry }) => ({
    ...entry,
    digests: [...(entry.digests ?? []), ...Object.values(tags ?? {})],
  })),
})
