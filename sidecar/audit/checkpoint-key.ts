// The key that signs checkpoints.

import { createPrivateKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'

/** Rejects with what is wrong. */
export const readCheckpointKey = async (
  path: string | undefined,
): Promise<KeyObject | undefined> => {
  if (path === undefined) return undefined
  const key = await readFile(path)
    .then((pem) => createPrivateKey(pem))
    .catch(() => undefined)
  if (key?.asymmetricKeyType === 'ed25519') return key
  throw new Error(`audit: checkpointKey: ${path} holds no Ed25519 private key (PEM)`)
}
