// One HTTP request on its way through the pipeline, whose client is in memory.

import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Exchange } from '../../sidecar/http/exchange.ts'
import type { Passage } from '../../sidecar/pipeline/stage.ts'
import { aReply, type FakeReply } from './fake-reply.ts'

export type FakeExchange = { readonly exchange: Exchange; readonly client: FakeReply }

/** A request with these headers (lower-case names) that no stage has looked at. */
export const anExchange = (headers: Readonly<Record<string, string>> = {}): FakeExchange => {
  const request = new IncomingMessage(new Socket())
  Object.assign(request.headers, headers)
  const client = aReply()
  return {
    client,
    exchange: {
      request,
      reply: client.reply,
      arrivedMs: 0,
    },
  }
}

/** An exchange that no stage has seen. */
export const aPassage = (): Passage => ({
  ...anExchange().exchange,
  body: undefined,
  idText: undefined,
  ask: undefined,
  principal: undefined,
  untilMs: Infinity,
  permit: undefined,
})
