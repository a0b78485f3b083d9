// The image reader of this machine: the docker configuration's credentials, the environment's proxy,
// and a bound on how long all of it may take.

import { readFile } from 'node:fs/promises'
import { ok, type Result } from '../../shared/result.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import { DOCKER } from '../../webhook/images/keeper.ts'
import { BY_HAND } from '../../webhook/images/read-limits.ts'
import { createReader, type Reader } from '../../webhook/images/reader.ts'
import type { Io } from '../command/command.ts'
import { dockerCredentials } from './docker-credentials.ts'

const LONGEST_MS = 20 * 60_000

/** The caller closes it. */
export const readerFor = async (
  { registries }: ClusterConfig,
  io: Pick<Io, 'environment' | 'signal'>,
): Promise<Result<Reader, string>> => {
  const credential = await dockerCredentials(io.environment)
  if (!credential.ok) return credential
  return ok(
    createReader({
      registries,
      credential: credential.value,
      keeper: DOCKER,
      readCa: (file) => readFile(file, 'utf8'),
      environment: io.environment,
      signal: AbortSignal.any([io.signal, AbortSignal.timeout(LONGEST_MS)]),
      limits: BY_HAND,
      isGuarded: false,
    }),
  )
}
