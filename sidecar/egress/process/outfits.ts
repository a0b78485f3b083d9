// What each of a server's processes is given: a credential for the proxy, ports for its forwards, an environment that names
// both, and the terms by which the shim confines it. All of it ends with the process.

import type { Socket } from 'node:net'
import type { Destination } from '../../../shared/destination.ts'
import { EGRESS_PORT, OWN_PROXY_PORT } from '../../../shared/names.ts'
import type { EgressAttempt, Led, Terms } from '../../server/control-frame.ts'
import { COMMAND, type Confining, type Fitting, type Outfitter } from '../../server/outfit.ts'
import { Account } from '../ledger/account.ts'
import type { Settled } from '../ledger/attempt.ts'
import { Credentials } from './credentials.ts'
import { refusalOf, stateOf, type Mode, type State } from './enforcement.ts'
import { environmentOf } from './environment.ts'
import { Forwards, type Wanted } from './forwards.ts'
import type { Door } from './door.ts'
import { pastRefusal } from '../reach/past-proxy.ts'

export interface OutfitsOptions {
  readonly mode: Mode
  readonly confinement: 'require' | 'advisory'
  readonly destinations: readonly Destination[]
  /** The proxy's port. */
  readonly port: () => number
  readonly proxy: () => Door
  /** 32 lower-case hex digits that nobody can guess. */
  readonly newSecret: () => string
  /** So much may pass for one process. */
  readonly mostBytes: number | undefined
  readonly onState: (state: State) => void
  readonly onDirect: (account: Account, settled: Omit<Settled, 'how'>) => void
  /** So many attempts came faster than they could be told. */
  readonly onMissed: (many: number) => void
}

interface Fitted {
  readonly account: Account
  readonly forwards: Forwards
  /** The secret of one that is nobody's yet, which is good for nothing until somebody has it. */
  held: string | undefined
}

const VERDICTS = { allowed: 'allowed', observed: 'observed', refused: 'denied' } as const

export class Outfits implements Outfitter {
  readonly credentials = new Credentials<Account>()
  private readonly options: OutfitsOptions
  private readonly fitted = new Map<number, Fitted>()
  private confining: Confining | undefined
  /** Resolves once the command has what it was given last. */
  private command: Promise<unknown> = Promise.resolve()

  constructor(options: OutfitsOptions) {
    this.options = options
  }

  get state(): State {
    return stateOf(this.options.mode, this.confining)
  }

  /** Of the server's processes, where a shim is there that says so. */
  get uid(): number | undefined {
    return this.confining?.uid
  }

  readonly refusal = (confining: Confining): string | undefined =>
    refusalOf(confining, this.options.mode, this.options.confinement)

  readonly met = (confining: Confining): void => {
    this.confining = confining
    this.options.onState(this.state)
  }

  readonly fit = ({ process, caller, calls, isSpare }: Fitting): Promise<Terms> => {
    const { mostBytes, newSecret } = this.options
    const { number, session } = process
    const account = new Account({ child: number, session, caller, calls, mostBytes })
    return this.open(account, newSecret(), isSpare)
  }

  /** What is refused to whom is the shim's business alone under enforcement; the rest is ours. */
  readonly holdsBack = (): boolean => this.state.enforcement === 'enforced'

  readonly handed: Outfitter['handed'] = (child, session, caller) => {
    const fitted = this.fitted.get(child)
    if (fitted?.held === undefined) return
    fitted.account.handed(session, caller)
    this.credentials.issue(child, fitted.held, fitted.account)
    fitted.held = undefined
  }

  /** One after the other: what a shim was given that has gone meanwhile is taken away before another one gets its own. */
  readonly fitCommand = (secret: string, calls: Fitting['calls']): Promise<Terms> => {
    const terms = this.command.then(() => this.refit(secret, calls))
    this.command = terms.catch(() => undefined)
    return terms
  }

  readonly gone = (child: number): void => {
    this.credentials.revoke(child)
    const fitted = this.fitted.get(child)
    if (!fitted) return
    this.fitted.delete(child)
    fitted.forwards.close()
    this.options.proxy().end(fitted.account.key)
  }

  readonly attempted = (attempt: EgressAttempt): void => {
    const { onDirect, onMissed } = this.options
    const { child, verdict, how, address, port, dropped } = attempt
    onMissed(dropped)
    const account = this.fitted.get(child)?.account
    if (!account) return
    onDirect(account, {
      verdict: VERDICTS[verdict],
      protocol: how,
      address,
      ...(address === undefined ? {} : { port }),
      ...(verdict === 'allowed' ? {} : pastRefusal(attempt)),
    })
  }

  readonly led = ({ child, from, port }: Led): void =>
    this.fitted.get(child)?.forwards.led(from, port)

  close(): void {
    for (const child of this.fitted.keys()) this.gone(child)
  }

  /** Whether something listens there for one of the processes. */
  readonly isForwards = (port: number): boolean =>
    [...this.fitted.values()].some(({ forwards }) =>
      forwards.ports.some((one) => one.port === port),
    )

  private refit(secret: string, calls: Fitting['calls']): Promise<Terms> {
    const { mostBytes } = this.options
    const before = this.fitted.get(COMMAND)
    // What it has moved counts, also where its shim comes again.
    const account = before?.account ?? new Account({ child: COMMAND, calls, mostBytes })
    before?.forwards.close()
    return this.open(account, secret)
  }

  private async open(account: Account, secret: string, isSpare?: true): Promise<Terms> {
    const { port, mode } = this.options
    const { child } = account
    // A shim that can't confine starts nobody who is to be; it leads nobody to a forward, either, and there anybody could come.
    const isConfined = this.state.why === undefined
    const forwards = await Forwards.open(isConfined ? this.wanted(account) : [])
    if (isSpare && !this.holdsBack()) {
      forwards.close()
      throw new Error('nothing would keep a process that is nobody’s from reaching others')
    }
    this.fitted.set(child, { account, forwards, held: isSpare && secret })
    if (!isSpare) this.credentials.issue(child, secret, account)
    const own = port()
    const ownPort = isConfined ? OWN_PROXY_PORT : undefined
    const environment = environmentOf({ child, secret, port: own, ownPort })
    if (!isConfined) return { mode: 'off', forwards: [], environment }
    return {
      mode,
      // Another than the usual port is let through as what it is.
      forwards: [...forwards.ports, ...(own === EGRESS_PORT ? [] : [{ local: own, port: own }])],
      environment,
    }
  }

  private wanted(account: Account): readonly Wanted[] {
    const { destinations, proxy } = this.options
    const declared = destinations.flatMap((destination) => {
      const { local } = destination
      const take = this.unlessHeld(account, (socket) =>
        proxy().forward(socket, account, destination),
      )
      return local === undefined ? [] : { local, take }
    })
    return [
      ...declared,
      {
        local: OWN_PROXY_PORT,
        take: this.unlessHeld(account, (socket) => proxy().own(socket, account)),
      },
    ]
  }

  /** Nobody's process is let in nowhere. */
  private unlessHeld(account: Account, take: (socket: Socket) => void): (socket: Socket) => void {
    return (socket) => {
      if (this.fitted.get(account.child)?.held === undefined) take(socket)
      else socket.destroy()
    }
  }
}
