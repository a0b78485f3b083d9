// `inject`, `uninject` and `explain` as subcommands: reads flags and files, prints what the pure
// functions made of them.

import { parseArgs } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { messageOf } from '../../shared/message.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import {
  parseClusterConfig,
  readClusterConfig,
  type ClusterConfig,
} from '../../webhook/cluster/config.ts'
import { isObject } from '../../shared/json.ts'
import { namespaceOf, type Namespace } from '../../webhook/cluster/namespace.ts'
import { isHelp, misuse, type Command, type Io } from '../command/command.ts'
import { oneFile } from '../command/file-flag.ts'
import { readText } from '../command/read-text.ts'
import { explainManifest } from './explain.ts'
import { injectManifest } from './inject.ts'
import type { ManifestOptions, ManifestResult } from './manifest.ts'
import { namespacesIn } from './templates.ts'
import { uninjectManifest } from './uninject.ts'

// No sidecar image can be the right one for every cluster; this is what `npm run build` is tagged.
const DEFAULT_CONFIG = { sidecar: { image: 'outrigger-sidecar:0.1.0' } }

const readConfig = async (file: string | undefined): Promise<Result<ClusterConfig, string[]>> => {
  if (file === undefined) return parseClusterConfig(DEFAULT_CONFIG)
  const text = await readText(file)
  if (!text.ok) return fail([text.error])
  const config = readClusterConfig(text.value)
  return config.ok ? config : fail(config.error.map((line) => `${file}: ${line}`))
}

const readNamespaces = async (file: string | undefined): Promise<Result<Namespace[], string[]>> => {
  if (file === undefined) return ok([])
  const text = await readText(file)
  if (!text.ok) return fail([text.error])
  const found = parseAllDocuments(text.value).flatMap((document) => {
    const value: unknown = document.errors.length > 0 ? undefined : document.toJS()
    return isObject(value) ? namespacesIn(value).map(namespaceOf) : []
  })
  return found.length > 0 ? ok(found) : fail([`${file}: holds no Namespace`])
}

const FLAGS = {
  file: { type: 'string', short: 'f', multiple: true },
  config: { type: 'string' },
  namespace: { type: 'string', short: 'n' },
  'namespace-file': { type: 'string' },
} as const

interface Flags {
  readonly file: string
  readonly config: string | undefined
  readonly namespace: string | undefined
  readonly namespaceFile: string | undefined
}

const readFlags = (args: readonly string[]): Result<Flags, string> => {
  try {
    const { values } = parseArgs({ args: [...args], options: FLAGS, strict: true })
    const { config, namespace } = values
    const file = oneFile(
      values.file,
      'say which manifest to read: -f FILE, or -f - for standard input',
    )
    return file.ok
      ? ok({ file: file.value, config, namespace, namespaceFile: values['namespace-file'] })
      : file
  } catch (error) {
    return fail(messageOf(error))
  }
}

const readOptions = async (flags: Flags): Promise<Result<ManifestOptions, string[]>> => {
  const config = await readConfig(flags.config)
  const namespaces = await readNamespaces(flags.namespaceFile)
  if (!config.ok || !namespaces.ok) {
    return fail([...(config.ok ? [] : config.error), ...(namespaces.ok ? [] : namespaces.error)])
  }
  const [first] = namespaces.value
  return ok({
    file: flags.file,
    config: config.value,
    isDefaultConfig: flags.config === undefined,
    namespace: flags.namespace ?? first?.name ?? 'default',
    namespaces: namespaces.value,
  })
}

type Run = (text: string, options: ManifestOptions) => ManifestResult

const report = (io: Io, name: string, problems: readonly string[]): number => {
  for (const problem of problems) io.stderr(`outrigger ${name}: ${problem}\n`)
  return 1
}

const runCommand = async (name: string, run: Run, flags: Flags, io: Io): Promise<number> => {
  const options = await readOptions(flags)
  if (!options.ok) return report(io, name, options.error)
  const text = await readText(flags.file)
  if (!text.ok) return report(io, name, [text.error])
  const { stdout, stderr, exitCode } = run(text.value, options.value)
  io.stdout(stdout)
  io.stderr(stderr)
  return exitCode
}

const OPTIONS = `
  -f, --file FILE        multi-document YAML or JSON; - reads standard input
  --config FILE          the cluster configuration (default: a strict one)
  -n, --namespace NAME   for objects that name none (default: default)
  --namespace-file FILE  Namespace objects whose labels and annotations count
`

const manifestCommand = (name: string, more: string, run: Run): Command => ({
  usage: `usage: outrigger ${name} -f FILE|- [options]\n\n${more}\n${OPTIONS}`,
  cleansUp: false,
  run: async (args, io) => {
    if (isHelp(args)) {
      io.stdout(manifestCommand(name, more, run).usage)
      return 0
    }
    const flags = readFlags(args)
    return flags.ok ? runCommand(name, run, flags.value, io) : misuse(io, name, flags.error)
  },
})

export const inject = manifestCommand(
  'inject',
  'Prints the manifest with every pod injected that opts in; the rest goes through untouched.\nA denial prints every reason and nothing else, and exits with 1.',
  injectManifest,
)

export const uninject = manifestCommand(
  'uninject',
  "Gives back the manifest's original meaning.",
  uninjectManifest,
)

export const explain = manifestCommand(
  'explain',
  'Prints, for each pod and workload, its settings, their scopes, and the changes.',
  explainManifest,
)
