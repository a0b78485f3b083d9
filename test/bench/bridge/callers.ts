// The callers of one contender: keep-alive connections, each with a session of its own in the legacy
// era, that call one tool in a closed loop when it is their turn and are silent otherwise.

import {
  argumentsOf,
  initialize,
  initialized,
  legacyCall,
  modernCall,
  terminate,
  type Era,
  type Shape,
  type Target,
} from './requests.ts'
import { sessionOf, Wire, type Answer } from './wire.ts'

export type Calls = {
  readonly era: Era
  readonly shape: Shape
  readonly connections: number
}

/** Whom they call, and what every request to it bears. */
export type Called = { readonly url: string; readonly headers?: readonly string[] | undefined }

type Caller = {
  readonly wire: Wire
  readonly session: string | undefined
  readonly call: Buffer
}

const expectStatus = (answer: Answer, accepted: readonly number[], what: string): void => {
  if (!accepted.includes(answer.status)) {
    throw new Error(`${what} was answered ${answer.status}: ${answer.body.slice(0, 500)}`)
  }
}

/** The one JSON-RPC message of an answer, be it JSON or an event stream. */
const messageOf = ({ body }: Answer): string => {
  const start = body.indexOf('{"')
  return body.slice(start, body.lastIndexOf('}') + 1)
}

const checkEcho = (answer: Answer, shape: Shape): void => {
  expectStatus(answer, [200], 'tools/call')
  const { id, result } = JSON.parse(messageOf(answer))
  const sent = argumentsOf(shape)
  const echoed = sent['text'] === undefined ? result.structuredContent : result.content[0].text
  if (id !== 1 || JSON.stringify(echoed) !== JSON.stringify(sent['text'] ?? sent)) {
    throw new Error(`the answer is not the echo of the call: ${answer.body.slice(0, 500)}`)
  }
}

const connect = async (wire: Wire, target: Target, { era, shape }: Calls): Promise<Caller> => {
  if (era === 'modern') return { wire, session: undefined, call: modernCall(target, shape) }
  const opened = await wire.ask(initialize(target))
  expectStatus(opened, [200], 'initialize')
  const session = sessionOf(opened) ?? ''
  expectStatus(await wire.ask(initialized(target, session)), [202], 'initialized')
  return { wire, session, call: legacyCall(target, session, shape) }
}

export class Callers {
  readonly #target: Target
  readonly #callers: Caller[] = []
  /** Whether their sessions end with them. */
  readonly #areOwners: boolean

  private constructor(target: Target, areOwners: boolean) {
    this.#target = target
    this.#areOwners = areOwners
  }

  /** Opens all, and has each make one call whose answer is checked. `onFault` hears of a broken connection. */
  static async open(
    { url, headers }: Called,
    calls: Calls,
    onFault: (error: Error) => void,
  ): Promise<Callers> {
    const { host, hostname, port, pathname } = new URL(url)
    const target = { host, path: pathname, headers }
    const callers = new Callers(target, true)
    for (let index = 0; index < calls.connections; index += 1) {
      const wire = new Wire(hostname, Number(port), onFault)
      await callers.#add(await connect(wire, target, calls), calls)
    }
    return callers
  }

  /** Others that call in the legacy sessions of these, which stay theirs, by way of another replica. */
  async byWayOf(url: string, calls: Calls, onFault: (error: Error) => void): Promise<Callers> {
    const { host, hostname, port } = new URL(url)
    const others = new Callers({ ...this.#target, host }, false)
    for (const { session = '' } of this.#callers) {
      const wire = new Wire(hostname, Number(port), onFault)
      const call = legacyCall(others.#target, session, calls.shape)
      await others.#add({ wire, session, call }, calls)
    }
    return others
  }

  async #add(caller: Caller, { shape }: Calls): Promise<void> {
    checkEcho(await caller.wire.ask(caller.call), shape)
    caller.wire.collects = false
    this.#callers.push(caller)
  }

  /** All call over and over for so long; resolves with each call's milliseconds once the last is answered. */
  async callFor(ms: number): Promise<number[]> {
    const latencies: number[] = []
    const until = performance.now() + ms
    await Promise.all(this.#callers.map((caller) => callUntil(until, caller, latencies)))
    return latencies
  }

  async close(): Promise<void> {
    for (const { wire, session } of this.#callers) {
      if (session !== undefined && this.#areOwners) {
        expectStatus(await wire.ask(terminate(this.#target, session)), [200, 202, 204], 'DELETE')
      }
      wire.close()
    }
  }
}

const callUntil = (until: number, { wire, call }: Caller, latencies: number[]): Promise<void> =>
  new Promise((resolve, reject) => {
    let sentAt = performance.now()
    const again = (answer: Answer): void => {
      if (answer.status !== 200) {
        return reject(new Error(`tools/call was answered ${answer.status}`))
      }
      const now = performance.now()
      latencies.push(now - sentAt)
      if (now >= until) return resolve()
      sentAt = now
      wire.send(call, again)
    }
    wire.send(call, again)
  })
