// Which scenarios a revision requires of a server, from the lists that the suite's package ships.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { parse } from 'yaml'
import { z } from 'zod'

/** The eras that have a frozen requirement set, with the revision that names it. */
export const ERAS = { legacy: '2025-11-25', modern: '2026-07-28' } as const
export type Era = keyof typeof ERAS

export type Requirements = {
  readonly revision: string
  readonly scored: readonly string[]
  /** Run and reported, with the suite's reason why they never count. */
  readonly notScored: ReadonlyMap<string, string>
}

const schema = z.object({
  server: z.array(z.string()),
  not_scored: z
    .array(z.object({ scenario: z.string(), leg: z.string(), reason: z.string() }))
    .default([]),
})

/** Reads the requirement set of an era. */
export const readRequirements = (era: Era): Requirements => {
  const revision = ERAS[era]
  const file = `@modelcontextprotocol/conformance/requirements/${revision}.yaml`
  const text = readFileSync(createRequire(import.meta.url).resolve(file), 'utf8')
  const { server, not_scored: others } = schema.parse(parse(text))
  return {
    revision,
    scored: server,
    notScored: new Map(
      others
        .filter(({ leg }) => leg === 'server')
        .map(({ scenario, reason }) => [scenario, reason]),
    ),
  }
}
