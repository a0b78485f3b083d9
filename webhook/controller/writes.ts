// Companions as they are written: by server-side apply with a field manager of our own, onto an object that is known to be
// ours or where there is none. What is not ours is never written and never deleted. Fails closed: what cannot be told is left.

import { objectAt, stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import type { Requests } from '../kube/requests.ts'
import { isOurs, isRight } from './drift.ts'
import { standingOf, type Standing } from './standing.ts'

export const FIELD_MANAGER = 'outrigger-controller'

const COLLECTIONS = new Map([
  ['NetworkPolicy', ['/apis/networking.k8s.io/v1', 'networkpolicies']],
  ['Service', ['/api/v1', 'services']],
])

const pathOf = (kind: string, namespace: string, name: string): string => {
  const [group = '', plural = ''] = COLLECTIONS.get(kind) ?? []
  return `${group}/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`
}

/** What became of a companion: it stood right, was written, or is somebody else's. */
export type Written = 'right' | 'written' | 'foreign'

const place = (object: JsonObject): readonly [kind: string, path: string] => {
  const kind = stringAt(object, 'kind') ?? ''
  const namespace = stringAt(object, 'metadata', 'namespace') ?? ''
  return [kind, pathOf(kind, namespace, stringAt(object, 'metadata', 'name') ?? '')]
}

/** A port that somebody has added to a Service of ours stays through an apply: then the list is written whole. */
const settle = async (
  requests: Requests,
  wanted: JsonObject,
  applied: JsonObject,
  signal: AbortSignal,
): Promise<void> => {
  const [kind, path] = place(wanted)
  if (isRight(standingOf(kind, applied), wanted)) return
  const { uid = '', resourceVersion = '' } = objectAt(applied, 'metadata')
  const { spec = {} } = wanted
  const body = JSON.stringify({ metadata: { uid, resourceVersion }, spec })
  const query = `?fieldManager=${FIELD_MANAGER}`
  const contentType = 'application/merge-patch+json'
  await requests.write({ method: 'PATCH', path: `${path}${query}`, contentType, body }, signal)
}

/** Puts one companion right; `known` is what stands there, as far as it is followed. */
export const putRight = async (
  requests: Requests,
  wanted: JsonObject,
  known: Standing | undefined,
  signal: AbortSignal,
): Promise<Written> => {
  if (known && isRight(known, wanted)) return 'right'
  const [kind, path] = place(wanted)
  // It is read again, since what is followed may be late, and what is not labelled is not followed.
  const live = await requests.get(path, signal)
  const standing = live && standingOf(kind, live)
  if (standing && !isOurs(standing, wanted)) return 'foreign'
  if (standing && isRight(standing, wanted)) return 'right'
  // With its uid no other object of the name is meant; where there is none, nobody's fields are taken.
  const body = standing ? withAt(wanted, ['metadata', 'uid'], standing.uid) : wanted
  const query = `?fieldManager=${FIELD_MANAGER}&force=${standing !== undefined}`
  const contentType = 'application/apply-patch+yaml'
  const { object } = await requests.write(
    { method: 'PATCH', path: `${path}${query}`, contentType, body: JSON.stringify(body) },
    signal,
  )
  await settle(requests, wanted, object, signal)
  return 'written'
}

/** Takes away that very object; one that is gone is fine. */
export const takeAway = async (
  requests: Requests,
  { kind, namespace, name, uid }: Standing,
  signal: AbortSignal,
): Promise<void> => {
  const body = JSON.stringify({ preconditions: { uid } })
  await requests.write(
    { method: 'DELETE', path: pathOf(kind, namespace, name), body },
    signal,
    [404, 409],
  )
}
