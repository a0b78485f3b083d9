// Which kind of server a configuration asks for, behind one interface. Of the other kind nothing is loaded.

import { speaksHttp, type SidecarConfig } from '../../shared/sidecar-config.ts'
import type { ConnectServer } from './server.ts'
import { connectStdio } from './stdio-server.ts'

export const loadServer = async ({
  settings,
}: Pick<SidecarConfig, 'settings'>): Promise<ConnectServer> => {
  if (speaksHttp(settings)) return (await import('./http-server.ts')).connectHttp
  if (settings['spare-processes'] === undefined) return connectStdio
  const { SpareProcesses } = await import('./spare-processes.ts')
  return (config, means, events) =>
    connectStdio(
      config,
      { ...means, createSpares: (options) => new SpareProcesses(options) },
      events,
    )
}
