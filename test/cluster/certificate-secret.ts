// A certificate that signs itself, as a Secret: made by openssl, good for a day.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Json } from './api.ts'
import { run, words } from './machine/run.ts'

export const certificateSecret = async (name: string): Promise<Json> => {
  const folder = mkdtempSync(join(tmpdir(), 'outrigger-certificate-'))
  const [certificate, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  try {
    const made = 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1'
    const subject = `-subj /CN=${name} -addext subjectAltName=DNS:${name}`
    await run([...words(`${made} ${subject}`), '-keyout', key, '-out', certificate])
    const stringData = {
      'tls.crt': readFileSync(certificate, 'utf8'),
      'tls.key': readFileSync(key, 'utf8'),
    }
    const metadata = { name }
    return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/tls', stringData }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
