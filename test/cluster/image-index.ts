// Images by the way that they take to a cluster: pushed to a registry, read into the image index by
// `outrigger images add`, pulled by the kubelet.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { INDEX_CONFIG_MAP, INDEX_KEY, readImageIndex } from '../../shared/image-index.ts'
import { at, list, type Api } from './api.ts'
import type { OwnTarget } from './describe-cluster.ts'
import { run, words } from './machine/run.ts'
import { waitFor } from './machine/waiting.ts'

const CLI = new URL('../../cli/main.ts', import.meta.url).pathname
const NAMESPACE = 'outrigger-system'

/** Reads images of a registry into the cluster's index. */
export const addImages = async (
  target: OwnTarget,
  registry: string,
  images: readonly string[],
): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'outrigger-index-'))
  try {
    const config = join(folder, 'config.yaml')
    const registries = { [registry]: { allowPlainHttp: true } }
    writeFileSync(config, stringify({ sidecar: { image: 'x' }, registries }))
    const environment = [`KUBECONFIG=${target.kubeconfig}`, `DOCKER_CONFIG=${folder}`]
    const command = [process.execPath, CLI, ...words('images add --apply --config'), config]
    await run(['env', ...environment, ...command, ...images])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** How many tags the index in the cluster knows. */
const tagsInIndex = async (api: Api): Promise<number> => {
  const { body } = await api.get(`/api/v1/namespaces/${NAMESPACE}/configmaps/${INDEX_CONFIG_MAP}`)
  const index = readImageIndex(String(at(body, 'data', INDEX_KEY)))
  if (!index.ok) throw new Error(index.error.join('; '))
  return Object.keys(index.value.tags).length
}

/** Waits until every replica of the webhook has read the index as it is; one that is on its way out may be asked still. */
export const untilIndexIsRead = async (api: Api): Promise<void> => {
  const pods = `/api/v1/namespaces/${NAMESPACE}/pods`
  const tags = await tagsInIndex(api)
  await waitFor('the webhook to read the image index', async () => {
    const { body } = await api.get(pods)
    const replicas = list(body, 'items')
    const isLeaving = replicas.some((pod) => at(pod, 'metadata', 'deletionTimestamp') !== undefined)
    const names = isLeaving ? [] : replicas.map((pod) => String(at(pod, 'metadata', 'name')))
    for (const name of names) {
      const log = await api.get(`${pods}/${name}/log`)
      if (!String(log.body['text']).includes(`"tags":${tags}`)) return undefined
    }
    return names.length > 0 ? true : undefined
  })
}
