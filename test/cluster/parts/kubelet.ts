// The kubelet: its configuration file and its command line. Its cgroup root is the cluster's own.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { NODE_ADDRESS } from '../machine/namespaces.ts'
import { NODE_NAME } from './certificates.ts'
import { runtimeEndpoint } from './containerd.ts'

/** The Service address of the cluster's DNS. */
export const DNS_ADDRESS = '10.96.0.10'

export interface KubeletOptions {
  readonly program: string
  readonly dir: string
  readonly certificates: string
  readonly kubeconfig: string
  readonly cgroupRoot: string
}

const configuration = (options: KubeletOptions): Readonly<Record<string, unknown>> => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  address: NODE_ADDRESS,
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: join(options.certificates, 'ca.crt') },
  },
  authorization: { mode: 'Webhook' },
  tlsCertFile: join(options.certificates, 'kubelet-server.crt'),
  tlsPrivateKeyFile: join(options.certificates, 'kubelet-server.key'),
  clusterDNS: [DNS_ADDRESS],
  clusterDomain: 'cluster.local',
  resolvConf: join(options.dir, 'resolv.conf'),
  containerRuntimeEndpoint: runtimeEndpoint(options.dir),
  cgroupRoot: options.cgroupRoot,
  cgroupDriver: 'cgroupfs',
  failCgroupV1: false,
  failSwapOn: false,
  volumePluginDir: join(options.dir, 'volume-plugins'),
  // A full disk or a busy machine is not what these tests are about; local images cannot come again.
  evictionHard: { 'memory.available': '64Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
  syncFrequency: '10s',
})

/** Writes the configuration and gives the command line. */
export const kubelet = (options: KubeletOptions): readonly string[] => {
  mkdirSync(join(options.dir, 'volume-plugins'), { recursive: true })
  writeFileSync(join(options.dir, 'resolv.conf'), '')
  const file = join(options.dir, 'kubelet.yaml')
  writeFileSync(file, stringify(configuration(options)))
  return [
    options.program,
    `--config=${file}`,
    `--kubeconfig=${options.kubeconfig}`,
    `--hostname-override=${NODE_NAME}`,
    `--node-ip=${NODE_ADDRESS}`,
  ]
}
