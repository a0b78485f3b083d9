// A web server that says what it is asked for, for pods that something reaches or doesn't; also by UDP where a port is given.

import type { Json } from './api.ts'

export const webContainer = (port: number, udpPort = -1): Json => ({
  name: 'web',
  image: 'outrigger.test/agnhost:1',
  imagePullPolicy: 'Never',
  args: ['netexec', `--http-port=${port}`, `--udp-port=${udpPort}`],
})
