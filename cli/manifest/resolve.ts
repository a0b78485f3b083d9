// `inject --resolve-images`: asks the registries for the images of pods that opt in and that the
// index does not know. A registry that does not answer is a warning: what is known stays known.

import { mergeIndexes, type ImageIndex } from '../../shared/image-index.ts'
import { members } from '../../webhook/inject/pod.ts'
import { isJudged } from '../../webhook/inject/security.ts'
import type { Reader } from '../../webhook/images/reader.ts'
import { parseReference, recordedOf, type Reference } from '../../webhook/images/reference.ts'
import { stringAt } from '../../shared/json.ts'
import { decide } from './inject.ts'
import type { ManifestOptions } from './manifest.ts'
import { placesIn } from './read-manifest.ts'
import { lend } from './workload.ts'

/** Images of one manifest; more are a mistake, or somebody's wish to have us ask. */
const MAX_IMAGES = 256

const imagesIn = (text: string, options: ManifestOptions): readonly string[] => {
  const places = placesIn(text, options)
  if (!places.ok) return []
  const found = places.value
    .filter((place) => decide(place, options).kind !== 'skip')
    .flatMap(({ template }) => members(lend(template).pod))
    .filter(({ container }) => isJudged(container, options.config.floor))
    .map(({ container }) => stringAt(container, 'image') ?? '')
  return [...new Set(found)].filter((image) => image !== '')
}

export interface Resolved {
  readonly images: ImageIndex
  /** Lines for stderr. */
  readonly notes: readonly string[]
}

/** Whether a tag that is known has another digest by now. */
const moved = async (
  image: string,
  reference: Reference,
  recorded: string,
  reader: Reader,
): Promise<readonly string[]> => {
  const now = await reader.digestOf(reference)
  if (!now.ok) return [`${image}: warning: whether the tag has moved is unknown: ${now.error}`]
  return now.value === undefined || now.value === recorded
    ? []
    : [
        `${image}: warning: the tag has moved to ${now.value}; the recorded ${recorded} is kept, and \`outrigger images add ${image}\` records the new one`,
      ]
}

const resolveOne = async (image: string, index: ImageIndex, reader: Reader): Promise<Resolved> => {
  const reference = parseReference(image)
  if (!reference.ok) return { images: index, notes: [`warning: ${reference.error}`] }
  const { digest, platforms } = recordedOf(reference.value, index)
  if (digest !== undefined && platforms) {
    const isTag = reference.value.digest === undefined
    const notes = isTag ? await moved(image, reference.value, digest, reader) : []
    return { images: index, notes }
  }
  const read = await reader.read(reference.value, [])
  return read.ok
    ? { images: mergeIndexes(index, read.value), notes: [] }
    : { images: index, notes: [`${image}: warning: it cannot be read: ${read.error}`] }
}

/** The index with what the registries say of a manifest's images. */
export const resolveImages = async (
  text: string,
  options: ManifestOptions,
  reader: Reader,
): Promise<Resolved> => {
  const wanted = imagesIn(text, options)
  let { images } = options.config
  const notes = wanted.length > MAX_IMAGES ? [`warning: only ${MAX_IMAGES} images are read`] : []
  for (const image of wanted.slice(0, MAX_IMAGES)) {
    const resolved = await resolveOne(image, images, reader)
    images = resolved.images
    notes.push(...resolved.notes)
  }
  return { images, notes }
}
