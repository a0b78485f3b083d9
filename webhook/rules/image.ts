// Images by digest: their own, or the one that the image index records for their tag and injection writes. Pure.

import { stringAt } from '../../shared/json.ts'
import { parseReference } from '../images/reference.ts'
import { knownImage } from '../inject/image.ts'
import { quoted, type Finding } from './finding.ts'
import type { Check } from './judged.ts'

export const imageDigest: Check = ({ pod, containers, images }) =>
  containers.flatMap(({ where, container }): readonly Finding[] => {
    const image = stringAt(container, 'image') ?? ''
    // Another tag is another image that nobody has pinned.
    const about = { where, part: image }
    const reference = parseReference(image)
    if (!reference.ok)
      return [{ ...about, found: `image: ${quoted(image)} is no reference to an image` }]
    const isPinned = reference.value.digest !== undefined || knownImage(container, pod, images)
    return isPinned ? [] : [{ ...about, found: `image: ${quoted(image)} is a tag` }]
  })
