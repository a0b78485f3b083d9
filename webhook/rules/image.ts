// Images by digest: their own, or the one that the image index records for their tag and injection writes. Pure.

import { stringAt } from '../../shared/json.ts'
import { parseReference } from '../images/reference.ts'
import { knownImage } from '../inject/image.ts'
import { quoted } from './finding.ts'
import { ofEach, type Check } from './judged.ts'

export const imageDigest: Check = ofEach((container, { pod, images }) => {
  const image = stringAt(container, 'image') ?? ''
  const reference = parseReference(image)
  if (!reference.ok) return `image: ${quoted(image)} is no reference to an image`
  const isPinned = reference.value.digest !== undefined || knownImage(container, pod, images)
  return isPinned ? undefined : `image: ${quoted(image)} is a tag`
})
