// The flags of `check`. Pure.

import { fail, ok, type Result } from '../../shared/result.ts'
import { LEVELS, type Level } from '../../webhook/settings/modes.ts'
import { oneOf, type FlagTable, type Given } from '../command/flags.ts'
import { parseNamespace } from '../command/namespace.ts'
import { MANIFEST_FLAGS, type SourceFlags } from '../manifest/manifest-flags.ts'

const FORMATS = ['text', 'json', 'sarif'] as const
export type Format = (typeof FORMATS)[number]

export const FLAGS = {
  ...MANIFEST_FLAGS,
  file: {
    short: 'f',
    value: 'FILE',
    doc: 'a manifest, or a directory of them (-f, repeated); - reads standard input',
  },
  level: {
    value: 'LEVEL',
    doc: 'deny by the rules of this level, where the cluster configuration and the namespace ask for less',
    words: [...LEVELS],
  },
  output: {
    short: 'o',
    value: 'FORMAT',
    doc: 'text (the default), json for programs, or sarif for code scanning',
    words: [...FORMATS],
  },
} as const satisfies FlagTable

export interface CheckFlags extends SourceFlags {
  /** Undefined: what the configuration and the namespace ask for. */
  readonly level: Level | undefined
  readonly format: Format
}

/** What was typed, as the command needs it. */
export const readFlags = ({ text, texts, has }: Given): Result<CheckFlags, string> => {
  const files = texts('file')
  if (files.length === 0)
    return fail('say what to check: -f FILE, -f DIR, or -f - for standard input')
  if (files.filter((file) => file === '-').length > 1) return fail('-f - stands twice')
  const said = text('level')
  const level = said === undefined ? ok(undefined) : oneOf('--level', said, LEVELS)
  const format = oneOf('-o', text('output') ?? 'text', FORMATS)
  const namespace = parseNamespace(text('namespace'))
  if (!level.ok) return level
  if (!format.ok) return format
  if (!namespace.ok) return namespace
  return ok({
    files,
    config: text('config'),
    namespace: namespace.value,
    namespaceFile: text('namespace-file'),
    images: text('images'),
    resolvesImages: has('resolve-images'),
    level: level.value,
    format: format.value,
  })
}
