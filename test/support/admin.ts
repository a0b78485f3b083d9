// What the sidecar says of itself on its admin port.

import { setTimeout as pause } from 'node:timers/promises'
import { until } from './waiting.ts'

export type Admin = {
  readonly port: number
  readonly get: (path: string) => Promise<{ readonly status: number; readonly text: string }>
  /** The value of a metric without labels. */
  readonly metric: (name: string) => Promise<number>
  /** Waits until a metric without labels has a value. */
  readonly reaches: (name: string, wanted: number) => Promise<void>
  /** Waits until the server answers. */
  readonly ready: () => Promise<void>
  /** Waits until the gauges of sessions, children and requests in flight are all zero. */
  readonly idle: () => Promise<void>
}

const WAIT_MS = 60_000
const GAUGES = ['outrigger_sessions', 'outrigger_children', 'outrigger_requests_in_flight']

export const adminOf = (port: number): Admin => {
  const get: Admin['get'] = async (path) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { connection: 'close' },
    })
    return { status: response.status, text: await response.text() }
  }
  const metric: Admin['metric'] = async (name) => {
    const { text } = await get('/metrics')
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
  }
  const idle = async (): Promise<void> => {
    const giveUpAt = Date.now() + WAIT_MS
    for (;;) {
      const values = await Promise.all(GAUGES.map(metric))
      if (values.every((value) => value === 0)) return
      if (Date.now() > giveUpAt) throw new Error(`never idle: ${GAUGES.join()} = ${values.join()}`)
      await pause(50)
    }
  }
  const reaches: Admin['reaches'] = async (name, wanted) => {
    await until(async () => (await metric(name)) === wanted, `${name} is ${wanted}`)
  }
  const ready = async (): Promise<void> =>
    void (await until(async () => (await get('/readyz')).status === 200, 'the server answers'))
  return { port, get, metric, reaches, ready, idle }
}
