// A company's own proxy, where the way out leads through one: by CONNECT, with credentials from files. What goes through it was
// matched here by its name; where the name leads is the company's to decide, and cannot be checked here.

import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { addressOf, kindOf, textOf } from '../../../shared/address.ts'
import { fail, ok, type Result } from '../../../shared/result.ts'
import { opened, type Dial, type Patience } from './dial.ts'
import { targetText, type Refusal, type Target } from './judge.ts'
import { ParentHead } from './parent-head.ts'
import type { Asker, Resolve } from './resolver.ts'

export interface ParentProxy {
  /** A name as it is resolved, or an address. */
  readonly host: string
  /** The name as its certificate has it, where that is another. */
  readonly serverName?: string | undefined
  readonly port: number
  readonly isTls: boolean
  /** The authorities of its certificate; absent: the usual ones. */
  readonly ca?: string | undefined
  /** The value of Proxy-Authorization, read anew for each connection; undefined where it wants none. */
  readonly authorization?: (() => Promise<Result<string, string>>) | undefined
}

export interface ParentMeans {
  readonly resolve: Resolve
  readonly dial: Dial
}

const failed = (words: string): Result<never, Refusal> =>
  fail({ why: 'parent', words: `the company's proxy (egress.parentProxy): ${words}` })

/** The parent's own addresses: whoever configured it may have it anywhere but on the link. */
const addressesOf = async (
  { host }: ParentProxy,
  resolve: Resolve,
  asker: Asker,
): Promise<readonly string[]> => {
  const literal = addressOf(host)
  const found = literal ? [host] : await resolve(host, asker)
  return found.flatMap((text) => {
    const address = addressOf(text)
    const kind = address && kindOf(address)
    return address && kind !== 'near' && kind !== 'never' ? [textOf(address)] : []
  })
}

/** A connection to the parent, which has been asked for nothing yet. */
export const toParent = async (
  parent: ParentProxy,
  { resolve, dial }: ParentMeans,
  patience: Asker,
): Promise<Result<Socket, Refusal>> => {
  const addresses = await addressesOf(parent, resolve, patience).catch(() => [])
  if (addresses.length === 0) return failed('its name leads nowhere')
  const plain = await opened(dial(addresses, parent.port), 'connect', patience)
  if (!plain.ok) return failed(plain.error.words)
  if (!parent.isTls) return plain
  const { host, serverName = host, ca } = parent
  const isName = addressOf(host) === undefined
  const secure = connectTls({
    socket: plain.value,
    ...(isName ? { servername: serverName } : { host }),
    ...(ca !== undefined && { ca }),
  })
  const shown = await opened(secure, 'secureConnect', patience)
  return shown.ok ? shown : failed(shown.error.words)
}

const statusWords = (status: string | undefined): string | undefined => {
  if (status === undefined) return 'what it answers is no HTTP'
  if (status === '407') return 'it does not take the credentials of egress.parentProxy (407)'
  return status.startsWith('2') ? undefined : `it refuses it (${status})`
}

/** Reads the head of the parent's answer; what follows it stays in the socket. */
const answered = (socket: Socket, { ms, waiting }: Patience): Promise<string | undefined> =>
  new Promise((resolve) => {
    const head = new ParentHead()
    const end = (words: string | undefined): void => {
      clearTimeout(timer)
      waiting.off('close', gone)
      socket.off('data', read).off('close', closed).pause()
      resolve(words)
    }
    const gone = (): void => end('nobody waits for it any more')
    const closed = (): void => end('the connection was dropped')
    const timer = setTimeout(() => end('it does not answer'), ms)
    const read = (piece: Buffer): void => {
      const whole = head.add(piece)
      if (!whole) return
      end(statusWords(whole.status))
      if (whole.rest.length > 0) socket.unshift(whole.rest)
    }
    waiting.once('close', gone)
    socket.on('data', read).on('close', closed)
    if (waiting.destroyed) gone()
  })

/** The header lines by which the parent knows us. */
const authorizationOf = async (parent: ParentProxy): Promise<Result<string | undefined, string>> =>
  parent.authorization ? parent.authorization() : ok(undefined)

export interface Asked {
  readonly socket: Socket
  /** What a request in absolute form brings. */
  readonly authorization: string | undefined
}

/** A connection to the parent, with what it knows us by. */
export const askParent = async (
  parent: ParentProxy,
  means: ParentMeans,
  patience: Asker,
): Promise<Result<Asked, Refusal>> => {
  const authorization = await authorizationOf(parent)
  if (!authorization.ok) return failed(authorization.error)
  const socket = await toParent(parent, means, patience)
  return socket.ok ? ok({ socket: socket.value, authorization: authorization.value }) : socket
}

/** A connection to a target, through the parent. */
export const throughParent = async (
  parent: ParentProxy,
  target: Target,
  means: ParentMeans,
  patience: Asker,
): Promise<Result<Socket, Refusal>> => {
  const asked = await askParent(parent, means, patience)
  if (!asked.ok) return asked
  const { socket, authorization } = asked.value
  const place = targetText(target)
  const credentials = authorization === undefined ? '' : `Proxy-Authorization: ${authorization}\r\n`
  const answer = answered(socket, patience)
  socket.write(`CONNECT ${place} HTTP/1.1\r\nHost: ${place}\r\n${credentials}\r\n`)
  const words = await answer
  if (words === undefined) return ok(socket)
  socket.destroy()
  return failed(words)
}
