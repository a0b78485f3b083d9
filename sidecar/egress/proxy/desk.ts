// What all doors of the proxy share: an attempt begins, is judged, and is on record with what became of it, before anything of
// it goes on; and everything that goes on is looked after until it ends.

import type { Socket } from 'node:net'
import { absoluteName, type Cluster } from '../../../shared/host-name.ts'
import type { Destination } from '../../../shared/destination.ts'
import { fail, ok, type Result } from '../../../shared/result.ts'
import type { Waiting } from '../reach/dial.ts'
import type { Held } from './held.ts'
import { hostText, targetText, type Refusal, type Target } from '../reach/judge.ts'
import type { Limits } from './limits.ts'
import { shownOf } from './request-target.ts'
import type { NoWay, Reach, Way } from '../reach/reach.ts'
import { TlsGate, type Refused } from './tls-gate.ts'
import { Tunnel } from './tunnel.ts'
import type { Attempt, Client, EgressWatch, How, Settled } from './watch.ts'

const TLS_PORT = 443
// Of what is no host, so much is shown.
const MAX_SHOWN = 253

export interface DeskParts {
  readonly watch: EgressWatch
  readonly reach: Reach
  readonly limits: Limits
  readonly held: Held
  readonly now: () => number
  readonly cluster: Cluster | undefined
  readonly isLenient: boolean
}

/** What somebody asks for, whom we know. */
export interface Asking {
  readonly how: How
  readonly client: Client
  readonly target: Target
  /** Who waits for it. */
  readonly waiting: Waiting
  /** Of a forward: what declares it. */
  readonly forward?: Destination
}

export interface Entered {
  readonly asking: Asking
  readonly attempt: Attempt
  readonly way: Way
}

const NO_RECORD: Refusal = {
  why: 'records',
  words: 'nothing is reached that cannot be put on record',
}
const OVER_BUDGET: Refusal = {
  why: 'bytes',
  words: 'the session has moved all the bytes that it may',
}

/** Something that is looked after while it goes on. */
export interface Underway {
  readonly client: Client
  sweep(nowMs: number): void
  end(cut?: 'closing'): void
}

export class Desk {
  private readonly parts: DeskParts
  private readonly underway = new Set<Underway>()

  constructor(parts: DeskParts) {
    this.parts = parts
  }

  get limits(): Limits {
    return this.parts.limits
  }

  get held(): Held {
    return this.parts.held
  }

  readonly now = (): number => this.parts.now()

  /** Who asked for what is no host and port: on record, as much of it as may be shown. */
  malformed(client: Client, how: How, asked: string): void {
    const host = shownOf(asked)
      .replaceAll(/[^!-~]/g, '?')
      .slice(0, MAX_SHOWN)
    this.turnedAway(client, { how, host, port: 0, why: 'malformed' })
  }

  /** Who says what no protocol of ours has: an attempt of whoever has named itself on its connection, if anybody has. */
  unreadable(client: Client | undefined, how: How): void {
    if (client) this.malformed(client, how, '?')
    else this.parts.watch.stranger('no-protocol')
  }

  /** Who has too many connections already: on record with the host and port that were asked for, and nothing else of it. */
  crowded(client: Client, how: How, target?: Target): void {
    const place = target ? said({ how, target }) : { how, host: '?', port: 0 }
    this.turnedAway(client, { ...place, why: 'connections' })
  }

  async enter(asking: Asking): Promise<Result<Entered, Refusal>> {
    const { client, target, forward, how } = asking
    const attempt = this.parts.watch.attempt(client)
    if (!attempt) return fail(NO_RECORD)
    const { reach } = this.parts
    if (client.overBudget()) {
      return this.refuse(asking, attempt, { verdict: 'denied', refusal: OVER_BUDGET })
    }
    const plain = plainOnTls(asking)
    if (plain && !this.parts.isLenient) {
      const refusal = tlsRefusal(plain, target)
      return this.refuse(asking, attempt, { verdict: 'denied', refusal })
    }
    const reached = forward
      ? await reach.openForward(target, forward, asking)
      : await reach.open(target, asking, how === 'http')
    return reached.ok
      ? ok({ asking, attempt, way: reached.value })
      : this.refuse(asking, attempt, reached.error)
  }

  /** What has become of an attempt that goes on. */
  settle({ asking, attempt, way }: Entered, refused = plainOnTls(asking)): void {
    const { target } = asking
    const refusal =
      refused === undefined ? way.observed : besides(way.observed, tlsRefusal(refused, target))
    const isDenied = refused !== undefined && !this.parts.isLenient
    const verdict = refusal ? 'observed' : 'allowed'
    attempt.settled({
      ...said(asking),
      address: way.address,
      rule: way.rule,
      verdict: isDenied ? 'denied' : verdict,
      ...refusal,
    })
  }

  /** Joins a client to whom it was let through to. */
  tunnel(entered: Entered, socket: Socket, early: Buffer): Tunnel {
    const { asking, attempt, way } = entered
    const isTlsPort = asking.target.port === TLS_PORT
    const tunnel = new Tunnel({
      socket,
      upstream: way.socket,
      inlet: way.inlet,
      client: asking.client,
      attempt,
      gate: new TlsGate({
        isTlsPort,
        accepts: (serverName) => this.accepts(asking, serverName),
        isLenient: this.parts.isLenient,
      }),
      isTlsPort,
      limits: this.parts.limits,
      held: this.parts.held,
      now: this.parts.now,
      settle: (refused) => this.settle(entered, refused),
      onEnd: (ended) => this.underway.delete(ended),
    })
    this.underway.add(tunnel)
    tunnel.start(early)
    return tunnel
  }

  /** Looks after something else until it says that it is over. */
  lookAfter(one: Underway): () => void {
    this.underway.add(one)
    return () => this.underway.delete(one)
  }

  sweep(nowMs: number): void {
    for (const one of this.underway) one.sweep(nowMs)
  }

  /** Ends all of one client's, or all there are. */
  end(key?: string): void {
    for (const one of this.underway) {
      if (key === undefined || one.client.key === key) one.end('closing')
    }
  }

  private turnedAway(client: Client, what: Omit<Settled, 'verdict'>): void {
    const attempt = this.parts.watch.attempt(client)
    attempt?.settled({ ...what, verdict: 'denied' })
    attempt?.ended()
  }

  private refuse(asking: Asking, attempt: Attempt, noWay: NoWay): Result<never, Refusal> {
    const { refusal, verdict, address, rule } = noWay
    attempt.settled({ ...said(asking), address, rule, verdict, ...refusal })
    attempt.ended()
    return fail(refusal)
  }

  /** Whether TLS may ask for a server by this name, or by none. */
  private accepts({ target, forward }: Asking, serverName: string | undefined): boolean {
    const { host } = target
    // Where an address was asked for, it is what was declared.
    if (host.kind === 'address') return true
    // Who uses a forward knows it as this machine, which is nobody's name elsewhere.
    if (serverName === undefined) return forward !== undefined
    const name = serverName.toLowerCase()
    if (forward && name === 'localhost') return true
    return absoluteName(name, this.parts.cluster) === host.name
  }
}

const said = ({
  how,
  target,
}: Pick<Asking, 'how' | 'target'>): Pick<Settled, 'how' | 'host' | 'port'> => ({
  how,
  host: hostText(target.host),
  port: target.port,
})

/** A request that a client hands to the proxy as it is has no TLS in it. */
const plainOnTls = ({ how, target }: Asking): Refused | undefined =>
  how === 'http' && target.port === TLS_PORT ? 'no-tls' : undefined

const TLS_WORDS: Readonly<Record<Refused, string>> = {
  'no-tls': 'nothing but TLS is spoken on this port',
  'tls-name': 'TLS asks for another server than the one that was asked for, or for none',
  'tls-encrypted-name':
    'TLS hides which server it asks for (Encrypted Client Hello): turn that off, in Chromium by the policy EncryptedClientHelloEnabled',
}

const tlsRefusal = (refused: Refused, target: Target): Refusal => ({
  why: refused,
  words: `${targetText(target)}: ${TLS_WORDS[refused]}`,
})

/** What is let through against two reasons is told by the later, in the words of both. */
const besides = (observed: Refusal | undefined, refusal: Refusal): Refusal =>
  observed === undefined ? refusal : { ...refusal, words: `${observed.words}; ${refusal.words}` }
