// Clients' X.509-SVIDs: the authorities of each trust domain, from the configuration or from a file that is read again and
// again, and who each connection's client is by them. Their keys were proven in the handshake; what OpenSSL has against
// their chain counts, too. A client is judged again when authorities have changed.

import { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { areAuthorities } from '../../shared/authorities.ts'
import { KeptFile, needed } from '../../shared/kept-file.ts'
import type { Log } from '../../shared/log.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { textFile } from '../../shared/text-source.ts'
import { readTrustDomains, type TrustDomainSource } from '../../shared/trust-domains.ts'
import { verifiedPrincipal, type Principal } from '../access/principal.ts'
import { svidOf, type Svid, type TrustDomain } from './svid.ts'

const LOOK_MS = 2000
const MAX_BYTES = 262_144
/** A leaf and what lies between it and an authority. */
const MAX_SENT = 8
const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/** The authorities of one trust domain: what holds now, as text. */
interface Kept {
  readonly source: TrustDomainSource
  readonly pem: () => string
  readonly file?: KeptFile<string>
}

/** The client of a connection, and until when it is that: milliseconds since 1970, or monotonic ones. */
export interface Shown {
  readonly principal: Principal
  readonly untilMs: number
}

/** Who is trusted at a time. */
interface Trusted {
  readonly domains: readonly TrustDomain[]
  /** The authorities of all of them, in PEM. */
  readonly pem: string
}

interface Judged {
  readonly domains: readonly TrustDomain[]
  readonly found: Result<Shown, string>
  readonly isUnseen: boolean
}

const GONE = 'authorities of its trust domain have gone since it was shown'

const authoritiesOf = (domains: readonly TrustDomain[]): readonly X509Certificate[] =>
  domains.flatMap(({ authorities }) => authorities)

/** Whether every authority of before is still one. */
const areKept = (before: readonly X509Certificate[], now: readonly TrustDomain[]): boolean => {
  const kept = new Set(authoritiesOf(now).map(({ fingerprint256 }) => fingerprint256))
  return before.every(({ fingerprint256 }) => kept.has(fingerprint256))
}

const principalOf = ({ trustDomain, id }: Svid): Principal =>
  verifiedPrincipal({
    by: 'certificate',
    issuer: `spiffe://${trustDomain}`,
    subject: id,
    client: undefined,
    scopes: [],
    groups: [],
    actors: [],
  })

const authoritiesIn = (text: string): Result<string, readonly string[]> =>
  areAuthorities(text)
    ? ok(text)
    : fail(['must hold certificates of authorities in PEM, and nothing else'])

const certificatesIn = (pem: string): readonly X509Certificate[] =>
  (pem.match(BLOCK) ?? []).map((block) => new X509Certificate(block))

/** Rejects where a file cannot be used. */
const open = async (source: TrustDomainSource, log: Log): Promise<Kept> => {
  const { name, bundle = '', bundleFile } = source
  if (bundleFile === undefined) return { source, pem: () => bundle }
  const opened = await KeptFile.open<string>({
    what: `the bundle of the trust domain ${name}`,
    source: textFile(bundleFile, MAX_BYTES),
    parse: needed(authoritiesIn),
    log,
  })
  if (!opened.ok) {
    throw new Error(`the bundle of ${name}: ${bundleFile}: ${opened.error.join('; ')}`)
  }
  const file = opened.value
  return { source, pem: () => file.current(), file }
}

/** What a client has sent, its own first. */
const sentBy = (socket: TLSSocket): readonly X509Certificate[] => {
  const sent: X509Certificate[] = []
  let one = socket.getPeerX509Certificate()
  while (one && sent.length < MAX_SENT) {
    sent.push(one)
    one = one.issuerCertificate
  }
  return sent
}

export interface SvidsOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly wallMs: () => number
  readonly log: Log
}

export class Svids {
  private readonly kept: readonly Kept[]
  private readonly options: SvidsOptions
  private readonly judged = new WeakMap<Socket, Judged>()
  private trusted: Trusted

  private constructor(kept: readonly Kept[], options: SvidsOptions) {
    this.kept = kept
    this.options = options
    this.trusted = this.read()
  }

  /** Rejects with what is wrong with them, or keeps a bundle from being used. */
  static async open(config: SidecarConfig, options: SvidsOptions): Promise<Svids> {
    const read = readTrustDomains(config)
    if (!read.ok) throw new Error(read.error.join('; '))
    return new Svids(await Promise.all(read.value.map((one) => open(one, options.log))), options)
  }

  /** The authorities of all trust domains together, in PEM: whom a handshake may lead to. */
  get authorities(): string {
    return this.trusted.pem
  }

  /** Looks at the files again and again, until `close`; hears when authorities have changed. */
  follow(onChange: () => void): void {
    for (const { file } of this.kept) {
      file?.follow(LOOK_MS, (outcome) => {
        if (outcome === 'refused') return
        this.trusted = this.read()
        onChange()
      })
    }
  }

  /**
   * Looks at who has shaken hands; `by`: the authorities by which OpenSSL judged it (`authorities` of when the handshake
   * began). Where one of those has gone meanwhile, what it said counts for nothing. Whether it is somebody.
   */
  admit(socket: Socket, by: string): boolean {
    const { domains, pem } = this.trusted
    const judged = this.look(socket, by === pem || areKept(certificatesIn(by), domains))
    this.judged.set(socket, judged)
    return judged.found.ok
  }

  /** Who a connection's client is, by what it has shown, until then (monotonic); the reason where it is nobody. */
  of(socket: Socket): Result<Shown, string> {
    const found = this.judge(socket)
    if (!found.ok) return found
    const { now, wallMs } = this.options
    const leftMs = found.value.untilMs - wallMs()
    return leftMs > 0 ? ok({ ...found.value, untilMs: now() + leftMs }) : fail('it has expired')
  }

  close(): void {
    for (const { file } of this.kept) file?.close()
  }

  private judge(socket: Socket): Result<Shown, string> {
    const before = this.judged.get(socket)
    if (before?.domains === this.trusted.domains) return before.found
    const judged = before?.isUnseen ? this.again(before) : this.look(socket, false)
    this.judged.set(socket, judged)
    return judged.found
  }

  /** Of a chain that nobody here has seen. */
  private again(before: Judged): Judged {
    const { domains } = this.trusted
    return areKept(authoritiesOf(before.domains), domains)
      ? { ...before, domains }
      : { domains, found: fail(GONE), isUnseen: false }
  }

  /** `isByNow`: OpenSSL has found its chain by authorities that all hold now. */
  private look(socket: Socket, isByNow: boolean): Judged {
    const { domains } = this.trusted
    const sent = socket instanceof TLSSocket ? sentBy(socket) : []
    const isVouched = socket instanceof TLSSocket && socket.authorized
    if (sent.length > 0 && !isVouched) {
      return { domains, found: fail('its chain leads to none of the authorities'), isUnseen: false }
    }
    const svid = svidOf(sent, domains, this.options.wallMs(), isByNow && isVouched)
    if (!svid.ok) return { domains, found: svid, isUnseen: false }
    const { untilMs, isUnseen } = svid.value
    return { domains, found: ok({ principal: principalOf(svid.value), untilMs }), isUnseen }
  }

  private read(): Trusted {
    const domains = this.kept.map(({ source: { name, ids }, pem }) => ({
      name,
      ids,
      authorities: certificatesIn(pem()),
    }))
    return { domains, pem: this.kept.map(({ pem }) => pem()).join('\n') }
  }
}
