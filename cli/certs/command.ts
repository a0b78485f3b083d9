// `outrigger certs inspect`: which certificates the webhook and the API server go by, and what is wrong with them. Reads a
// cluster, or files; changes nothing, and shows no key.

import { stringAt } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { connectObjects } from '../../webhook/kube/client.ts'
import { clusterBy } from '../command/cluster.ts'
import { defineCommand, tell, type Io } from '../command/command.ts'
import type { FlagTable, Given } from '../command/flags.ts'
import { OWN_NAMESPACE, parseNamespace } from '../command/namespace.ts'
import { OUTPUT, readIsJson } from '../command/output-flag.ts'
import { readText } from '../command/read-text.ts'
import { verbIn } from '../command/verb.ts'
import { readManifest } from '../manifest/read-manifest.ts'
import { readCertificates } from './in-cluster.ts'
import { inspect } from './inspection.ts'
import { isPem, materialIn, materialInPem, type Found } from './material.ts'
import { inspectionJson, inspectionText } from './text.ts'

const NAME = 'certs'
const FORM = 'certs inspect [FILE...]'

const FLAGS = {
  namespace: {
    short: 'n',
    value: 'NAME',
    doc: `Outrigger's own namespace (default ${OWN_NAMESPACE})`,
  },
  output: OUTPUT,
} as const satisfies FlagTable

interface Flags {
  readonly namespace: string
  readonly files: readonly string[]
  readonly isJson: boolean
}

const readFlags = (given: Given): Result<Flags, string> => {
  const [word, ...files] = given.words
  const verb = verbIn(word, ['inspect'], FORM)
  if (!verb.ok) return verb
  const namespace = parseNamespace(given.text('namespace'))
  if (!namespace.ok) return namespace
  const isJson = readIsJson(given)
  return isJson.ok
    ? ok({ namespace: namespace.value ?? OWN_NAMESPACE, files, isJson: isJson.value })
    : isJson
}

const inFile = async (file: string): Promise<Result<Found, string>> => {
  const text = await readText(file)
  if (!text.ok) return text
  if (isPem(text.value)) return materialInPem(file, text.value)
  const manifest = readManifest(text.value, { file, namespace: OWN_NAMESPACE, namespaces: [] })
  if (!manifest.ok) return fail(manifest.error.join('; '))
  const objects = manifest.value.documents.map(({ value }) => value)
  return objects.some((object) => stringAt(object, 'kind') !== undefined)
    ? ok(materialIn(objects))
    : fail(`${file}: holds neither a certificate in PEM nor an object of Kubernetes`)
}

const inFiles = async (files: readonly string[]): Promise<Result<Found, string>> => {
  const all: Found[] = []
  for (const file of files) {
    const found = await inFile(file)
    if (!found.ok) return found
    all.push(found.value)
  }
  const found = {
    stored: all.find(({ stored }) => stored !== undefined)?.stored,
    bundles: all.flatMap(({ bundles }) => bundles),
    serving: all.flatMap(({ serving }) => serving),
  }
  const isAny = found.stored !== undefined || found.bundles.length + found.serving.length > 0
  return isAny ? ok(found) : fail(`${files.join(', ')}: holds no certificate of the webhook's`)
}

const inCluster = async ({ namespace }: Flags, io: Io): Promise<Result<Found, string>> => {
  const cluster = clusterBy(() => connectObjects(io.signal), io)
  if (!cluster.ok) return cluster
  const read = await readCertificates(cluster.value, namespace, ', or name its namespace by -n')
  if (!read.ok) return read
  for (const note of read.value.notes) tell(io, NAME, note)
  return ok(read.value.found)
}

const run = async (flags: Flags, io: Io): Promise<number> => {
  const found = await (flags.files.length > 0 ? inFiles(flags.files) : inCluster(flags, io))
  if (!found.ok) {
    tell(io, NAME, found.error)
    return 1
  }
  const kubectl = `kubectl -n ${flags.namespace}`
  const inspection = inspect({ ...found.value, now: new Date(), kubectl })
  io.stdout(flags.isJson ? inspectionJson(inspection) : inspectionText(inspection))
  return inspection.faults.length === 0 ? 0 : 1
}

export const certs = defineCommand({
  name: NAME,
  synopsis: 'inspect [FILE...] [flags]',
  about: `Says which authorities there are, whom each caBundle trusts, by what each replica of the webhook serves and until when,
and what is wrong with that, with what to do. Of the cluster that kubectl would take, or of files: objects as kubectl get
-o yaml has them, or certificates in PEM. Shows no key. Exits with 1 where anything is wrong.`,
  flags: FLAGS,
  takesWords: true,
  cleansUp: false,
  readFlags,
  run,
})
