// What a tool lock says where it lets nothing through. Pure.

import { fault, type Fault } from '../mcp/faults.ts'

export const refusal = (why: string): Fault =>
  fault('not-as-locked', `the tool lock refuses this: ${why}`)

/** Nobody can tell which tool is meant. */
export const unclear = (): Fault =>
  fault(
    'invalid-params',
    'a tool lock has to decide, and what this asks for could be read in two ways',
  )

export const unusable = (method: string, why: string): Fault =>
  fault(
    'unusable-answer',
    `the server's answer to ${method} cannot be used: ${why}, and a tool lock has to tell what it holds`,
  )
