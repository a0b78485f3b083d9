// The kubeconfig of a ServiceAccount: whoever has it has that account's rights and no others.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { OwnTarget } from './describe-cluster.ts'
import { createKubectl } from './kubectl.ts'

export interface Account {
  readonly namespace: string
  readonly name: string
}

/** Writes the file, in the cluster's own directory. */
export const accountKubeconfig = async (
  target: OwnTarget,
  { namespace, name }: Account,
): Promise<string> => {
  const kubectl = createKubectl(target)
  const token = (await kubectl.run('-n', namespace, 'create', 'token', name)).trim()
  const ca = readFileSync(join(target.own.dir, 'certificates', 'ca.crt')).toString('base64')
  const cluster = { server: 'https://127.0.0.1:6443', 'certificate-authority-data': ca }
  const file = join(target.own.dir, `${namespace}-${name}.kubeconfig`)
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  }
  writeFileSync(file, stringify(config), { mode: 0o600 })
  return file
}
