// What the exporters of OTLP over HTTP have in common: where a signal goes and how, whom they believe there, and how a time is
// written.

import { Agent } from 'node:http'
import type { OwnWay } from '../identity/own-way.ts'
import { WayAgent } from './way-agent.ts'

export type Signal = 'traces' | 'metrics' | 'logs'

const SIGNAL_PATH = /\/v1\/(?:traces|metrics|logs)$/

/** Where a signal goes (OTLP, OTLP/HTTP request), of a collector's endpoint or of one for any signal. */
export const signalUrl = (endpoint: string, signal: Signal): string => {
  const url = new URL(endpoint)
  const base = url.pathname.replace(/\/+$/, '').replace(SIGNAL_PATH, '')
  url.pathname = `${base}/v1/${signal}`
  return url.href
}

/** Of an exporter: how it gets to a collector, and whom it believes there. */
export interface Road {
  /** In PEM, in the place of the usual authorities, and of those that variables name; undefined: these. */
  readonly ca?: string | undefined
  /** To the internet; undefined: as the system goes. */
  readonly way?: OwnWay | undefined
}

export const optionsOf = ({ ca, way }: Road) => {
  const own = { keepAlive: true, ...(ca === undefined ? {} : { ca }) }
  if (way) {
    const agentFor = (protocol: string): Agent =>
      protocol === 'https:' ? new WayAgent(way, own) : new Agent(own)
    return { httpAgentOptions: agentFor }
  }
  return ca === undefined ? {} : { httpAgentOptions: own }
}

/** Seconds and nanoseconds of milliseconds since 1970. */
export const timeOf = (ms: number): [number, number] => [
  Math.floor(ms / 1000),
  Math.round((ms % 1000) * 1e6),
]
