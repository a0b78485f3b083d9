// Outrigger itself on a cluster of our own, for people: what this checkout builds, installed as the README says, and the
// image of its first example.

import { join } from 'node:path'
import { programOf, type Cluster } from './cluster.ts'
import { prepareImages } from './images/prepare.ts'
import { createKubectl } from './kubectl.ts'
import { NODE_ADDRESS } from './machine/namespaces.ts'
import { words } from './machine/run.ts'
import { loadExample, loadOurs } from './node-images.ts'
import type { Sources } from './parts/binaries.ts'

const OVERLAY = join(import.meta.dirname, '../../manifests/overlays/dev')

/** Resolves once the webhook serves. */
export const installCheckout = async (
  { dir, binaries, kubeconfigOutside }: Cluster,
  { cache, say }: Sources,
): Promise<void> => {
  await prepareImages(cache)
  const programs = { staticServer: '', httpServer: '', egressServer: '', helm: '' }
  const own = { dir, cache, address: NODE_ADDRESS, ...programs }
  say('building the images of webhook and sidecar')
  await loadOurs({ own })
  await loadExample({ own })
  const kubectl = createKubectl({
    api: '',
    kubectl: programOf(binaries, 'kubectl'),
    kubeconfig: kubeconfigOutside,
    size: 'full',
  })
  await kubectl.run('apply', '-k', OVERLAY)
  const rollout = words('rollout status deployment/outrigger-webhook --timeout=120s')
  await kubectl.run('-n', 'outrigger-system', ...rollout)
  say(`manifests/overlays/dev is installed; kubectl is ${programOf(binaries, 'kubectl')}`)
}
