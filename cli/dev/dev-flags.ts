// The flags of `outrigger dev`. Pure.

import { fileURLToPath } from 'node:url'
import { fail, ok, type Result } from '../../shared/result.ts'
import { MANY_DOCUMENTS, oneFile } from '../command/file-flag.ts'
import type { FlagTable, Given } from '../command/flags.ts'
import { parsePort } from '../command/port.ts'

const DEV_CONFIG = fileURLToPath(
  new URL('../../manifests/overlays/dev/config.yaml', import.meta.url),
)

export interface EnvFile {
  readonly flag: string
  readonly file: string
}

export interface DevFlags {
  readonly file: string
  readonly config: string
  readonly port: number
  readonly env: readonly string[]
  /** With the flag by which each was named. */
  readonly envFiles: readonly EnvFile[]
  /** Directories by the names of volumes, as they were typed. */
  readonly volumes: ReadonlyMap<string, string>
}

export const DEV_FLAGS = {
  file: { short: 'f', value: 'FILE', doc: 'the manifest, YAML or JSON; - reads standard input' },
  config: {
    value: 'FILE',
    doc: 'the cluster configuration (default: the one of manifests/overlays/dev, which allows callers without a token)',
  },
  port: {
    value: 'N',
    doc: "port of the first pod's MCP endpoint, 0 for any; the others get free ones",
    default: '0',
  },
  env: {
    value: 'NAME=VALUE',
    doc: 'a variable of every server, above what the manifest says; NAME alone takes it from the environment (repeated)',
  },
  'env-from': {
    value: 'FILE',
    doc: 'such variables, a line each, # for comments; --env stands above it (repeated)',
  },
  'env-file': {
    value: 'FILE',
    doc: 'the same, without npx: the Node of npx takes a flag of this name for its own, and sets what stands there for npx itself',
  },
  volume: {
    value: 'NAME=DIR',
    doc: 'the directory that stands for a volume of the manifest (repeated)',
  },
} as const satisfies FlagTable

const readVolumes = (texts: readonly string[]): Result<ReadonlyMap<string, string>, string> => {
  const volumes = new Map<string, string>()
  for (const text of texts) {
    const [, name, directory] = /^([^=]+)=(.+)$/s.exec(text) ?? []
    if (name === undefined || directory === undefined) {
      return fail(
        `--volume ${JSON.stringify(text)}: write NAME=DIR, with the volume's name in the manifest`,
      )
    }
    if (volumes.has(name)) return fail(`--volume ${name} was given twice`)
    volumes.set(name, directory)
  }
  return ok(volumes)
}

const ENV_FLAGS = ['env-file', 'env-from'] as const

export const readDevFlags = ({ text, texts }: Given): Result<DevFlags, string> => {
  const file = oneFile(texts('file'), 'say which manifest to run: -f FILE', MANY_DOCUMENTS)
  if (!file.ok) return file
  const port = parsePort('port', text('port') ?? '')
  if (!port.ok) return port
  const volumes = readVolumes(texts('volume'))
  if (!volumes.ok) return volumes
  return ok({
    file: file.value,
    config: text('config') ?? DEV_CONFIG,
    port: port.value,
    env: texts('env'),
    envFiles: ENV_FLAGS.flatMap((name) => texts(name).map((file) => ({ flag: `--${name}`, file }))),
    volumes: volumes.value,
  })
}
