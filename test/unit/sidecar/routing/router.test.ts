// Modern clients on their way to a legacy server, before the translation is there and when it is closed.

import { beforeEach, describe, expect, test } from '@jest/globals'
import type { Claiming } from '../../../../sidecar/conversation/ask.ts'
import { Legacy } from '../../../../sidecar/legacy/legacy.ts'
import { Modern } from '../../../../sidecar/modern/modern.ts'
import { LEGACY, type Eras } from '../../../../sidecar/routing/eras.ts'
import { Router } from '../../../../sidecar/routing/router.ts'
import type { Fault } from '../../../../sidecar/mcp/faults.ts'
import { anExchange } from '../../../support/fake-exchange.ts'
import { anAsked } from '../../../support/messages.ts'
import { permitOf } from '../../../support/principals.ts'
import { TranslatedProcesses } from '../../../support/translated-processes.ts'

const A = permitOf('https://issuer.example a')
const VERSION = '2026-07-28'
const request = (more = ''): string =>
  `{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"x","of":"one"${more},"_meta":{"io.modelcontextprotocol/protocolVersion":"${VERSION}","io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}}}`
const HEADERS = {
  'mcp-protocol-version': VERSION,
  'mcp-method': 'prompts/get',
  'mcp-name': 'x',
}

let all: TranslatedProcesses
let router: Router
/** What the server speaks, once that is known. */
let known: Eras | undefined
let findOut: (eras: Eras) => void
/** Those that ask for the translation and do not have it yet. */
let loads: ReturnType<typeof Promise.withResolvers<Modern>>[]

beforeEach(() => {
  all = new TranslatedProcesses()
  known = LEGACY
  loads = []
  const { promise, resolve } = Promise.withResolvers<Eras>()
  findOut = resolve
  router = new Router({
    ...all.options,
    legacy: new Legacy(all.options),
    modern: new Modern(all.options),
    loadTranslation: () => {
      const load = Promise.withResolvers<Modern>()
      loads.push(load)
      return load.promise
    },
    readiness: {
      get known() {
        return known
      },
      eras: () => promise,
      why: '',
    },
  })
})

/** A call, and the fault that ends its way. */
const call = (text = request()) => {
  const { exchange, client } = anExchange(HEADERS)
  const claim = { era: 'modern', version: VERSION } as const
  const ask: Claiming & { readonly kind: 'message' } = {
    ...anAsked(text),
    claim,
    kind: 'message',
  }
  const fault = Promise.resolve(router.forward(A, exchange, ask))
  return { client, fault }
}
const codeOf = async (fault: Promise<Fault | undefined>): Promise<string | undefined> =>
  (await fault)?.code

describe('the translation', () => {
  test('is loaded once, and serves who has waited for it', async () => {
    const [first] = [call(), call()]
    expect(loads).toHaveLength(1)
    loads[0]?.resolve(all.modern)
    expect(await first.fault).toBeUndefined()
    await all.settle()
    expect(router.inFlight).toBe(2)
  })

  test('that could not be loaded is loaded for the next who needs it', async () => {
    const first = call()
    loads[0]?.reject(new Error('no file'))
    await expect(first.fault).rejects.toThrow('no file')
    const second = call()
    expect(loads).toHaveLength(2)
    loads[1]?.resolve(all.modern)
    expect(await second.fault).toBeUndefined()
    expect(router.inFlight).toBe(1)
  })
})

test('a call that waits for its client goes on in a drain, and nothing new begins', async () => {
  const first = call()
  loads[0]?.resolve(all.modern)
  await all.settle()
  await all.says(0, '{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{}}')
  await all.moment()
  const state = /"requestState":"([^"]+)"/.exec(await first.client.body())?.[1] ?? ''
  expect([router.inFlight, router.isUnused]).toEqual([1, false])
  router.refuseNew()
  expect(await codeOf(call().fault)).toBe('draining')
  const second = call(request(`,"requestState":"${state}","inputResponses":{"input-1":{}}`))
  expect(await second.fault).toBeUndefined()
  expect(all.link(0).sent.at(-1)).toBe('{"jsonrpc":"2.0","id":"q","result":{}}')
  await all.answer(0, 'one')
  expect(await second.client.body()).toContain('"resultType":"complete"')
  expect(router.inFlight).toBe(0)
})

describe('whoever waits when everything is closed', () => {
  test.each([
    ['for the translation', () => loads[0]?.resolve(all.modern)],
    ['to learn what the server speaks', () => findOut(LEGACY)],
  ])('%s hears so, and starts no process', async (what, goOn) => {
    if (what !== 'for the translation') known = undefined
    const { fault } = call()
    router.refuseNew()
    router.close()
    goOn()
    expect(await codeOf(fault)).toBe('draining')
    await all.settle()
    expect(all.source.links).toEqual([])
  })
})
