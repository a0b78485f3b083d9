// A company's own proxy as the configuration has it, and the cluster, whose Services may be where it stands.

import { readFile } from 'node:fs/promises'
import { absoluteName, type Cluster } from '../../shared/host-name.ts'
import type { EgressConfig } from '../../shared/sidecar-config.ts'
import { parentAuthorization } from './reach/parent-credentials.ts'
import type { ParentProxy } from './reach/parent.ts'
import { clusterOf } from './reach/resolv-conf.ts'

const RESOLV_CONF = '/etc/resolv.conf'
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 }

/** The cluster that this process is in; undefined outside one. */
export const clusterHere = async (): Promise<Cluster | undefined> =>
  clusterOf(await readFile(RESOLV_CONF, 'utf8').catch(() => ''))

/** Rejects where its authorities cannot be read. */
export const parentOf = async (
  { parentProxy, caFile }: EgressConfig,
  cluster: Cluster | undefined,
): Promise<ParentProxy | undefined> => {
  if (!parentProxy) return undefined
  const { hostname, port, protocol } = new URL(parentProxy.url)
  const { credentialsDir } = parentProxy
  const serverName = hostname.replace(/^\[|\]$/g, '')
  return {
    // It is the company's: no namespace has a Service that could stand in for it, and be told the credentials.
    host: absoluteName(serverName, cluster && { ...cluster, namespace: undefined }),
    serverName,
    port: port === '' ? (DEFAULT_PORTS[protocol] ?? 0) : Number(port),
    isTls: protocol === 'https:',
    ca: caFile === undefined ? undefined : await readFile(caFile, 'utf8'),
    authorization:
      credentialsDir === undefined ? undefined : () => parentAuthorization(credentialsDir),
  }
}
