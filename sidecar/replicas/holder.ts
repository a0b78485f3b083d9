// The stage of who holds a session that takes another replica's word for who calls, and for nothing else: for this very request,
// now, here, and once. Fails closed, and says to nobody but the log why.

import type { Log } from '../../shared/log.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import type { Principal } from '../access/principal.ts'
import { header } from '../http/exchange.ts'
import { issuerOf } from '../identity/workload.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { Stage } from '../pipeline/stage.ts'
import type { Figures } from './figures.ts'
import type { Keyring } from './keys.ts'
import { deedOf, readVoucher, VOUCHER_HEADER, type Used } from './voucher.ts'

export interface HolderParts {
  readonly keyring: Keyring
  readonly used: Used
  readonly figures: Pick<Figures, 'voucher'>
  /** Our own addresses. */
  readonly own: ReadonlySet<string>
  /** By whose word callers are known here; undefined where nobody is asked who they are. */
  readonly believed: ReadonlySet<string> | undefined
  readonly now: () => number
  readonly wallMs: () => number
  readonly log: Log
  /** Hears of each caller, and until when it is known to be that. */
  readonly onCaller?: CallerWatch | undefined
}

type Trusting = Pick<SidecarConfig, 'settings' | 'issuers' | 'trustDomains'>

/** The issuers that a configuration trusts, whatever that of another replica does: a rollout may change it. */
export const believedIn = ({
  settings,
  issuers,
  trustDomains,
}: Trusting): ReadonlySet<string> | undefined =>
  settings.auth === 'none'
    ? undefined
    : new Set([...issuers.map(({ url }) => url), ...trustDomains.map(({ name }) => issuerOf(name))])

const isBelieved = ({ identity }: Principal, believed: ReadonlySet<string> | undefined): boolean =>
  believed === undefined || (identity !== undefined && believed.has(identity.issuer))

export type CallerWatch = (principal: Principal, untilMs: number) => void

export const voucherStage =
  ({ keyring, used, figures, own, believed, now, wallMs, log, onCaller }: HolderParts): Stage =>
  (passage) => {
    const { request, reply } = passage
    const refused = (why: string): Fault => {
      figures.voucher('refused')
      log.warn('what another replica has sent is refused', { why })
      return fault('session-unknown', 'no such session: send initialize again')
    }
    const read = readVoucher(header(request, VOUCHER_HEADER) ?? '', {
      keys: keyring.all.map(({ vouchers }) => vouchers),
      to: own,
      wallMs: wallMs(),
      deed: deedOf(passage),
    })
    if (!read.ok) return refused(read.error)
    const { principal, leftMs, nonce, from } = read.value
    if (!isBelieved(principal, believed)) {
      return refused('its caller is known by nobody who is believed here')
    }
    if (!used.take(nonce)) {
      figures.voucher('used')
      reply.header(VOUCHER_HEADER, 'used')
      return fault('session-unknown', 'what another replica has sent was sent before')
    }
    figures.voucher('taken')
    passage.principal = principal
    passage.from = from
    passage.untilMs = leftMs === undefined ? Infinity : now() + leftMs
    onCaller?.(principal, passage.untilMs)
    return undefined
  }
