// The flags of `inject`, `uninject` and `explain`: few for what only reads, more for what renders. Pure.

import { fail, ok, type Result } from '../../shared/result.ts'
import { MANY_DOCUMENTS, oneFile } from '../command/file-flag.ts'
import type { FlagTable, Given } from '../command/flags.ts'
import { parseNamespace } from '../command/namespace.ts'
import { OUTPUT } from '../command/output-flag.ts'

const FLAGS = {
  file: {
    short: 'f',
    value: 'FILE',
    doc: 'multi-document YAML or JSON; - reads standard input',
  },
  config: { value: 'FILE', doc: 'the cluster configuration (default: a strict one)' },
  namespace: { short: 'n', value: 'NAME', doc: 'for objects that name none (default: default)' },
  'namespace-file': { value: 'FILE', doc: 'Namespace objects whose labels and annotations count' },
} as const satisfies FlagTable

/** Of the commands that render. */
const IMAGE_FLAGS = {
  images: {
    value: 'FILE',
    doc: 'the image index: a ConfigMap that `outrigger images add` printed',
  },
  'resolve-images': { doc: 'ask the registries for images that the index does not know' },
} as const satisfies FlagTable

/** Of whoever judges the pods of manifests. */
export const MANIFEST_FLAGS = { ...FLAGS, ...IMAGE_FLAGS } as const satisfies FlagTable

const REPORT_FLAGS = {
  report: {
    doc: 'print no manifest, but what becomes of the pods of files and directories (-f, repeated)',
  },
  output: { ...OUTPUT, doc: 'of the report: text (the default) or json' },
} as const satisfies FlagTable

/** Which flags a command has, from few to all. */
export const OFFERED = {
  restoring: FLAGS,
  explaining: {
    ...MANIFEST_FLAGS,
    output: OUTPUT,
  },
  reporting: { ...MANIFEST_FLAGS, ...REPORT_FLAGS },
} as const satisfies Readonly<Record<string, FlagTable>>

/** What is read, and by what it is judged. */
export interface SourceFlags {
  readonly files: readonly string[]
  readonly config: string | undefined
  readonly namespace: string | undefined
  readonly namespaceFile: string | undefined
  readonly images: string | undefined
  readonly resolvesImages: boolean
}

export interface Flags extends SourceFlags {
  /** Undefined: no report. */
  readonly report: 'text' | 'json' | undefined
  /** How what is no manifest is printed. */
  readonly output: 'text' | 'json'
}

const MISSING = 'say which manifest to read: -f FILE, or -f - for standard input'

/** One file, but for a report. */
const readFiles = (
  files: readonly string[],
  isReport: boolean,
): Result<readonly string[], string> => {
  if (isReport && files.length > 0) return ok(files)
  const file = oneFile(files, MISSING, MANY_DOCUMENTS)
  return file.ok ? ok([file.value]) : file
}

const readOutput = (output: string | undefined): Result<Flags['output'], string> => {
  if (output === undefined || output === 'text') return ok('text')
  return output === 'json' ? ok('json') : fail(`-o ${JSON.stringify(output)}: use text or json`)
}

/** What was typed, as these commands need it. */
const read = ({ text, texts, has }: Given): Result<Flags, string> => {
  const output = readOutput(text('output'))
  if (!output.ok) return output
  const files = readFiles(texts('file'), has('report'))
  const namespace = parseNamespace(text('namespace'))
  if (!namespace.ok) return namespace
  return files.ok
    ? ok({
        files: files.value,
        config: text('config'),
        namespace: namespace.value,
        namespaceFile: text('namespace-file'),
        images: text('images'),
        resolvesImages: has('resolve-images'),
        report: has('report') ? output.value : undefined,
        output: output.value,
      })
    : files
}

export const readFlags: Readonly<
  Record<keyof typeof OFFERED, (given: Given) => Result<Flags, string>>
> = {
  restoring: read,
  explaining: read,
  reporting: (given) =>
    given.has('output') && !given.has('report') ? fail('-o goes with --report') : read(given),
}
