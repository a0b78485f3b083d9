// The caller beside the floods, in a process of its own: one session, 100 small calls a second, each sent when it is due
// whether the last has been answered or not. It ends with its stdin and says what it has seen, as JSON.

import { openSession, post, toolCall } from './clients.ts'

const [url = ''] = process.argv.slice(2)
const EACH_MS = 10
/** A session has 64. */
const MAX_IN_FLIGHT = 60

export type Seen = {
  readonly calls: number
  readonly failures: readonly string[]
  readonly milliseconds: readonly number[]
}

const failures: string[] = []
const milliseconds: number[] = []
let calls = 0
let inFlight = 0

const session = await openSession(url)

const call = async (dueMs: number): Promise<void> => {
  calls++
  if (inFlight >= MAX_IN_FLIGHT) {
    failures.push(`${MAX_IN_FLIGHT} calls had no answer yet`)
    return
  }
  inFlight++
  try {
    const { status } = await post(url, session, toolCall(calls, 'small', 100))
    if (status !== 200) failures.push(`HTTP ${status}`)
  } catch (error) {
    failures.push(String(error))
  }
  inFlight--
  milliseconds.push(performance.now() - dueMs)
}

let dueMs = performance.now()
const ticking = setInterval(() => {
  // What the machine has kept from us is not the sidecar's delay: calls are due when we get to them.
  if (performance.now() - dueMs > 10 * EACH_MS) dueMs = performance.now()
  for (; dueMs <= performance.now(); dueMs += EACH_MS) void call(performance.now())
}, EACH_MS)

process.stdin.resume()
process.stdin.on('end', () => {
  clearInterval(ticking)
  const seen: Seen = { calls, failures, milliseconds }
  process.stdout.write(JSON.stringify(seen), () => process.exit(0))
})
process.stdout.write('probing\n')
