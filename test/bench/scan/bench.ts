// The scan bench: what the strict read of one message costs beside JSON.parse of the same bytes, which
// checks less and says nothing of where things stand.

import { readJson } from '../../../sidecar/json/text.ts'
import type { Bench } from '../bench.ts'
import type { Figure } from '../report.ts'
import { median } from '../statistics.ts'
import { argumentsOf, SHAPES, type Shape } from '../bridge/requests.ts'

const BYTES_A_ROUND = 32 * 1024 * 1024
const WARMUP_CALLS = 2000
const MAX_CALLS = 50_000
const ROUNDS = 5

const bodyOf = (shape: Shape): Buffer =>
  Buffer.from(
    JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'echo', arguments: argumentsOf(shape) },
    }),
  )

/** Microseconds a call. */
const time = (calls: number, work: () => unknown): number => {
  const start = process.hrtime.bigint()
  for (let call = 0; call < calls; call++) work()
  return Number(process.hrtime.bigint() - start) / calls / 1000
}

const measure = (shape: Shape, rounds: number): Figure => {
  const body = bodyOf(shape)
  const calls = Math.min(MAX_CALLS, Math.ceil(BYTES_A_ROUND / body.length))
  const scan = (): unknown => readJson(body)
  const parse = (): unknown => JSON.parse(body.toString())
  time(WARMUP_CALLS, scan)
  time(WARMUP_CALLS, parse)
  const samples = Array.from({ length: rounds }, () => [time(calls, scan), time(calls, parse)])
  return {
    body: shape,
    bytes: body.length,
    'scan us': median(samples.map(([first = 0]) => first)) ?? 0,
    'JSON.parse us': median(samples.map(([, second = 0]) => second)) ?? 0,
  }
}

export const scanBench: Bench = {
  name: 'scan',
  summary: 'the strict read of a message beside JSON.parse',
  run: ({ rounds, quick, cells, against, progress }) => {
    if (against !== undefined) return Promise.reject(new Error('--against: bridge alone has it'))
    const shapes = SHAPES.filter(
      (shape) => cells.length === 0 || cells.some((part) => shape.includes(part)),
    )
    const figures = shapes.map((shape) => {
      progress(shape)
      return measure(shape, quick ? 1 : (rounds ?? ROUNDS))
    })
    return Promise.resolve({ figures, budgets: [], faults: [] })
  },
}
