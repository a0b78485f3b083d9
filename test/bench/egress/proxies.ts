// The proxy beside a direct connection, tinyproxy and squid: a large download through a tunnel, and small answers on new connections,
// in short windows by turns.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { BenchContext } from '../bench.ts'
import { judge, type Budget, type Figure, type Report } from '../report.ts'
import { median } from '../statistics.ts'
import { startContenders, startOrigin, type Contender } from './contenders.ts'

const LARGE_BYTES = 64 * 1024 * 1024
const SMALL_BYTES = 200
const SMALL_CALLS = 100
const ROUNDS = 9
const MIB = 1024 * 1024
const AUTHORIZATION = `Basic ${Buffer.from('1:bench').toString('base64')}`
/** What noise explains; nothing more. */
const AS_FAST = 0.97

/** A connection to the origin, by whoever it goes. */
const open = async ({ port }: Contender, origin: number): Promise<Socket> => {
  const socket = connect({ port: port ?? origin, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  if (port === undefined) return socket
  const authority = `127.0.0.1:${origin}`
  socket.write(
    `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\nProxy-Authorization: ${AUTHORIZATION}\r\n\r\n`,
  )
  const [answer] = await once(socket, 'data')
  if (!/^HTTP\/1\.[01] 200/.test(String(answer))) throw new Error(`no tunnel: ${String(answer)}`)
  return socket
}

const fetchBytes = async (contender: Contender, origin: number, bytes: number): Promise<void> => {
  const socket = await open(contender, origin)
  let seen = 0
  socket.on('data', (piece: Buffer) => (seen += piece.length))
  socket.write(`GET /${bytes}\r\n\r\n`)
  await once(socket, 'close')
  if (seen !== bytes) throw new Error(`${contender.name}: ${seen} of ${bytes} bytes`)
}

interface Cell {
  readonly name: string
  readonly unit: string
  /** Windows that are not reported: Node compiles in them. */
  readonly warmUps: number
  /** How much is done in a second of this contender. */
  readonly measure: (contender: Contender, origin: number) => Promise<number>
}

const since = (start: number): number => (performance.now() - start) / 1000

const CELLS: readonly Cell[] = [
  {
    name: 'large download',
    unit: 'MiB/s',
    warmUps: 2,
    measure: async (contender, origin) => {
      const start = performance.now()
      await fetchBytes(contender, origin, LARGE_BYTES)
      return LARGE_BYTES / MIB / since(start)
    },
  },
  {
    name: 'new connections',
    unit: '1/s',
    warmUps: 30,
    measure: async (contender, origin) => {
      const start = performance.now()
      for (let call = 0; call < SMALL_CALLS; call++)
        await fetchBytes(contender, origin, SMALL_BYTES)
      return SMALL_CALLS / since(start)
    },
  },
]

/** Each contender's windows, those of one round beside each other. */
type Windows = ReadonlyMap<string, readonly number[]>

const play = async (
  cell: Cell,
  contenders: readonly Contender[],
  origin: number,
  rounds: number,
): Promise<Windows> => {
  const windows = new Map<string, number[]>(contenders.map(({ name }) => [name, []]))
  for (const contender of contenders) {
    for (let time = 0; time < (rounds === 1 ? 1 : cell.warmUps); time++)
      await cell.measure(contender, origin)
  }
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) {
      windows.get(contender.name)?.push(await cell.measure(contender, origin))
    }
  }
  return windows
}

const ratioTo = (windows: Windows, rival: string): number | undefined => {
  const theirs = windows.get(rival) ?? []
  return median(
    (windows.get('outrigger') ?? []).map((ours, round) => ours / (theirs[round] ?? Number.NaN)),
  )
}

const figureOf = ({ name, unit }: Cell, windows: Windows): Figure => ({
  cell: name,
  unit,
  ...Object.fromEntries(
    [...windows].map(([contender, values]) => [contender, median(values) ?? 0]),
  ),
})

const budgetsOf = ({ name }: Cell, windows: Windows): readonly Budget[] =>
  ['tinyproxy', 'squid'].map((rival) =>
    judge(`${name}, of ${rival}'s`, ratioTo(windows, rival), { atLeast: AS_FAST }, 'times'),
  )

export const PROXY_CELLS: readonly string[] = CELLS.map(({ name }) => name)

/** Those of the cells that are named. */
export const measureProxies = async (
  context: BenchContext,
  folder: string,
  wanted: readonly string[],
): Promise<Report> => {
  const originProgram = await startOrigin()
  const origin = Number(originProgram.ready)
  const contenders = await startContenders(folder, origin)
  try {
    const rounds = context.quick ? 1 : (context.rounds ?? ROUNDS)
    const figures: Figure[] = []
    const budgets: Budget[] = []
    for (const cell of CELLS.filter(({ name }) => wanted.includes(name))) {
      context.progress(cell.name)
      const windows = await play(cell, contenders, origin, rounds)
      figures.push(figureOf(cell, windows))
      budgets.push(...budgetsOf(cell, windows))
    }
    return { figures, budgets, faults: [] }
  } finally {
    for (const { running } of contenders) await running?.stop()
    await originProgram.stop()
  }
}
