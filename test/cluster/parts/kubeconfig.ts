// Kubeconfigs of the cluster's own parts and of people, with their certificates inlined.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'

const base64 = (file: string): string => readFileSync(file).toString('base64')

/** Writes a kubeconfig for one of the certificates; gives its path. */
export const writeKubeconfig = (
  file: string,
  certificates: string,
  { user, server }: { readonly user: string; readonly server: string },
): string => {
  const name = 'outrigger'
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [
      {
        name,
        cluster: {
          server,
          'certificate-authority-data': base64(join(certificates, 'ca.crt')),
        },
      },
    ],
    users: [
      {
        name: user,
        user: {
          'client-certificate-data': base64(join(certificates, `${user}.crt`)),
          'client-key-data': base64(join(certificates, `${user}.key`)),
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user } }],
  }
  writeFileSync(file, stringify(config), { mode: 0o600 })
  return file
}
