// What a connection finds its address by, once somebody has judged where a name leads: it is not looked up again.

import { isIP, type LookupFunction } from 'node:net'

/** Those that have been judged, whatever the name says by now. */
export const lookupIn =
  (addresses: readonly string[]): LookupFunction =>
  (_name, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: isIP(address) })),
    )
