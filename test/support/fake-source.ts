// Links in memory to as many servers as are asked for. Each answers `initialize` once the caller's turn is over; what
// else it says, a test says.

import { ok, type Result } from '../../shared/result.ts'
import type { LinkSource } from '../../sidecar/server/source.ts'
import { FakeLink } from './fake-link.ts'

const INITIALIZE = /"id":(\d+),"method":"initialize".*"protocolVersion":"([^"]+)"/

class FakeServer extends FakeLink {
  override send(...message: Parameters<FakeLink['send']>): boolean {
    const isSent = super.send(...message)
    const [, id, version] = INITIALIZE.exec(message[0]) ?? []
    if (id !== undefined) {
      const result = `{"protocolVersion":"${version}","capabilities":{},"serverInfo":{"name":"fake","version":"1"}}`
      queueMicrotask(() => this.says(`{"jsonrpc":"2.0","id":${id},"result":${result}}`))
    }
    return isSent
  }
}

export class FakeSource implements LinkSource {
  reclaim: () => boolean = () => false
  /** In the order in which they were asked for. */
  readonly links: FakeLink[] = []

  open(): Promise<Result<FakeLink, never>> {
    const link = new FakeServer()
    this.links.push(link)
    return Promise.resolve(ok(link))
  }

  /** Which server was sent this, by its place in `links`; -1 for none. */
  serverOf(text: string): number {
    return this.links.findIndex(({ sent }) => sent.some((one) => one.includes(text)))
  }
}
