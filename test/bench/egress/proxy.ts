// Our proxy in a process of its own, with one client and one destination: `proxy.ts PORT`, of the origin on loopback. Says its own port.

import { parseDestinations } from '../../../shared/destination-list.ts'
import { EgressProxy } from '../../../sidecar/egress/proxy/egress-proxy.ts'

const destinations = parseDestinations(`127.0.0.1/32:${process.argv[2] ?? ''}`)
if (!destinations.ok) throw new Error(destinations.error)
const client = { key: '1', overBudget: () => false }
const proxy = new EgressProxy({
  mode: 'enforce',
  destinations: destinations.value,
  resolve: () => Promise.reject(new Error('nothing here has a name')),
  now: () => performance.now(),
  ownAddresses: () => [],
  whoIs: ({ name, secret }) => (name === '1' && secret === 'bench' ? client : undefined),
  watch: {
    attempt: () => ({
      settled: () => undefined,
      bytes: () => undefined,
      ended: () => undefined,
    }),
    stranger: () => undefined,
  },
})
process.stdout.write(`ready ${await proxy.listen(0)}\n`)
