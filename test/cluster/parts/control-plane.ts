// The command lines of etcd, API server, controller manager and scheduler. Nothing is started here.

import { join } from 'node:path'
import { NODE_ADDRESS } from '../machine/namespaces.ts'

const ETCD = 'http://127.0.0.1:2379'
export const API_SERVER = 'https://127.0.0.1:6443'
/** The API server as the node's parts and the pods' Service reach it. */
export const API_SERVER_ON_NODE = `https://${NODE_ADDRESS}:6443`
export const POD_RANGE = '10.124.0.0/16'
const SERVICE_RANGE = '10.96.0.0/16'

type Flags = Readonly<Record<string, string>>

const line = (program: string, flags: Flags): readonly string[] => [
  program,
  ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
]

/** etcd without fsync: its data is thrown away with the cluster. */
export const etcd = (program: string, dir: string): readonly string[] =>
  line(program, {
    'data-dir': join(dir, 'etcd'),
    'listen-client-urls': ETCD,
    'advertise-client-urls': ETCD,
    'listen-peer-urls': 'http://127.0.0.1:2380',
    'unsafe-no-fsync': 'true',
    'log-level': 'warn',
  })

export const apiServer = (program: string, certificates: string): readonly string[] => {
  const file = (name: string): string => join(certificates, name)
  return line(program, {
    'etcd-servers': ETCD,
    'advertise-address': NODE_ADDRESS,
    'bind-address': '0.0.0.0',
    'secure-port': '6443',
    'service-cluster-ip-range': SERVICE_RANGE,
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'allow-privileged': 'true',
    'client-ca-file': file('ca.crt'),
    'tls-cert-file': file('apiserver.crt'),
    'tls-private-key-file': file('apiserver.key'),
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'service-account-key-file': file('service-account.pub'),
    'service-account-signing-key-file': file('service-account.key'),
    'requestheader-client-ca-file': file('front-proxy-ca.crt'),
    'requestheader-allowed-names': 'front-proxy-client',
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'proxy-client-cert-file': file('front-proxy-client.crt'),
    'proxy-client-key-file': file('front-proxy-client.key'),
    'kubelet-certificate-authority': file('ca.crt'),
    'kubelet-client-certificate': file('apiserver-kubelet-client.crt'),
    'kubelet-client-key': file('apiserver-kubelet-client.key'),
    // Else logs and exec look the node's name up in a DNS that does not know it.
    'kubelet-preferred-address-types': 'InternalIP',
  })
}

/** What both clients of the API server are told: by whom they are known, and that there is one of each. */
const aloneWith = (kubeconfig: string): Readonly<Record<string, string>> => ({
  kubeconfig,
  'authentication-kubeconfig': kubeconfig,
  'authorization-kubeconfig': kubeconfig,
  'bind-address': '127.0.0.1',
  'leader-elect': 'false',
})

export const controllerManager = (
  program: string,
  certificates: string,
  kubeconfig: string,
): readonly string[] =>
  line(program, {
    ...aloneWith(kubeconfig),
    // Without it the node's not-ready taint is never taken off.
    'use-service-account-credentials': 'true',
    'allocate-node-cidrs': 'false',
    'root-ca-file': join(certificates, 'ca.crt'),
    'service-account-private-key-file': join(certificates, 'service-account.key'),
    'cluster-signing-cert-file': join(certificates, 'ca.crt'),
    'cluster-signing-key-file': join(certificates, 'ca.key'),
  })

export const scheduler = (program: string, kubeconfig: string): readonly string[] =>
  line(program, {
    ...aloneWith(kubeconfig),
  })
