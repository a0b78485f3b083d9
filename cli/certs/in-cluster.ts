// What an inspection reads of a cluster: one Secret, two configurations, and what each replica says of itself.

import { fail, ok, type Result } from '../../shared/result.ts'
import { stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import type { Objects } from '../../webhook/kube/objects.ts'
import type { Serving } from './inspection.ts'
import { CA_SECRET, CONFIGURATION, KINDS, materialIn, servingIn, type Found } from './material.ts'

/** The Secret that manifests/overlays/cert-manager mounts. */
const MOUNTED_SECRET = 'outrigger-webhook-tls'
const APP_LABEL = 'app.kubernetes.io/name'
const APP = 'outrigger-webhook'
const ADMIN_PORT = 8081
const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1'

export interface SeenCertificates {
  readonly found: Found
  /** What is not known, and why. */
  readonly notes: readonly string[]
}

/** Our authority's Secret, else the one that somebody else keeps. */
const secretIn = async (
  cluster: Objects,
  namespace: string,
  hint: string,
): Promise<Result<JsonObject, string>> => {
  for (const name of [CA_SECRET, MOUNTED_SECRET]) {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${name}`
    const secret = await cluster.get(path)
    if (secret.ok) return ok(withAt(secret.value, ['kind'], 'Secret'))
    if (!secret.error.isMissing) return fail(`Secret ${namespace}/${name}: ${secret.error.why}`)
  }
  return fail(
    `there is neither a Secret ${namespace}/${CA_SECRET} nor ${namespace}/${MOUNTED_SECRET}: apply Outrigger's manifests${hint}`,
  )
}

const configurationsIn = async (
  cluster: Objects,
): Promise<Result<readonly JsonObject[], string>> => {
  const found: JsonObject[] = []
  for (const kind of KINDS) {
    const path = `${CONFIGURATIONS}/${kind.toLowerCase()}s/${CONFIGURATION}`
    const read = await cluster.get(path)
    if (!read.ok) return fail(`${kind} ${CONFIGURATION}: ${read.error.why}`)
    found.push(withAt(read.value, ['kind'], kind))
  }
  return ok(found)
}

/** What each replica serves by, as far as it may be asked. */
const replicasIn = async (
  cluster: Objects,
  namespace: string,
): Promise<Pick<Found, 'serving'> & Pick<SeenCertificates, 'notes'>> => {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`
  const pods = await cluster.list(path)
  if (!pods.ok) {
    return {
      serving: [],
      notes: [`pods cannot be listed, so what replicas serve by is not known: ${pods.error.why}`],
    }
  }
  const running = pods.value.filter(
    (pod) =>
      stringAt(pod, 'metadata', 'labels', APP_LABEL) === APP &&
      stringAt(pod, 'status', 'phase') === 'Running',
  )
  const [serving, notes]: [Serving[], string[]] = [[], []]
  for (const name of running.flatMap((pod) => stringAt(pod, 'metadata', 'name') ?? [])) {
    const metrics = await cluster.text(
      `${path}/${encodeURIComponent(name)}:${ADMIN_PORT}/proxy/metrics`,
    )
    if (metrics.ok) serving.push(servingIn(name, metrics.value))
    else notes.push(`what pod ${name} serves by is not known: ${metrics.error.why}`)
  }
  if (running.length === 0) notes.push('no replica of the webhook runs')
  return { serving, notes }
}

/** The error is what had to be read and could not; `hint`: what else to do where there is nothing. */
export const readCertificates = async (
  cluster: Objects,
  namespace: string,
  hint = '',
): Promise<Result<SeenCertificates, string>> => {
  const secret = await secretIn(cluster, namespace, hint)
  if (!secret.ok) return secret
  const configurations = await configurationsIn(cluster)
  if (!configurations.ok) return configurations
  const { serving, notes } = await replicasIn(cluster, namespace)
  const found = materialIn([secret.value, ...configurations.value])
  return ok({ found: { ...found, serving: [...found.serving, ...serving] }, notes })
}
