// A legacy session at a pod's own address, whatever Service leads there.

import { at, type Json } from './api.ts'

const INITIALIZE = {
  method: 'initialize',
  params: {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  },
}

interface Posted {
  readonly status: number
  readonly text: string
}

const urlOf = (pod: Json): string => `http://${String(at(pod, 'status', 'podIP'))}:15200/mcp`

/** A session at a pod's own address. */
export class PodSession {
  private readonly url: string
  private readonly token: string | undefined
  private id = ''

  /** With a token it is its holder's. */
  constructor(pod: Json, token?: string) {
    this.url = urlOf(pod)
    this.token = token
  }

  private headers(): Record<string, string> {
    return {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
      ...(this.id === '' ? {} : { 'mcp-session-id': this.id }),
    }
  }

  /** Posts a request; its answer. */
  post(message: object): Promise<Posted> {
    return this.send(this.url, message)
  }

  /** Posts one to another pod. */
  postTo(pod: Json, message: object): Promise<Posted> {
    return this.send(urlOf(pod), message)
  }

  private async send(url: string, message: object): Promise<Posted> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, ...message })
    const answer = await fetch(url, { method: 'POST', headers: this.headers(), body })
    this.id ||= answer.headers.get('mcp-session-id') ?? ''
    return { status: answer.status, text: await answer.text() }
  }

  async open(): Promise<void> {
    await this.post(INITIALIZE)
    const body = '{"jsonrpc":"2.0","method":"notifications/initialized"}'
    await fetch(this.url, { method: 'POST', headers: this.headers(), body })
  }

  /** Listens; gives when that has ended, as the file system counts. */
  async untilEnded(): Promise<number> {
    const { body } = await fetch(this.url, { headers: this.headers() })
    try {
      for await (const _chunk of body ?? []) continue
    } catch {
      // Cut off is ended, too.
    }
    return Date.now()
  }
}
