// The body of a POST, whole and bounded.

import { readBody } from '../http/body.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { Passage, Stage } from './stage.ts'

const read = async (passage: Passage): Promise<Fault | undefined> => {
  const bytes = await readBody(passage.request)
  if (bytes === undefined) return fault('invalid-request', 'the body broke off')
  if (!bytes.ok) return bytes.error
  passage.body = bytes.value
  return undefined
}

export const body: Stage = (passage) =>
  passage.request.method === 'POST' ? read(passage) : undefined
