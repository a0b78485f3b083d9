// `outrigger status`: the workloads that are under Outrigger, whether their pods have the sidecar, and what that was told; by
// `--reaches` those that may reach a backend. Reads a cluster; changes nothing.

import { fail, ok, type Result } from '../../shared/result.ts'
import { connectObjects } from '../../webhook/kube/client.ts'
import { clusterBy } from '../command/cluster.ts'
import { defineCommand, tell, type Io } from '../command/command.ts'
import type { FlagTable, Given } from '../command/flags.ts'
import { EVERYWHERE, readPlace, type Place } from '../command/namespace.ts'
import { OUTPUT, readIsJson } from '../command/output-flag.ts'
import { parseBackend, type Backend } from './backend.ts'
import { readStanding, type Standing } from './in-cluster.ts'
import { reachedBy } from './reached.ts'
import { statusOf, type Row } from './status.ts'
import { isAllWell, reachingJson, reachingText, statusJson, statusText } from './text.ts'

const NAME = 'status'

const FLAGS = {
  namespace: {
    short: 'n',
    value: 'NAME',
    doc: "the namespace to look at (default: the kubeconfig's, else default)",
  },
  'all-namespaces': EVERYWHERE,
  reaches: {
    value: 'HOST[:PORT]',
    doc: 'those alone that may reach this host, by what they declare, and by which of it; without a port, at any',
  },
  output: OUTPUT,
} as const satisfies FlagTable

interface Flags extends Place {
  /** Undefined: everybody is listed. */
  readonly backend: Backend | undefined
  readonly isJson: boolean
}

const readFlags = (given: Given): Result<Flags, string> => {
  const place = readPlace(given)
  if (!place.ok) return place
  const isJson = readIsJson(given)
  if (!isJson.ok) return isJson
  const reaches = given.text('reaches')
  const backend =
    reaches === undefined ? ok(reaches) : parseBackend(reaches, place.value.isEverywhere)
  return backend.ok ? ok({ ...place.value, backend: backend.value, isJson: isJson.value }) : backend
}

/** Everything that may reach it; being able to is nobody's fault. */
const tellReaching = (rows: readonly Row[], backend: Backend, { isJson }: Flags, io: Io): void => {
  const found = rows
    .map((row) => ({ row, ways: reachedBy(backend, row) }))
    .filter(({ ways }) => ways.length > 0)
  io.stdout(isJson ? reachingJson(found) : reachingText(found, backend.text))
}

const tellRows = (rows: readonly Row[], flags: Flags, io: Io): number => {
  if (flags.backend) {
    tellReaching(rows, flags.backend, flags, io)
    return 0
  }
  io.stdout(flags.isJson ? statusJson(rows) : statusText(rows))
  return isAllWell(rows) ? 0 : 1
}

interface Seen {
  readonly rows: readonly Row[]
  readonly standing: Standing
}

const look = async (flags: Flags, io: Io): Promise<Result<Seen, readonly string[]>> => {
  const cluster = clusterBy(() => connectObjects(io.signal), io)
  if (!cluster.ok) return fail([cluster.error])
  const namespace = flags.namespace ?? cluster.value.namespace
  const read = await readStanding(cluster.value, flags.isEverywhere ? undefined : namespace)
  if (!read.ok) return read
  const { objects, config, companions } = read.value
  const rows = statusOf(objects, { namespace, config, companions })
  return ok({ rows, standing: read.value })
}

const run = async (flags: Flags, io: Io): Promise<number> => {
  const seen = await look(flags, io)
  if (!seen.ok) {
    for (const error of seen.error) tell(io, NAME, error)
    return 1
  }
  const { notes, isWhole } = seen.value.standing
  for (const note of notes) tell(io, NAME, note)
  const code = tellRows(seen.value.rows, flags, io)
  return isWhole ? code : 1
}

export const status = defineCommand({
  name: NAME,
  synopsis: '[-n NAME | -A] [flags]',
  about: `Lists the workloads that are under Outrigger: whether their pods run with the sidecar that they ask for and
the configuration names, who is let in, by which policies, what the server may reach, which of its companions are
not there, and the line that makes their pods anew where that is wrong. Of the cluster that kubectl would take
(KUBECONFIG). Exits with 1 where one runs without the sidecar or with another, and where pods, workloads or namespaces
could not be read.`,
  flags: FLAGS,
  cleansUp: false,
  readFlags,
  run,
})
