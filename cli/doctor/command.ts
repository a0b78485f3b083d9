// `outrigger doctor`: what is wrong with Outrigger in a cluster, each with what to do. Reads, and creates a pod in a dry run:
// nothing stays.

import { ok, type Result } from '../../shared/result.ts'
import { connectObjects } from '../../webhook/kube/client.ts'
import { clusterBy } from '../command/cluster.ts'
import { defineCommand, tell, type Io } from '../command/command.ts'
import type { FlagTable, Given } from '../command/flags.ts'
import { OWN_NAMESPACE, parseNamespace } from '../command/namespace.ts'
import { OUTPUT, readIsJson } from '../command/output-flag.ts'
import { diagnose } from './diagnosis.ts'
import { examine } from './in-cluster.ts'
import { diagnosisJson, diagnosisText, isWell } from './text.ts'

const NAME = 'doctor'

const FLAGS = {
  namespace: {
    short: 'n',
    value: 'NAME',
    doc: 'where a pod that asks for a server is created in a dry run (default: default)',
  },
  output: OUTPUT,
} as const satisfies FlagTable

interface Flags {
  readonly namespace: string
  readonly isJson: boolean
}

const readFlags = (given: Given): Result<Flags, string> => {
  const namespace = parseNamespace(given.text('namespace'))
  if (!namespace.ok) return namespace
  const isJson = readIsJson(given)
  return isJson.ok ? ok({ namespace: namespace.value ?? 'default', isJson: isJson.value }) : isJson
}

const run = async ({ namespace, isJson }: Flags, io: Io): Promise<number> => {
  const cluster = clusterBy(() => connectObjects(io.signal), io)
  const seen = cluster.ok ? await examine(cluster.value, namespace, new Date()) : cluster
  if (!seen.ok) {
    tell(io, NAME, seen.error)
    return 1
  }
  const findings = diagnose(seen.value, { namespace, own: OWN_NAMESPACE })
  io.stdout(isJson ? diagnosisJson(findings) : diagnosisText(findings))
  return isWell(findings) ? 0 : 1
}

export const doctor = defineCommand({
  name: NAME,
  synopsis: '[-n NAME] [flags]',
  about: `Checks Outrigger in a cluster, a line each with what to do: versions of API server and kubelets, webhook
configurations, the policies of the final state, the webhook and its certificates, the controller with its Lease, its
rights and the companions that it keeps, whether a pod that asks for a server comes back with its sidecar (a dry run:
nothing stays), labels of namespaces, workloads without their sidecar, and what enforces NetworkPolicies and egress. Of
the cluster that kubectl would take (KUBECONFIG). Exits with 1 where there is a fault, or what a check is about could
not be read.`,
  flags: FLAGS,
  cleansUp: false,
  readFlags,
  run,
})
