// What the exporters of OTLP over HTTP have in common: where a signal goes, and how a time is written. Pure.

export type Signal = 'traces' | 'metrics' | 'logs'

const SIGNAL_PATH = /\/v1\/(?:traces|metrics|logs)$/

/** Where a signal goes (OTLP, OTLP/HTTP request), of a collector's endpoint or of one for any signal. */
export const signalUrl = (endpoint: string, signal: Signal): string => {
  const url = new URL(endpoint)
  const base = url.pathname.replace(/\/+$/, '').replace(SIGNAL_PATH, '')
  url.pathname = `${base}/v1/${signal}`
  return url.href
}

/** Seconds and nanoseconds of milliseconds since 1970. */
export const timeOf = (ms: number): [number, number] => [
  Math.floor(ms / 1000),
  Math.round((ms % 1000) * 1e6),
]
