// `outrigger scan`: what looks like an MCP server and is not under Outrigger, who reaches it, and the line that opts it
// in. Reads a cluster, or manifests; changes nothing.

import { stringAt, type JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { connectObjects } from '../../webhook/kube/client.ts'
import { clusterBy } from '../command/cluster.ts'
import { defineCommand, tell, type Io } from '../command/command.ts'
import type { FlagTable, Given } from '../command/flags.ts'
import { manifestFiles } from '../command/manifest-files.ts'
import { EVERYWHERE, readPlace, type Place } from '../command/namespace.ts'
import { OUTPUT, readIsJson } from '../command/output-flag.ts'
import { readText } from '../command/read-text.ts'
import { readManifest } from '../manifest/read-manifest.ts'
import { readCluster } from './in-cluster.ts'
import { scanObjects } from './scan.ts'
import { isAllInside, scanJson, scanText } from './text.ts'

const NAME = 'scan'

const FLAGS = {
  namespace: {
    short: 'n',
    value: 'NAME',
    doc: "the namespace to look at (default: the kubeconfig's, else default); with -f for objects that name none",
  },
  'all-namespaces': EVERYWHERE,
  file: {
    short: 'f',
    value: 'FILE',
    doc: 'look at a manifest, or a directory of them (-f, repeated; - reads standard input), and at no cluster',
  },
  output: {
    ...OUTPUT,
    doc: 'text (the default), or json for programs, with those that are under Outrigger',
  },
} as const satisfies FlagTable

interface Flags extends Place {
  readonly files: readonly string[]
  readonly isJson: boolean
}

const readFlags = (given: Given): Result<Flags, string> => {
  const place = readPlace(given)
  if (!place.ok) return place
  const files = given.texts('file')
  if (place.value.isEverywhere && files.length > 0) {
    return fail('-A looks at a cluster, and -f at files')
  }
  if (files.filter((file) => file === '-').length > 1) return fail('-f - stands twice')
  const isJson = readIsJson(given)
  return isJson.ok ? ok({ ...place.value, files, isJson: isJson.value }) : isJson
}

interface Seen {
  readonly objects: readonly JsonObject[]
  readonly namespace: string
}

const inFiles = async (
  paths: readonly string[],
  namespace: string,
): Promise<Result<Seen, readonly string[]>> => {
  const files = await manifestFiles(paths)
  if (!files.ok) return fail([files.error])
  const parts: (readonly JsonObject[])[] = []
  for (const file of files.value) {
    const text = await readText(file)
    if (!text.ok) return fail([text.error])
    const manifest = readManifest(text.value, { file, namespace, namespaces: [] })
    if (!manifest.ok) return manifest
    parts.push(manifest.value.documents.map(({ value }) => value))
  }
  const objects = parts.flat()
  return objects.some((object) => stringAt(object, 'kind') !== undefined)
    ? ok({ objects, namespace })
    : fail([`${paths.join(', ')}: holds no object of Kubernetes, so nothing was looked at`])
}

const inCluster = async (flags: Flags, io: Io): Promise<Result<Seen, readonly string[]>> => {
  const cluster = clusterBy(() => connectObjects(io.signal), io)
  if (!cluster.ok) return fail([cluster.error])
  const namespace = flags.namespace ?? cluster.value.namespace
  const read = await readCluster(cluster.value, flags.isEverywhere ? undefined : namespace)
  if (!read.ok) return read
  for (const note of read.value.notes) tell(io, NAME, note)
  return ok({ objects: read.value.objects, namespace })
}

const run = async (flags: Flags, io: Io): Promise<number> => {
  const seen = await (flags.files.length > 0
    ? inFiles(flags.files, flags.namespace ?? 'default')
    : inCluster(flags, io))
  if (!seen.ok) {
    for (const error of seen.error) tell(io, NAME, error)
    return 1
  }
  const found = scanObjects(seen.value.objects, seen.value.namespace)
  io.stdout(flags.isJson ? scanJson(found) : scanText(found))
  return isAllInside(found) ? 0 : 1
}

export const scan = defineCommand({
  name: NAME,
  synopsis: '[-n NAME | -A | -f FILE|DIR|-] [flags]',
  about: `Says which workloads look like MCP servers and are not under Outrigger, by which Services, Ingresses and
ports they are reached, and the line that opts each in: those that the world reaches first. A guess from images,
commands, names, ports and the marks of operators. Of the cluster that kubectl would take (KUBECONFIG). Exits with 1 where there is any.`,
  flags: FLAGS,
  cleansUp: false,
  readFlags,
  run,
})
