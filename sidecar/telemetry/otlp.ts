// What the exporters of OTLP over HTTP have in common: where a signal goes, whom they believe there, and how a time is
// written. Pure.

export type Signal = 'traces' | 'metrics' | 'logs'

const SIGNAL_PATH = /\/v1\/(?:traces|metrics|logs)$/

/** Where a signal goes (OTLP, OTLP/HTTP request), of a collector's endpoint or of one for any signal. */
export const signalUrl = (endpoint: string, signal: Signal): string => {
  const url = new URL(endpoint)
  const base = url.pathname.replace(/\/+$/, '').replace(SIGNAL_PATH, '')
  url.pathname = `${base}/v1/${signal}`
  return url.href
}

/** Of an exporter: the authorities of a collector's certificate in the place of the usual ones, and of those that variables name. */
export const believing = (ca: string | undefined) =>
  ca === undefined ? {} : { httpAgentOptions: { ca, keepAlive: true } }

/** Seconds and nanoseconds of milliseconds since 1970. */
export const timeOf = (ms: number): [number, number] => [
  Math.floor(ms / 1000),
  Math.round((ms % 1000) * 1e6),
]
