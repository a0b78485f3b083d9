// From what was asked for to a connection: judged by its name, looked up once, judged by its addresses, dialled at those.
// Fails closed, with a sentence that says what to do.

import type { Socket } from 'node:net'
import { addressOf, kindOf, textOf, type Address } from '../../../shared/address.ts'
import type { Destination } from '../../../shared/destination.ts'
import { codeOf } from '../../../shared/error-code.ts'
import { isServiceName } from '../../../shared/host-name.ts'
import { fail, ok, type Result } from '../../../shared/result.ts'
import type { ApiServerPlace } from './api-server-place.ts'
import { opened, type Dial, type Waiting } from './dial.ts'
import { Inlet, Spares } from './inlet.ts'
import {
  judgeAddresses,
  judgeTarget,
  targetText,
  type Refusal,
  type Rules,
  type Ruling,
  type Target,
} from './judge.ts'
import { askParent, throughParent, type ParentProxy } from './parent.ts'
import type { Asker, Resolve } from './resolver.ts'

/** What records say of where it went. */
export interface Place {
  readonly address?: string | undefined
  readonly rule?: string | undefined
}

export interface Way extends Place {
  readonly socket: Socket
  /** Where what it says comes; undefined where it is read as any socket is. */
  readonly inlet: Inlet | undefined
  /** Why it would have been denied; undefined where it is allowed. */
  readonly observed: Refusal | undefined
  /** Of a request in absolute form that goes to the parent proxy as such. */
  readonly parent: { readonly authorization: string | undefined } | undefined
}

export interface NoWay extends Place {
  readonly verdict: 'denied' | 'failed'
  readonly refusal: Refusal
}

export type Reached = Result<Way, NoWay>

export interface ReachParts {
  readonly rules: Rules
  readonly resolve: Resolve
  readonly apiServer: ApiServerPlace
  readonly dial: Dial
  readonly parent: ParentProxy | undefined
  readonly connectMs: number
}

/** Whose it is, and who waits for it. */
export interface Whoever {
  readonly client: { readonly key: string }
  readonly waiting: Waiting
}

interface Errand {
  readonly target: Target
  readonly isRequest: boolean
}

type Open = Exclude<Ruling, { readonly verdict: 'denied' }>

const NAME_WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such host is known here',
  ENODATA: 'no such host is known here',
  EBUSY: 'too many names are looked up at once',
  ECANCELLED: 'nobody waits for it any more',
}

const unresolved = (target: Target, error: unknown): Refusal => {
  const words = NAME_WORDS[codeOf(error)] ?? 'the name service does not answer'
  return { why: 'unresolved', words: `${targetText(target)}: ${words}` }
}

const failed = (refusal: Refusal, place: Place): Reached =>
  fail({ verdict: 'failed', refusal, ...place })

const denied = (
  { rule, refusal }: Extract<Ruling, { readonly verdict: 'denied' }>,
  addresses: readonly Address[] = [],
): Reached => {
  const [address] = addresses.map(textOf)
  return fail({ verdict: 'denied', refusal, rule: rule?.text, address })
}

const placeOf = (ruling: Open): Place => ({ rule: ruling.rule?.text })
const observedIn = (ruling: Open): Refusal | undefined =>
  ruling.verdict === 'observed' ? ruling.refusal : undefined

export class Reach {
  private readonly parts: ReachParts
  private readonly spares = new Spares()

  constructor(parts: ReachParts) {
    this.parts = parts
  }

  /** `isRequest`: what will be sent is a request in absolute form, which a parent proxy takes as it is. */
  open(target: Target, whoever: Whoever, isRequest: boolean): Promise<Reached> {
    return this.go(target, judgeTarget(this.parts.rules, target), whoever, isRequest)
  }

  /** Of a forward: what it leads to was declared with it. */
  openForward(target: Target, rule: Destination, whoever: Whoever): Promise<Reached> {
    const ruling = judgeTarget(this.parts.rules, target)
    const isOpen = target.host.kind === 'name' || ruling.verdict !== 'denied'
    return this.go(target, isOpen ? { verdict: 'allowed', rule } : ruling, whoever, false)
  }

  // Each promise that another one waits for costs three turns of the queue: what need not wait returns the other's.
  private go(
    target: Target,
    ruling: Ruling,
    { waiting, client }: Whoever,
    isRequest: boolean,
  ): Promise<Reached> {
    if (ruling.verdict === 'denied') return Promise.resolve(denied(ruling))
    const patience = { ms: this.parts.connectMs, waiting, key: client.key }
    const { parent } = this.parts
    if (parent && this.isFar(target)) {
      return this.byParent(parent, { target, ruling, isRequest }, patience)
    }
    const { host } = target
    const way = { target, isRequest }
    return host.kind === 'address'
      ? this.dial(way, ruling, [host.address], patience)
      : this.goByName(way, host.name, ruling, patience)
  }

  private async goByName(
    way: Errand,
    name: string,
    ruling: Open,
    patience: Asker,
  ): Promise<Reached> {
    const { target } = way
    const looking = this.lookUp(target, name, patience)
    // In the same time: neither rejects.
    const closing = this.parts.apiServer.closedTo(ruling.rule, patience)
    const found = await looking
    if (!found.ok) return failed(found.error, placeOf(ruling))
    const asked = { name, port: target.port, closed: await closing }
    const judged = judgeAddresses(this.parts.rules, asked, ruling, found.value)
    if (judged.ruling.verdict === 'denied') return denied(judged.ruling, judged.addresses)
    return this.dial(way, judged.ruling, judged.addresses, patience)
  }

  /** Whether it is beyond the cluster, as far as can be told without looking its name up. */
  private isFar({ host }: Target): boolean {
    return host.kind === 'address'
      ? kindOf(host.address) === 'public'
      : !isServiceName(host.name, this.parts.rules.cluster)
  }

  private async lookUp(
    target: Target,
    name: string,
    asker: Asker,
  ): Promise<Result<readonly Address[], Refusal>> {
    try {
      const texts = await this.parts.resolve(name, asker)
      const found = texts.flatMap((text) => addressOf(text) ?? [])
      return found.length > 0 ? ok(found) : fail(unresolved(target, undefined))
    } catch (error) {
      return fail(unresolved(target, error))
    }
  }

  private async dial(
    { target, isRequest }: Errand,
    ruling: Open,
    addresses: readonly Address[],
    patience: Asker,
  ): Promise<Reached> {
    const texts = addresses.map(textOf)
    // Of a request an HTTP parser reads the answer.
    const inlet = isRequest ? undefined : new Inlet(this.spares)
    const begun = this.parts.dial(texts, target.port, inlet?.onread)
    const socket = await opened(begun, 'connect', patience)
    const place = { ...placeOf(ruling), address: texts[0] }
    if (!socket.ok) {
      const { why, words } = socket.error
      return failed({ why, words: `${targetText(target)}: ${words}` }, place)
    }
    const address = addresses.length === 1 ? texts[0] : socket.value.remoteAddress
    return ok({
      socket: socket.value,
      inlet,
      ...place,
      address,
      observed: observedIn(ruling),
      parent: undefined,
    })
  }

  private async byParent(
    parent: ParentProxy,
    asked: { readonly target: Target; readonly ruling: Open; readonly isRequest: boolean },
    patience: Asker,
  ): Promise<Reached> {
    const place = placeOf(asked.ruling)
    const observed = observedIn(asked.ruling)
    if (asked.isRequest) {
      const found = await askParent(parent, this.parts, patience)
      if (!found.ok) return failed(found.error, place)
      const { socket, authorization } = found.value
      return ok({ socket, inlet: undefined, ...place, observed, parent: { authorization } })
    }
    const socket = await throughParent(parent, asked.target, this.parts, patience)
    if (!socket.ok) return failed(socket.error, place)
    return ok({ socket: socket.value, inlet: undefined, ...place, observed, parent: undefined })
  }
}
