// A browser over TLS: Chromium's ClientHello bears an Encrypted Client Hello that means nothing, which nobody can tell from one
// that does. So it is let through where egress is observed, and what would have been refused is on record; where it is enforced it
// ends at the proxy. Takes root, and a Chromium that knows no policy about it.

import { createHash, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Arena, CERTIFICATE } from '../../support/egress/arena.ts'
import { API } from '../../support/egress/addresses.ts'
import type { EgressPod, PodSession } from '../../support/egress/egress-pod.ts'
import { compileWays, type Programs } from '../../support/egress/programs.ts'
import { FIXTURES } from '../../support/egress/row.ts'
import { hasProgram } from '../../support/shim.ts'
import { IS_ROOT } from '../../support/users.ts'
import { until } from '../../support/waiting.ts'

const BROWSER = 'chromium-headless-shell'
const URL_OVER_TLS = 'https://api.example/hello'

/** The certificate's own key is believed, whoever has signed it. */
const PIN = createHash('sha256')
  .update(new X509Certificate(CERTIFICATE.cert).publicKey.export({ type: 'spki', format: 'der' }))
  .digest('base64')

const COMMAND = [
  'sh',
  '-c',
  'exec "$@" --proxy-server="$OUTRIGGER_PROXY" "$0"',
  URL_OVER_TLS,
  process.execPath,
  '--no-warnings',
  join(FIXTURES, 'clients/browse.ts'),
  BROWSER,
  '--headless',
  // It has no rights by which to make another sandbox, and is in one.
  '--no-sandbox',
  `--ignore-certificate-errors-spki-list=${PIN}`,
]

const describeHere = IS_ROOT && hasProgram(BROWSER) ? describe : describe.skip

describeHere.each(['enforce', 'observe'] as const)(
  'where egress is %s (takes root and Chromium)',
  (mode) => {
    let ways: Programs
    let arena: Arena
    let pod: EgressPod
    let session: PodSession

    beforeAll(async () => {
      ways = compileWays()
      arena = await Arena.start(ways.folder)
      pod = arena.addPod({ mode, egress: 'api.example:443' })
      await pod.start()
      session = await pod.session()
    })
    afterAll(async () => {
      await arena?.close()
      ways?.remove()
    })

    test('Chromium over TLS', async () => {
      const isEnforced = mode === 'enforce'
      const { result, frames } = await arena.hosts.capture.during(() => session.run(COMMAND))
      expect(result.text).toMatch(isEnforced ? /ERR_/ : /"far":true/)
      const hellos = frames.filter(
        ({ to, port, text }) => to === API.v4 && port === 443 && text !== '',
      )
      expect(hellos.length > 0).toBe(!isEnforced)
      const wanted = expect.objectContaining({
        event: 'egress',
        verdict: isEnforced ? 'denied' : 'observed',
        why: 'tls-encrypted-name',
        how: 'connect',
        destination: expect.objectContaining({ host: 'api.example', port: 443 }),
      })
      await until(() => pod.records().some((one) => wanted.asymmetricMatch(one)), 'it is on record')
    })
  },
)
