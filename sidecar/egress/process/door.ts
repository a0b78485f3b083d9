// The proxy, as whoever fits out processes knows it.

import type { Socket } from 'node:net'
import type { Destination } from '../../../shared/destination.ts'
import type { Account } from '../ledger/account.ts'

export interface Door {
  /** A connection that has come in at a forward's own port, and whose it is. */
  forward(socket: Socket, account: Account, destination: Destination): void
  /** A connection that has come in where nobody but this one can come: it need not say who it is. */
  own(socket: Socket, account: Account): void
  /** Ends all that somebody has open. */
  end(key: string): void
}
