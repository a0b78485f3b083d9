// What the webhook's answer makes of a pod. Pure; it throws with the webhook's words where it denies.

import { applyPatch, type Operation } from '../../webhook/inject/patch.ts'
import { at, isObject, stringAt, type JsonObject } from '../../shared/json.ts'

const OPERATIONS = new Set(['add', 'replace', 'remove'])

const isOperation = (value: unknown): value is Operation =>
  isObject(value) &&
  OPERATIONS.has(stringAt(value, 'op') ?? '') &&
  stringAt(value, 'path') !== undefined

const operationsIn = (response: JsonObject): readonly Operation[] => {
  const text = Buffer.from(stringAt(response, 'patch') ?? '', 'base64').toString()
  const patch: unknown = text === '' ? [] : JSON.parse(text)
  if (!Array.isArray(patch) || !patch.every(isOperation)) {
    throw new Error('the webhook answered with something that is no JSON patch')
  }
  return patch
}

/** The pod after the patch of an AdmissionReview's response. */
export const admitted = (pod: JsonObject, review: unknown): JsonObject => {
  const response = isObject(review) ? at(review, 'response') : undefined
  if (!isObject(response) || at(response, 'allowed') !== true) {
    const reason = isObject(response) ? stringAt(response, 'status', 'message') : undefined
    throw new Error(`the webhook denied the pod: ${reason ?? 'it gave no reason'}`)
  }
  const after = applyPatch(pod, operationsIn(response))
  if (!after.ok) throw new Error(after.error)
  return after.value
}
