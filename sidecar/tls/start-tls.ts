// TLS before the listeners of MCP: the certificate from its files, read again and again, and what of it holds.

import type { Server as HttpServer } from 'node:http'
import { KeptFile } from '../../shared/kept-file.ts'
import type { Log } from '../../shared/log.ts'
import type { Result } from '../../shared/result.ts'
import type { Listener } from '../http/listen.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { Doorway, type Clients } from './doorway.ts'
import { readKeyPair, type KeyPair, type PemFiles } from '../../shared/key-pair.ts'
import { Names } from './names.ts'
import { pemFiles, pemTexts } from '../../shared/pem-file.ts'

const LOOK_MS = 2000

export interface TlsParts {
  /** By which clients know the server, where it is known. */
  readonly publicUrl?: string | undefined
  readonly log: Log
  readonly wallMs: () => number
  /** Whether clients are asked for a certificate, which is theirs to have. */
  readonly asksForCertificate?: boolean
  /** Who may come by a certificate, and what tells when their authorities have changed; absent: nobody is known by one. */
  readonly clients?: (Clients & { readonly onChange: (listener: () => void) => void }) | undefined
  /** How long a handshake may take; tests have no time for the default. */
  readonly handshakeMs?: number
  /** Hears of what a connection has held, once that has ended. */
  readonly onFreed: (bytes: number) => void
  readonly metrics: Pick<Metrics, 'tlsHandshake' | 'tlsReload' | 'tlsUntil'>
}

export interface Tls {
  /** A listener that speaks TLS before one that speaks HTTP. */
  readonly before: (http: HttpServer) => Listener
  /** Why clients will not trust what is shown; undefined while it is valid. */
  readonly weakness: () => string | undefined
  readonly close: () => void
}

/** The files' text to what is shown. */
const reader =
  (files: PemFiles, wallMs: () => number) =>
  (text = ''): Result<KeyPair, readonly string[]> => {
    const [cert = '', key = ''] = pemTexts(text)
    return readKeyPair({ cert, key }, files, wallMs())
  }

/** What is wrong with the files as they are now; none where they can be used. */
export const tlsFaults = async (
  files: PemFiles,
  wallMs: () => number,
): Promise<readonly string[]> => {
  const text = await pemFiles([files.certFile, files.keyFile]).read()
  if (!text.ok) return [text.error]
  const read = reader(files, wallMs)(text.value)
  return read.ok ? [] : read.error
}

/** What is wrong with a certificate that was right when it was taken. */
const expired = (certFile: string, { subject, notAfterMs }: KeyPair): string =>
  `the certificate ${certFile} (${subject}) has expired at ${new Date(notAfterMs).toISOString()}: clients refuse it`

/** Rejects with everything that is wrong with the certificate. */
export const startTls = async (files: PemFiles, parts: TlsParts): Promise<Tls> => {
  const { publicUrl, log, wallMs, metrics, handshakeMs, asksForCertificate, clients, onFreed } =
    parts
  const opened = await KeptFile.open<KeyPair>({
    what: 'the certificate',
    source: pemFiles([files.certFile, files.keyFile]),
    parse: reader(files, wallMs),
    log,
    fields: ({ subject, notAfterMs }) => ({ subject, until: new Date(notAfterMs).toISOString() }),
  })
  if (!opened.ok) throw new Error(`no certificate can be shown: ${opened.error.join('; ')}`)
  const kept = opened.value
  const doorways: Doorway[] = []
  const names = new Names({ certFile: files.certFile, publicUrl, log }, kept.current())
  const weakness = (): string | undefined => {
    const pair = kept.current()
    return wallMs() < pair.notAfterMs ? undefined : expired(files.certFile, pair)
  }
  let told: string | undefined
  metrics.tlsUntil(kept.current().notAfterMs)
  const onChange = (outcome: 'taken' | 'refused'): void => {
    metrics.tlsReload(outcome)
    if (outcome === 'refused') return
    metrics.tlsUntil(kept.current().notAfterMs)
    names.show(kept.current())
    for (const doorway of doorways) doorway.show(kept.current())
  }
  clients?.onChange(() => {
    for (const doorway of doorways) doorway.renew()
  })
  kept.follow(LOOK_MS, onChange, () => {
    const why = weakness()
    if (why !== undefined && why !== told) log.error(why)
    told = why
  })
  return {
    before: (http) => {
      const pair = kept.current()
      const onName = (name: string): void => names.called(name)
      const heard = { onHandshake: metrics.tlsHandshake, onName, onFreed }
      const own = { asksForCertificate, clients, handshakeMs, ...heard }
      const doorway = new Doorway({ http, pair, ...own })
      doorways.push(doorway)
      return doorway
    },
    weakness,
    close: () => kept.close(),
  }
}
