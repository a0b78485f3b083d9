// Which namespace a review is of, from the first of its bytes: known before it is whole, and before anything is parsed.
// Nothing is decided by it but whose turn it is; the review itself says again. Pure.

import { endOfString, isClosing, isOpening, isQuote } from '../../shared/json-extent.ts'

/** As the API server writes it, before the object: a member of the request. */
const MEMBER = Buffer.from('"namespace":"')
const REQUEST_LEVEL = 2
/** What stands before it are names and kinds. */
const MAX_READ = 16_384
/** Of a name of Kubernetes'. */
const MAX_NAME = 63

const nameAt = (bytes: Uint8Array, start: number): string => {
  const end = endOfString(bytes, start)
  const name = Buffer.from(bytes.subarray(start + 1, Math.min(end, start + 1 + MAX_NAME)))
  return end < bytes.length ? name.toString('latin1') : ''
}

const isMember = (bytes: Uint8Array, start: number): boolean =>
  MEMBER.every((byte, index) => bytes[start + index] === byte)

/** The namespace's name; empty where it is not told, or none has been sent so far. */
export const toldNamespace = (bytes: Uint8Array): string => {
  let level = 0
  for (let index = 0; index < Math.min(bytes.length, MAX_READ); index += 1) {
    const byte = bytes[index]
    if (isQuote(byte)) {
      if (level === REQUEST_LEVEL && isMember(bytes, index)) {
        return nameAt(bytes, index + MEMBER.length - 1)
      }
      index = endOfString(bytes, index)
    } else if (isOpening(byte)) level += 1
    else if (isClosing(byte)) level -= 1
  }
  return ''
}
