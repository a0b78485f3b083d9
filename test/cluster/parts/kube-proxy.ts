// kube-proxy in nftables mode: its configuration file and its command line.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { NODE_ADDRESS } from '../machine/namespaces.ts'
import { NODE_NAME } from './certificates.ts'
import { POD_RANGE } from './control-plane.ts'

const configuration = (kubeconfig: string): Readonly<Record<string, unknown>> => ({
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  mode: 'nftables',
  bindAddress: NODE_ADDRESS,
  hostnameOverride: NODE_NAME,
  clusterCIDR: POD_RANGE,
  clientConnection: { kubeconfig },
  // The table's size is the machine's, not the namespace's.
  conntrack: { maxPerCore: 0 },
})

/** Writes the configuration and gives the command line. */
export const kubeProxy = (program: string, dir: string, kubeconfig: string): readonly string[] => {
  const file = join(dir, 'kube-proxy.yaml')
  writeFileSync(file, stringify(configuration(kubeconfig)))
  return [program, `--config=${file}`]
}
