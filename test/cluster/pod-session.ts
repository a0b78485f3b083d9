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

/** A session at a pod's own address. */
export class PodSession {
  private readonly url: string
  private readonly token: string | undefined
  private id = ''

  /** With a token it is its holder's. */
  constructor(pod: Json, token?: string) {
    this.url = `http://${String(at(pod, 'status', 'podIP'))}:15200/mcp`
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
  async post(message: object): Promise<{ readonly status: number; readonly text: string }> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, ...message })
    const answer = await fetch(this.url, { method: 'POST', headers: this.headers(), body })
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
