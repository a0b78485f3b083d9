// The host that a text names, as it is judged: in its absolute form, or as the address that it is everywhere. Pure.

import { addressOfName } from '../../../shared/address.ts'
import { absoluteName, hostNameOf, type Cluster } from '../../../shared/host-name.ts'
import type { Host } from './judge.ts'

/** Undefined for what is no name. */
export const namedHost = (text: string, cluster: Cluster | undefined): Host | undefined => {
  const name = hostNameOf(text)
  if (name === undefined) return undefined
  const address = addressOfName(name)
  return address
    ? { kind: 'address', address }
    : { kind: 'name', name: absoluteName(name, cluster) }
}
