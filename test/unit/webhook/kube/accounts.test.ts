// What is known of an account `default` where the list has it, has it not, or has not come.

import { expect, test } from '@jest/globals'
import type { JsonObject } from '../../../../shared/json.ts'
import { defaultAccounts } from '../../../../webhook/kube/accounts.ts'
import type { Send } from '../../../../webhook/kube/reply.ts'
import { keptLog } from '../../../support/kept-log.ts'

async function* bodyOf(object: JsonObject): AsyncGenerator<Buffer> {
  yield Buffer.from(JSON.stringify(object))
}

const account = (namespace: string, annotations: JsonObject = {}): JsonObject => ({
  metadata: { name: 'default', namespace, annotations },
})
const ROLE = { 'eks.amazonaws.com/role-arn': 'arn' }
const KNOWN = [account('plain'), account('cloud', ROLE)]
const LATER: Readonly<Record<string, JsonObject>> = {
  new: account('new'),
  'new-cloud': account('new-cloud', ROLE),
  elsewhere: account('other'),
}

const LISTED = '/api/v1/serviceaccounts?fieldSelector=metadata.name%3Ddefault'

/** An API server that has these two in its list, if it gives one, and others later. */
const sendBy =
  (hasList: boolean, asked: string[]): Send =>
  async ({ path }) => {
    if (path.startsWith(LISTED)) {
      const metadata = { resourceVersion: '7' }
      if (hasList) return { status: 200, body: bodyOf({ metadata, items: KNOWN }) }
      return { status: 403, body: bodyOf({}) }
    }
    const [, name = ''] =
      /^\/api\/v1\/namespaces\/([^/]+)\/serviceaccounts\/default$/.exec(path) ?? []
    asked.push(name)
    if (name === 'refused') return { status: 403, body: bodyOf({}) }
    if (name === 'silent') throw new Error('it does not answer')
    const object = LATER[name] ?? KNOWN.find((one) => JSON.stringify(one).includes(`"${name}"`))
    return object ? { status: 200, body: bodyOf(object) } : { status: 404, body: bodyOf({}) }
  }

test.each<[string, string, boolean, [expected: string, isAsked: boolean]]>([
  ['is listed', 'plain', true, ['plain', false]],
  ['is listed, and somebody at a cloud', 'cloud', true, ['at-cloud', false]],
  ['is newer than the list', 'new', true, ['plain', true]],
  ['is newer, and somebody', 'new-cloud', true, ['at-cloud', true]],
  ['is not there', 'none', true, ['plain', true]],
  ['is of another namespace', 'elsewhere', true, ['unknown', true]],
  ['may not be read', 'refused', true, ['unknown', true]],
  ['nobody answers for', 'silent', true, ['unknown', true]],
  ['may be read where none may be listed', 'plain', false, ['plain', true]],
  ['may be read, and is somebody, where none may be listed', 'cloud', false, ['at-cloud', true]],
  ['may be neither', 'refused', false, ['unknown', true]],
])('an account that %s', async (_name, namespace, hasList, [expected, isAsked]) => {
  const asked: string[] = []
  const watcher = { watch: () => new Promise<never>(() => undefined) }
  const options = { log: keptLog().log, now: () => 0, random: () => 0 }
  const accounts = defaultAccounts({ send: sendBy(hasList, asked), watcher }, options)
  const listed = accounts.follower.start()
  if (hasList) await listed
  expect(await accounts.defaultOf(namespace)).toBe(expected)
  expect(asked).toEqual(isAsked ? [namespace] : [])
  accounts.follower.close()
})

test('a crowd that asks after one account has one look at it in common, and who comes later another', async () => {
  const asked: string[] = []
  const watcher = { watch: () => new Promise<never>(() => undefined) }
  const options = { log: keptLog().log, now: () => 0, random: () => 0 }
  const accounts = defaultAccounts({ send: sendBy(false, asked), watcher }, options)
  const crowd = ['new', 'refused'].flatMap((name) => Array<string>(50).fill(name))
  const found = await Promise.all(crowd.map((name) => accounts.defaultOf(name)))
  expect(new Set(found)).toEqual(new Set(['plain', 'unknown']))
  expect(asked).toEqual(['new', 'refused'])
  expect(await accounts.defaultOf('refused')).toBe('unknown')
  expect(asked).toEqual(['new', 'refused', 'refused'])
})
