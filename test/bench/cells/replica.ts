// A sidecar that is one of two replicas, as the bench starts them: no name server of this machine knows their Service, so from
// its source.

import { runFromSource } from '../from-source.ts'
import { siblings } from './siblings.ts'

await runFromSource(({ host }) => ({
  pod: { addresses: [host], listeners: () => [], facts: {} },
  resolveService: async () => siblings(host),
}))
