// Everything that images are built of and the network is needed for. There is none inside a cluster:
// whoever runs tests there makes it before.

import { npmPackage, wheels } from './downloads.ts'
import { buildRoot, glibcRoot, muslObstacle, muslRoot, pythonRoot } from './roots.ts'

export const prepareImages = async (cache: string): Promise<void> => {
  await glibcRoot(cache)
  await buildRoot(cache)
  if (muslObstacle() === undefined) await muslRoot(cache)
  await pythonRoot(cache)
  await npmPackage(cache)
  await wheels(cache)
}
