// By what the certificate of a server of this pod is verified: a file of the pod's own, with its authority's certificate
// or the server's own, or nothing. Its names are never looked at: they are those of a Service, and nobody else is asked.

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { messageOf } from '../../shared/message.ts'

const MAX_BYTES = 1024 * 1024

/** A file, of bounded size: whatever else stands there is not waited for. */
const readPem = (path: string): string => {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile() || stat.size > MAX_BYTES)
      throw new Error(`no file of at most ${MAX_BYTES} bytes`)
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

export interface TrustOptions {
  readonly value: ConnectionOptions
  /** Why nothing can be verified: then nothing may be sent. */
  readonly error?: Error
}

const anyName = (): undefined => undefined

export class Trust {
  private readonly caFile: string | undefined
  private known: TrustOptions | undefined

  constructor(caFile: string | undefined) {
    this.caFile = caFile
  }

  /** What a connection asks of its certificate; the file is read once, until somebody has been disappointed by it. */
  options(): TrustOptions {
    this.known ??= this.read()
    return this.known
  }

  forget(): void {
    this.known = undefined
  }

  private read(): TrustOptions {
    if (this.caFile === undefined) return { value: { rejectUnauthorized: false } }
    try {
      const ca = readPem(this.caFile)
      return {
        value: {
          ca,
          rejectUnauthorized: true,
          allowPartialTrustChain: true,
          checkServerIdentity: anyName,
        },
      }
    } catch (error) {
      const why = messageOf(error)
      return { value: {}, error: new Error(`outrigger.dev/ca-file cannot be read: ${why}`) }
    }
  }
}
