// The tool policy of a pod that runs here: what the manifest's ConfigMap holds, in the sidecar's own directory. Pure.

import { objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { POLICY_DIR, POLICY_KEY, POLICY_VOLUME } from '../../shared/names.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Mounts, VolumeSources } from './volumes.ts'

export interface LocalPolicy {
  readonly text: Buffer | undefined
  /** Where the sidecar reads it; undefined where nothing is denied. */
  readonly path: string | undefined
  readonly notes: readonly string[]
}

const NOTE = 'outrigger.dev/tool-policy: callers may do'

const without = (...notes: readonly string[]): LocalPolicy => ({
  text: undefined,
  path: undefined,
  notes,
})

/** In a cluster no pod starts without the key; without the ConfigMap one runs here, and says so. */
export const localPolicy = (
  pod: JsonObject,
  { supplies, namespace }: Pick<VolumeSources, 'supplies' | 'namespace'>,
): Result<LocalPolicy, string[]> => {
  const volume = objectsAt(pod, 'spec', 'volumes').find(
    (one) => stringAt(one, 'name') === POLICY_VOLUME,
  )
  if (!volume) return ok(without())
  const name = stringAt(volume, 'configMap', 'name') ?? ''
  const supply = supplies('ConfigMap', namespace, name)
  if (!supply) {
    const why = `everything here, since the manifest does not hold ConfigMap ${name}`
    return ok(without(`${NOTE} ${why}; outrigger policy test tries it alone`))
  }
  const text = supply.values.get(POLICY_KEY)
  if (text === undefined)
    return fail([`outrigger.dev/tool-policy: ConfigMap ${name} has no key ${POLICY_KEY}`])
  const notes = [`${NOTE} what ConfigMap ${name} of the manifest allows`]
  return ok({ text, path: `${POLICY_DIR}/${POLICY_KEY}`, notes })
}

/** The volumes with the policy's, which is the sidecar's alone. */
export const withPolicy = (
  { contents, mounts }: Omit<Mounts, 'notes'>,
  { text }: LocalPolicy,
): Omit<Mounts, 'notes'> => {
  if (text === undefined) return { contents, mounts }
  const files = new Map([[POLICY_KEY, text]])
  return {
    contents: new Map([...contents, [POLICY_VOLUME, { kind: 'files', files }]]),
    mounts: [...mounts, { path: POLICY_DIR, volume: POLICY_VOLUME, subPath: '' }],
  }
}
