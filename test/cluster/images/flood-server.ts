// The image of the pressure bench's server: one static program, compiled here.

import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run, words } from '../machine/run.ts'
import { packBinary } from './single-binary.ts'

export const FLOOD_IMAGE = 'outrigger.test/flood-server:1'

const SOURCE = join(import.meta.dirname, '../../bench/pressure/flood-server.c')

/** Writes the archive of the image. */
export const packFloodServer = async (archive: string): Promise<void> => {
  const file = `${archive}.program`
  mkdirSync(dirname(file), { recursive: true })
  await run([...words('cc -std=gnu11 -O2 -static -o'), file, SOURCE])
  await packBinary(archive, FLOOD_IMAGE, { file, as: 'flood-server' }, { user: '65532' })
}
