// The throw-away certificates of a cluster: one CA for servers and clients, one for the front
// proxy, one key for ServiceAccount tokens. Made by openssl, good for a day.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { NODE_ADDRESS } from '../machine/namespaces.ts'
import { run, words } from '../machine/run.ts'

export const SERVICE_ADDRESS = '10.96.0.1'
export const NODE_NAME = 'node-1'

interface Leaf {
  readonly file: string
  readonly ca: string
  readonly subject: string
  readonly usage: 'serverAuth' | 'clientAuth'
  readonly names?: readonly string[]
}

const client = (file: string, user: string, group?: string): Leaf => ({
  file,
  ca: 'ca',
  subject: group === undefined ? `/CN=${user}` : `/O=${group}/CN=${user}`,
  usage: 'clientAuth',
})

const LEAVES: readonly Leaf[] = [
  client('admin', 'admin', 'system:masters'),
  client('apiserver-kubelet-client', 'kube-apiserver-kubelet-client', 'system:masters'),
  client('controller-manager', 'system:kube-controller-manager'),
  client('scheduler', 'system:kube-scheduler'),
  client('kube-proxy', 'system:kube-proxy'),
  client('kubelet', `system:node:${NODE_NAME}`, 'system:nodes'),
  { ...client('front-proxy-client', 'front-proxy-client'), ca: 'front-proxy-ca' },
  {
    file: 'apiserver',
    ca: 'ca',
    subject: '/CN=kube-apiserver',
    usage: 'serverAuth',
    names: [
      ...words('DNS:kubernetes DNS:kubernetes.default DNS:kubernetes.default.svc'),
      ...words('DNS:kubernetes.default.svc.cluster.local DNS:localhost IP:127.0.0.1'),
      `IP:${NODE_ADDRESS}`,
      `IP:${SERVICE_ADDRESS}`,
    ],
  },
  {
    file: 'kubelet-server',
    ca: 'ca',
    subject: `/O=system:nodes/CN=system:node:${NODE_NAME}`,
    usage: 'serverAuth',
    names: [`DNS:${NODE_NAME}`, `IP:${NODE_ADDRESS}`],
  },
]

const NEW = words('openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1')

const request = (file: string, subject: string, rest: readonly string[]): readonly string[] => [
  ...NEW,
  '-subj',
  subject,
  ...words(`-keyout ${file}.key -out ${file}.crt`),
  ...rest,
]

const extension = (text: string): readonly string[] => ['-addext', text]

/** Makes all of them in a folder of the cluster's directory; gives the folder. */
export const createCertificates = async (dir: string): Promise<string> => {
  const cwd = join(dir, 'certificates')
  mkdirSync(cwd, { recursive: true, mode: 0o700 })
  await Promise.all(
    ['ca', 'front-proxy-ca'].map((ca) =>
      run(request(ca, `/CN=${ca}`, extension('keyUsage=critical,keyCertSign,cRLSign')), { cwd }),
    ),
  )
  await Promise.all([
    run(words('openssl genrsa -out service-account.key 2048'), { cwd }),
    ...LEAVES.map(({ file, ca, subject, usage, names }) =>
      run(
        request(file, subject, [
          ...words(`-CA ${ca}.crt -CAkey ${ca}.key`),
          ...extension('basicConstraints=critical,CA:FALSE'),
          ...extension(`extendedKeyUsage=${usage}`),
          ...(names === undefined ? [] : extension(`subjectAltName=${names.join(',')}`)),
        ]),
        { cwd },
      ),
    ),
  ])
  await run(words('openssl rsa -in service-account.key -pubout -out service-account.pub'), { cwd })
  return cwd
}
