// The body of a POST, whole and bounded. Who asked whether to send it hears so here, and not before it is known who calls.

import { readBody } from '../http/body.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { Passage, Stage } from './stage.ts'

const read = async (passage: Passage): Promise<Fault | undefined> => {
  if (passage.request.headers.expect !== undefined) passage.reply.continue()
  const bytes = await readBody(passage.request)
  if (bytes === undefined) return fault('invalid-request', 'the body broke off')
  if (!bytes.ok) return bytes.error
  passage.body = bytes.value
  return undefined
}

export const body: Stage = (passage) =>
  passage.request.method === 'POST' ? read(passage) : undefined
