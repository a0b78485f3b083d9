// What is counted where TLS is spoken. No label value comes from the wire.

import { Counter, Gauge, type Registry } from 'prom-client'

export interface TlsMetrics {
  /** A connection's handshake is over, for one of a few outcomes. */
  readonly tlsHandshake: (outcome: string) => void
  /** The certificate's files have changed. */
  readonly tlsReload: (outcome: 'taken' | 'refused') => void
  /** Until when the certificate that is shown is valid. */
  readonly tlsUntil: (notAfterMs: number) => void
}

/** Without registers they are nowhere to be seen. */
export const tlsMetrics = (registers: Registry[]): TlsMetrics => {
  const handshakes = new Counter({
    name: 'outrigger_tls_handshakes_total',
    help: 'Connections that began where TLS is spoken: done, failed, late, crowded (the oldest of too many), refused (by its certificate), or plain HTTP.',
    labelNames: ['outcome'] as const,
    registers,
  })
  const reloads = new Counter({
    name: 'outrigger_tls_reloads_total',
    help: "Changes of the certificate's files: taken, or refused since they cannot be used.",
    labelNames: ['outcome'] as const,
    registers,
  })
  for (const outcome of ['taken', 'refused']) reloads.inc({ outcome }, 0)
  const until = new Gauge({
    name: 'outrigger_tls_certificate_expiry_timestamp_seconds',
    help: 'When the certificate that is shown to clients expires.',
    registers,
  })
  return {
    tlsHandshake: (outcome) => handshakes.inc({ outcome }),
    tlsReload: (outcome) => reloads.inc({ outcome }),
    tlsUntil: (notAfterMs) => until.set(notAfterMs / 1000),
  }
}
