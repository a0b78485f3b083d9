// Which namespace a review is of, from the first of its bytes: known before it is whole, and before anything is parsed.
// Nothing is decided by it but whose turn it is; the review itself says again. Pure.

import { endOfString, isClosing, isOpening, isQuote } from '../../shared/json-extent.ts'

/** As the API server writes them, before the object: members of the request, and of what it is about. */
const [REQUEST_LEVEL, RESOURCE_LEVEL] = [2, 3]
const MEMBER = Buffer.from('"namespace":"')
const ABOUT_NAMESPACES = Buffer.from('"resource":"namespaces"')
const CREATION = Buffer.from('"operation":"CREATE"')
/** What stands before it are names and kinds. */
const MAX_READ = 16_384
/** Of a name of Kubernetes'. */
const MAX_NAME = 63

const nameAt = (bytes: Uint8Array, start: number): string => {
  const end = endOfString(bytes, start)
  const name = Buffer.from(bytes.subarray(start + 1, Math.min(end, start + 1 + MAX_NAME)))
  return end < bytes.length ? name.toString('latin1') : ''
}

const stands = (bytes: Uint8Array, start: number, member: Uint8Array): boolean =>
  member.every((byte, index) => bytes[start + index] === byte)

/** What a member tells, by its level and the index of its name. */
const told = (
  bytes: Uint8Array,
  level: number,
  index: number,
): 'name' | 'new' | 'about' | undefined => {
  if (level === RESOURCE_LEVEL) return stands(bytes, index, ABOUT_NAMESPACES) ? 'about' : undefined
  if (level !== REQUEST_LEVEL) return undefined
  if (stands(bytes, index, MEMBER)) return 'name'
  return stands(bytes, index, CREATION) ? 'new' : undefined
}

/** What is told of it, by the index of each member's name. */
function* tellingsIn(bytes: Uint8Array): Generator<readonly ['name' | 'new' | 'about', number]> {
  let level = 0
  for (let index = 0; index < Math.min(bytes.length, MAX_READ); index += 1) {
    const byte = bytes[index]
    if (isQuote(byte)) {
      const what = told(bytes, level, index)
      if (what) yield [what, index]
      index = endOfString(bytes, index)
    } else if (isOpening(byte)) level += 1
    else if (isClosing(byte)) level -= 1
  }
}

/**
 * The namespace's name; empty where it is not told, or none has been sent so far. Of one that is created the name is its
 * author's to make up: all of those have their turn together.
 */
export const toldNamespace = (bytes: Uint8Array): string => {
  let [isNamespace, name] = [false, '']
  for (const [what, index] of tellingsIn(bytes)) {
    if (what === 'about') isNamespace = true
    else if (what === 'name') name = nameAt(bytes, index + MEMBER.length - 1)
    else if (isNamespace) return ''
    if (what === 'name' && !isNamespace) return name
  }
  return name
}
