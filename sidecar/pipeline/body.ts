// The body of a POST, whole and bounded. Who asked whether to send it hears so here, and not before it is known who calls.

import type { Budget } from '../bytes/budget.ts'
import { readBody } from '../http/body.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { Passage, Stage } from './stage.ts'

const read = async (passage: Passage, budget: Budget): Promise<Fault | undefined> => {
  if (passage.request.headers.expect !== undefined) passage.reply.continue()
  const read = await readBody(passage.request, budget)
  if (read === undefined) return fault('invalid-request', 'the body broke off')
  if (!read.ok) return read.error
  passage.body = read.value
  return undefined
}

export const body =
  (budget: Budget): Stage =>
  (passage) =>
    passage.request.method === 'POST' ? read(passage, budget) : undefined
