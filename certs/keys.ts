// Key pairs, made natively and off the main thread: node-forge would block the process for seconds.

import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'

export interface KeyPair {
  readonly privateKeyPem: string
  readonly publicKeyPem: string
}

const generate = promisify(generateKeyPair)
// RSA, since node-forge, which signs the certificates, knows no elliptic curves.
const BITS = 2048

export const createKeyPair = async (): Promise<KeyPair> => {
  const { privateKey, publicKey } = await generate('rsa', { modulusLength: BITS })
  return {
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}
