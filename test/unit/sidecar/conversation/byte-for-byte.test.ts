// Whatever a message looks like, it reaches the server, and comes back, as it was written: byte for byte but for the ids and
// tokens, which are ours on the one side and the client's own on the other.

import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { Channel } from '../../../../sidecar/conversation/channel.ts'
import { SUBSCRIBE, SUBSCRIPTION_KEY } from '../../../../sidecar/mcp/meta.ts'
import {
  identifierText,
  progressTemplate,
  requestTemplate,
  responseTemplate,
  subscribedTemplate,
  type Template,
} from '../../../support/any-message.ts'
import { FakeLink } from '../../../support/fake-link.ts'
import { keptRemarks } from '../../../support/kept-remarks.ts'
import { aRequest } from '../../../support/messages.ts'

const FIRST = 700_000_001
const RUNS = 2000
const SEED = 20_261_130

const bytes = (latin1: string): string => Buffer.from(latin1, 'latin1').toString()

interface Exchange {
  readonly id: string
  readonly token: string
  readonly request: Template
  readonly notices: readonly Template[]
  readonly response: Template
}

/** A caller, and what it hears. */
const listener = () => {
  const heard: string[] = []
  return {
    heard,
    answer: (text: string): void => void heard.push(bytes(text)),
    notice: (text: string): boolean => heard.push(bytes(text)) > 0,
    fault: ({ message }: { readonly message: string }): void => void heard.push(message),
  }
}

const open = () => {
  const link = new FakeLink()
  let last = FIRST - 1
  const channel = new Channel({
    link,
    owner: { serverMessage: () => undefined, ended: () => undefined },
    nextId: () => ++last,
    now: () => 0,
    observe: () => undefined,
    remarks: keptRemarks(),
    isShared: false,
  })
  return { link, channel }
}

/** Our token is a string where the client's is one. */
const tokenOf = (clients: string, ours: number): string =>
  clients.startsWith('"') ? `"${ours}"` : `${ours}`

const exchanges = (method: string, notice: fc.Arbitrary<Template>): fc.Arbitrary<Exchange[]> =>
  fc.array(
    fc.record({
      id: identifierText,
      token: identifierText,
      request: requestTemplate(method),
      notices: fc.array(notice, { maxLength: 2 }),
      response: responseTemplate,
    }),
    { minLength: 1, maxLength: 4 },
  )

/** All of them in flight at once, answered in the order of their places in `order`. */
const judge = (all: readonly Exchange[], isBackwards: boolean): void => {
  const { link, channel } = open()
  const callers = all.map(() => listener())
  all.forEach(({ id, token, request }, at) => {
    const text = request({ id, progressToken: token })
    channel.call(aRequest(text), callers[at] ?? listener(), { timeoutMs: 1000 })
  })
  const ours = all.map(({ token }, at) => {
    const id = FIRST + at
    return { id: `${id}`, progressToken: tokenOf(token, id), [SUBSCRIPTION_KEY]: `${id}` }
  })
  expect(link.sent).toEqual(all.map(({ request }, at) => request(ours[at] ?? {})))
  const places = [...all.keys()]
  for (const at of isBackwards ? places.toReversed() : places) {
    const words = ours[at] ?? {}
    for (const notice of all[at]?.notices ?? []) link.writes(notice(words))
    link.writes(all[at]?.response(words) ?? '')
  }
  expect(callers.map(({ heard }) => heard)).toEqual(
    all.map(({ id, token, notices, response }) => {
      const theirs = { id, progressToken: token, [SUBSCRIPTION_KEY]: id }
      return [...notices, response].map((template) => template(theirs))
    }),
  )
  expect(channel.inFlight).toBe(0)
}

test.each([
  ['a call with its progress', 'tools/call', progressTemplate],
  [
    'a subscription with what it is told',
    SUBSCRIBE,
    subscribedTemplate('notifications/tools/list_changed', SUBSCRIPTION_KEY),
  ],
])('%s', (_name, method, notice) => {
  fc.assert(fc.property(exchanges(method, notice), fc.boolean(), judge), {
    numRuns: RUNS,
    seed: SEED,
  })
})
