// The body of a POST, whole and bounded. Who asked whether to send it hears so here, and not before it is known who calls.

import type { Budget } from '../bytes/budget.ts'
import { readBody, type Read } from '../http/body.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { Passage, Stage } from './stage.ts'

const take = (passage: Passage, read: Read): Fault | undefined => {
  if (read === undefined) return fault('invalid-request', 'the body broke off')
  if (!read.ok) return read.error
  passage.body = read.value
  return undefined
}

export const body =
  (budget: Budget): Stage =>
  (passage) => {
    const { request, reply } = passage
    if (request.method !== 'POST') return undefined
    if (request.headers.expect !== undefined) reply.continue()
    return new Promise((resolve) => {
      readBody(request, budget, (read) => resolve(take(passage, read)))
    })
  }
