// The sidecar as `outrigger run` starts it, whose issuers may stand on loopback: in a pod that is somebody else's server,
// and refused. From its source, as both sides of the bench.

import { runFromSource } from '../from-source.ts'

await runFromSource()
