// The stage of who holds a session that takes another replica's word for who calls, and for nothing else: for this very request,
// now, here, and once. Fails closed, and says to nobody but the log why.

import type { Log } from '../../shared/log.ts'
import type { Principal } from '../access/principal.ts'
import { MCP_PATH } from '../../shared/names.ts'
import { header } from '../http/exchange.ts'
import { fault } from '../mcp/faults.ts'
import type { Stage } from '../pipeline/stage.ts'
import type { Figures } from './figures.ts'
import type { Keyring } from './keys.ts'
import { readVoucher, VOUCHER_HEADER, type Used } from './voucher.ts'

export interface HolderParts {
  readonly keyring: Keyring
  readonly used: Used
  readonly figures: Pick<Figures, 'voucher'>
  /** Our own addresses. */
  readonly own: ReadonlySet<string>
  readonly now: () => number
  readonly wallMs: () => number
  readonly log: Log
  /** Hears of each caller, and until when it is known to be that. */
  readonly onCaller?: CallerWatch | undefined
}

export type CallerWatch = (principal: Principal, untilMs: number) => void

export const voucherStage =
  ({ keyring, used, figures, own, now, wallMs, log, onCaller }: HolderParts): Stage =>
  (passage) => {
    const { request, reply, body } = passage
    const read = readVoucher(header(request, VOUCHER_HEADER) ?? '', {
      keys: keyring.all.map(({ vouchers }) => vouchers),
      to: own,
      wallMs: wallMs(),
      deed: {
        method: request.method ?? '',
        path: MCP_PATH,
        session: header(request, 'mcp-session-id'),
        lastEventId: header(request, 'last-event-id'),
        body: body?.bytes,
      },
    })
    if (!read.ok) {
      figures.voucher('refused')
      log.warn('what another replica has sent is refused', { why: read.error })
      return fault('session-unknown', 'no such session: send initialize again')
    }
    const { principal, leftMs, nonce } = read.value
    if (!used.take(nonce)) {
      figures.voucher('used')
      reply.header(VOUCHER_HEADER, 'used')
      return fault('session-unknown', 'what another replica has sent was sent before')
    }
    figures.voucher('taken')
    passage.principal = principal
    passage.untilMs = leftMs === undefined ? Infinity : now() + leftMs
    onCaller?.(principal, passage.untilMs)
    return undefined
  }
