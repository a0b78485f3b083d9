// The sidecar and the shim of `run`, `dev` and `npm start`, ended when they have hardly begun.

import { expect, test } from '@jest/globals'
import { startLocalSidecar } from '../../../cli/run/local-sidecar.ts'
import { readConfiguration } from '../../../cli/run/configuration.ts'
import { readGiven } from '../../../cli/command/flags.ts'
import { OWN_FLAGS, readRunFlags } from '../../../cli/run/run-flags.ts'
import { createLog } from '../../../shared/log.ts'

const config = () => {
  const given = readGiven(OWN_FLAGS, ['--allow-anonymous', '--port', '0', '--', 'cat'])
  const flags = given.ok ? readRunFlags(given.value) : given
  const read = flags.ok ? readConfiguration(flags.value) : flags
  if (!read.ok) throw new Error(String(read.error))
  return read.value.config
}

test('a shim that has not connected yet ends with its sidecar, and is not killed after a while', async () => {
  const log = createLog({ level: 'error', write: () => undefined, now: () => 0 })
  const local = await startLocalSidecar(
    config(),
    { command: ['cat'], environment: { PATH: process.env['PATH'] } },
    { log },
  )
  await local.close()
  // On a busy machine it may have connected by then, and ends by itself.
  expect(await local.ended).toMatch(/ended \((?:SIGTERM|code (?:0|143))\)$/)
})
