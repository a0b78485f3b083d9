// The id of a session that says which replica holds it: random bytes, the address of that replica's pod, and a MAC over both
// by a key that the replicas of one workload share, so that nobody else can make one. Visible ASCII, its beginning random. Pure.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { textOf, type Address } from '../../shared/address.ts'
import { fail, ok, type Result } from '../../shared/result.ts'

const RANDOM_BYTES = 16
const MAC_BYTES = 16
/** Of an address of either family; both leave no bits over in base64url, so that an id has one spelling. */
const FORM = /^(?:[\w-]{48}|[\w-]{64})$/

const macOf = (key: Buffer, bytes: Buffer): Buffer =>
  createHmac('sha256', key).update(bytes).digest().subarray(0, MAC_BYTES)

/** `random`: bytes that nobody can foretell. */
export const mintId = (
  key: Buffer,
  address: Address,
  random: (bytes: number) => Buffer,
): string => {
  const bytes = Buffer.concat([random(RANDOM_BYTES), address])
  return Buffer.concat([bytes, macOf(key, bytes)]).toString('base64url')
}

/**
 * The address of the replica that has minted an id with one of these keys; undefined for what has not the form of such an id.
 */
export const readId = (
  keys: readonly Buffer[],
  id: string,
): Result<string, 'forged'> | undefined => {
  if (!FORM.test(id)) return undefined
  const bytes = Buffer.from(id, 'base64url')
  const said = bytes.subarray(0, -MAC_BYTES)
  const mac = bytes.subarray(-MAC_BYTES)
  const isOurs = keys.some((key) => timingSafeEqual(macOf(key, said), mac))
  return isOurs ? ok(textOf(said.subarray(RANDOM_BYTES))) : fail('forged')
}
