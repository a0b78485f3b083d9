// All pages of a list of the server's, asked for in our own name, within bounds, and heard by all who have a use for it.

import { fail, ok, type Result } from '../../shared/result.ts'
import type { Fault } from '../mcp/faults.ts'
import { ALL_CAPABILITIES, modernMeta, ownRequest } from '../mcp/own-request.ts'
import type { Channel } from './channel.ts'
import type { AskTerms, Reading, VettedPart } from './vetting.ts'

/** For all pages of a list. */
const TIMEOUT_MS = 15_000
const MAX_PAGES = 64
const MAX_BYTES = 16 * 1024 * 1024

export interface Asking extends AskTerms {
  readonly channel: Channel
  readonly method: string
  readonly now: () => number
  /** Where there is more of it than may be. */
  readonly tooLong: (words: string) => Fault
  readonly reading: Reading
  /** Who hears of it too, where it is everybody's. */
  readonly beside: () => readonly VettedPart[]
}

/** One reading for all: who has asked says what is wrong with it; the others then ask for themselves. */
const sharedReading = ({ headers, method, reading, beside }: Asking): Reading => {
  const others = new Set(headers ? [] : beside().flatMap((one) => one.reading(method) ?? []))
  return {
    take: (answer) => {
      const taken = reading.take(answer)
      for (const one of others) if (!taken.ok || !one.take(answer).ok) others.delete(one)
      return taken
    },
    done: () => {
      reading.done()
      for (const one of others) one.done()
    },
  }
}

const askPage = (
  { channel, method, version, headers }: Asking,
  cursor: string | undefined,
  timeoutMs: number,
): Promise<Result<string, Fault>> => {
  const isModern = version !== undefined
  const request = ownRequest(method, {
    ...(cursor === undefined ? {} : { cursor }),
    ...(isModern ? { _meta: modernMeta(version, ALL_CAPABILITIES) } : {}),
  })
  const own = isModern ? { 'mcp-protocol-version': version, 'mcp-method': method } : {}
  return new Promise((resolve) => {
    const caller = {
      answer: (text: string): void => resolve(ok(text)),
      notice: (): boolean => true,
      fault: (reason: Fault): void => resolve(fail(reason)),
    }
    channel.call(request, caller, { timeoutMs, headers: () => ({ ...headers?.(), ...own }) })
  })
}

/** The fault is why not all of it is known. */
export const askPages = async (asking: Asking): Promise<Fault | undefined> => {
  const { method, now, tooLong } = asking
  const reading = sharedReading(asking)
  const endMs = now() + TIMEOUT_MS
  let [cursor, bytes]: [string | undefined, number] = [undefined, 0]
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const answer = await askPage(asking, cursor, Math.max(endMs - now(), 1))
    if (!answer.ok) return answer.error
    bytes += answer.value.length
    if (bytes > MAX_BYTES) break
    const taken = reading.take(answer.value)
    if (!taken.ok) return taken.error
    cursor = taken.value
    if (cursor !== undefined) continue
    reading.done()
    return undefined
  }
  return tooLong(`the server's ${method} has more than ${MAX_PAGES} pages or ${MAX_BYTES} bytes`)
}
