// The tool lock as a document: what may stand in it, for the reader and, as JSON Schema, for editors.

import * as z from 'zod/mini'
import { about, atMost, VERSION } from '../document-words.ts'

export const LOCK_MODES = ['enforce', 'report'] as const

/** Bounds of a document; a ConfigMap holds 1 MiB. */
export const MAX_LOCK_LENGTH = 512 * 1024
export const MAX_LOCKED = 2000
export const MAX_MEMBERS = 64
export const MAX_NAME = 4096

const digest = z
  .string()
  .check(
    z.regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hexadecimal digits'),
    about('Of the canonical JSON (RFC 8785) of what the server says there.'),
  )

const key = z.string().check(z.minLength(1), z.maxLength(MAX_NAME))

const definition = z
  .record(key, digest)
  .check(atMost(MAX_MEMBERS, 'members'), about('Digests by member: description, inputSchema, …'))

const items = (what: string) =>
  z.optional(
    z
      .record(key, definition)
      .check(
        atMost(MAX_LOCKED, what),
        about(`The ${what} as they were approved. Absent: ${what} are not locked.`),
      ),
  )

export const lockSchema = z.strictObject({
  version: VERSION,
  mode: z._default(
    z
      .enum(LOCK_MODES)
      .check(about('`report`: what is new or differs is told, and is neither hidden nor refused.')),
    'enforce',
  ),
  server: z.optional(
    z
      .strictObject({ name: z.optional(z.string()), version: z.optional(z.string()) })
      .check(about('What the server called itself. For people: nothing is decided by it.')),
  ),
  instructions: z.optional(
    z
      .string()
      .check(
        z.regex(
          /^(?:none|sha256:[0-9a-f]{64})$/,
          'must be sha256: and 64 hexadecimal digits, or none',
        ),
        about(
          "A digest of the server's instructions; `none`: it gave none. Absent: instructions are not locked.",
        ),
      ),
  ),
  tools: items('tools'),
  prompts: items('prompts'),
  resources: items('resources'),
  resourceTemplates: items('resource templates'),
})

export type LockDocument = z.output<typeof lockSchema>

/** What editors complete and check by: the JSON Schema of the same document. */
export const lockJsonSchema = (): unknown => ({
  ...z.toJSONSchema(lockSchema, { io: 'input' }),
  title: 'Outrigger tool lock',
})
