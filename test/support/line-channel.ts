// A channel with calls in flight on a link in memory: what becomes of the lines that its server writes, byte for byte.

import { Channel } from '../../sidecar/conversation/channel.ts'
import type { Fault } from '../../sidecar/mcp/faults.ts'
import { FakeLink } from './fake-link.ts'
import { keptRemarks } from './kept-remarks.ts'
import { aRequest } from './messages.ts'

const utf8 = (text: string): string => Buffer.from(text, 'latin1').toString()

export type Heard = {
  /** Answers and notices, whole. */
  readonly texts: string[]
  readonly faults: Fault[]
}

export type LineChannelOptions = {
  /** Our ids of the calls in flight. */
  readonly ids: readonly number[]
  readonly method?: string
  /** The id text of each client, and its progress token. */
  readonly clientId?: string
  readonly isShared?: boolean
}

/** What each of the calls hears of a server that writes lines. */
export const lineChannel = ({
  ids,
  method = 'tools/call',
  clientId = '"c"',
  isShared = false,
}: LineChannelOptions) => {
  const link = new FakeLink()
  const remarks = keptRemarks()
  const owned: string[] = []
  const next = ids.slice()
  let nowMs = 0
  const channel = new Channel({
    link,
    owner: {
      serverMessage: ({ text }) => void owned.push(utf8(text)),
      ended: () => undefined,
    },
    nextId: () => next.shift() ?? 0,
    now: () => nowMs,
    observe: () => undefined,
    remarks,
    isShared,
  })
  const heard = ids.map((): Heard => ({ texts: [], faults: [] }))
  const request = `{"jsonrpc":"2.0","id":${clientId},"method":"${method}","params":{"_meta":{"progressToken":${clientId}}}}`
  const calls = heard.map((one) => {
    const caller = {
      answer: (text: string): void => void one.texts.push(utf8(text)),
      notice: (text: string): boolean => one.texts.push(utf8(text)) > 0,
      fault: (fault: Fault): void => void one.faults.push(fault),
    }
    return channel.call(aRequest(request), caller, { timeoutMs: 60_000 })
  })
  link.sent.length = 0
  return {
    channel,
    link,
    calls,
    remarks,
    heard,
    /** What belongs to no call. */
    owned,
    /** The time passes, far from any timeout. */
    wait: (ms: number): void => {
      nowMs += ms
      channel.sweep(nowMs)
    },
  }
}
