// Clients' X.509-SVIDs: who each connection's client is by the authorities of the trust domains. Their keys were proven in the
// handshake; what OpenSSL has against their chain counts, too. A client is judged again when authorities have changed.

import { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { fail, ok, type Result } from '../../shared/result.ts'
import { verifiedPrincipal, type Principal } from '../access/principal.ts'
import type { Bundles } from './bundles.ts'
import { svidOf, type Svid, type TrustDomain } from './svid.ts'
import { workloadIdentity } from './workload.ts'

/** A leaf and what lies between it and an authority. */
const MAX_SENT = 8
const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

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
  /** The same as long as each has the same. */
  readonly mark: string
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
  verifiedPrincipal({ by: 'certificate', ...workloadIdentity(trustDomain, id) })

const certificatesIn = (pem: string): readonly X509Certificate[] =>
  (pem.match(BLOCK) ?? []).map((block) => new X509Certificate(block))

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
  readonly bundles: Bundles
  /** Nobody is let in otherwise. */
  readonly areAlone: boolean
}

export class Svids {
  private readonly options: SvidsOptions
  private readonly judged = new WeakMap<Socket, Judged>()
  private readonly listeners: (() => void)[] = []
  private trusted: Trusted

  constructor(options: SvidsOptions) {
    this.options = options
    this.trusted = this.read()
    options.bundles.onLook(() => this.renew())
  }

  get areAlone(): boolean {
    return this.options.areAlone
  }

  /** The authorities of all trust domains together, in PEM: whom a handshake may lead to; empty where there are none. */
  get authorities(): string {
    return this.trusted.pem
  }

  /** Hears when authorities have changed. */
  onChange(listener: () => void): void {
    this.listeners.push(listener)
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

  private renew(): void {
    const now = this.read()
    if (now.mark === this.trusted.mark) return
    this.trusted = now
    for (const listener of this.listeners) listener()
  }

  private read(): Trusted {
    const all = this.options.bundles.all.map(({ source: { name, ids }, current }) => ({
      name,
      ids,
      pem: current()?.authorities ?? '',
    }))
    return {
      domains: all.map(({ name, ids, pem }) => ({ name, ids, authorities: certificatesIn(pem) })),
      pem: all.flatMap(({ pem }) => (pem === '' ? [] : [pem])).join('\n'),
      mark: JSON.stringify(all.map(({ pem }) => pem)),
    }
  }
}
