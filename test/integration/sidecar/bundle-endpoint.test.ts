// A trust domain's bundle endpoint that shows an SVID (SPIFFE Federation, https_spiffe), over TLS as it is: believed by the
// bundle that was had last and by nothing else, through every change of its authorities.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { TrustDomainSource } from '../../../shared/trust-domains.ts'
import { Bundles, type Followed } from '../../../sidecar/identity/bundles.ts'
import { createFetchJson } from '../../../sidecar/identity/fetch-json.ts'
import { Names } from '../../../sidecar/identity/names.ts'
import { anAuthority, issue, type Issued } from '../../support/certificates.ts'
import { keptLog, type KeptLog } from '../../support/kept-log.ts'
import { listening } from '../../support/listening.ts'
import { bundleText } from '../../support/spiffe-bundle.ts'

const ID = 'spiffe://example.org/spire/server'
const [first, second, other] = [anAuthority('one'), anAuthority('two'), anAuthority('others')]
const svidBy = (by: Issued, uris: readonly string[] = [ID]): Issued => issue({ uris, by })

/** What is shown, and what is said. */
let shown: Issued
let said: string
let handshakes: number
let server: Server
let port: number
let kept: KeptLog
let bundles: Bundles

const start = async (): Promise<void> => {
  server = createServer(shown, (_request, response) => {
    response.end(said)
  })
  server.on('secureConnection', () => handshakes++)
  port = await listening(server)
}

beforeEach(async () => {
  shown = svidBy(first)
  said = bundleText({ authorities: [first], more: { spiffe_sequence: 2 } })
  handshakes = 0
  kept = keptLog()
  await start()
})
afterEach(async () => {
  bundles?.close()
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

const open = async (more: Partial<TrustDomainSource> = {}): Promise<Followed> => {
  const source: TrustDomainSource = {
    name: 'example.org',
    ids: ['spiffe://example.org/*'],
    bundleUrl: `https://spire.example:${port}/`,
    bundle: first.cert,
    endpointId: ID,
    hosts: [{ host: `spire.example:${port}`, reach: 'loopback' }],
    ...more,
  }
  bundles = await Bundles.open([source], {
    fetchJson: createFetchJson(new Names(async () => ['127.0.0.1'])),
    now: () => performance.now(),
    log: kept.log,
  })
  const [followed] = bundles.all
  if (!followed) throw new Error('there is no trust domain')
  return followed
}

const nextLook = (): Promise<void> => new Promise((resolve) => bundles.onLook(resolve))

const looked = (): Promise<void> => {
  const look = nextLook()
  bundles.follow()
  return look
}

/** Follows from a look on; what it gives then. */
const authoritiesAfterLook = async (more: Partial<TrustDomainSource> = {}): Promise<string> => {
  const followed = await open(more)
  // Its first bundle lets in nobody.
  expect(followed.current()).toBeUndefined()
  await looked()
  return followed.current()?.authorities.trim() ?? ''
}

test('is believed by its first bundle, whatever its host is called', async () => {
  expect(await authoritiesAfterLook()).toBe(first.cert.trim())
})

describe('is not believed', () => {
  test.each<[string, () => Issued, RegExp]>([
    ['by an authority of another’s', () => svidBy(other), /unable to verify/],
    [
      'as another workload of the domain',
      () => svidBy(first, ['spiffe://example.org/agent']),
      /it is spiffe:\/\/example\.org\/agent, and spiffe:\/\/example\.org\/spire\/server is expected/,
    ],
    [
      'by its host’s name alone',
      () => issue({ names: ['spire.example'], by: first }),
      /no X\.509-SVID/,
    ],
    ['with two IDs', () => svidBy(first, [ID, 'spiffe://example.org/b']), /several URIs/],
    [
      'when its time is over',
      () => issue({ uris: [ID], by: first, fromMs: -20_000, untilMs: -10_000 }),
      /expired/,
    ],
    [
      'as an authority',
      () => issue({ uris: [ID], by: first, isAuthority: true }),
      /unsuitable certificate purpose/,
    ],
  ])('%s', async (_name, shows, says) => {
    shown = shows()
    server.setSecureContext(shown)
    expect(await authoritiesAfterLook()).toBe('')
    expect(kept.lines.join('\n')).toMatch(says)
  })

  test('by authorities that the usual ones are, where its bundle has none', async () => {
    const empty = bundleText({ more: { spiffe_sequence: 2, spiffe_refresh_hint: 5 } })
    said = empty
    await authoritiesAfterLook()
    expect(handshakes).toBe(1)
    await nextLook()
    expect(handshakes).toBe(1)
    expect(kept.lines.join('\n')).toContain('the bundle that holds has no authorities')
  })

  test('with an older bundle than the first', async () => {
    const bundle = bundleText({ authorities: [first], more: { spiffe_sequence: 3 } })
    expect(await authoritiesAfterLook({ bundle })).toBe('')
    expect(kept.lines.join('\n')).toContain('it is older than one before')
  })

  test('at a host that is not listed', async () => {
    expect(await authoritiesAfterLook({ hosts: [] })).toBe('')
    expect(handshakes).toBe(0)
  })
})

test('changes its authorities, and is believed by the new ones alone', async () => {
  said = bundleText({ authorities: [second], more: { spiffe_sequence: 3, spiffe_refresh_hint: 5 } })
  const followed = await open()
  await looked()
  expect(followed.current()?.authorities.trim()).toBe(second.cert.trim())
  // It still shows what the bundle before has signed, and says another thing: that is not taken.
  said = bundleText({ authorities: [first], more: { spiffe_sequence: 4, spiffe_refresh_hint: 5 } })
  await nextLook()
  expect(followed.current()?.authorities.trim()).toBe(second.cert.trim())
  expect(kept.lines.join('\n')).toContain('cannot be fetched')
  server.setSecureContext(svidBy(second))
  await nextLook()
  expect(followed.current()?.authorities.trim()).toBe(first.cert.trim())
})
