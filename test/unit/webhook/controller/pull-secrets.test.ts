import { beforeEach, describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../../shared/json.ts'
import { pullCredentials } from '../../../../webhook/controller/pull-secrets.ts'
import { IndexApi } from '../../../support/index-api.ts'

const SECRETS = '/api/v1/namespaces/team/secrets'
const { signal } = new AbortController()

const secret = (config: object, more: JsonObject = {}): JsonObject => ({
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': Buffer.from(JSON.stringify(config)).toString('base64') },
  ...more,
})
const auths = (host: string, password: string): object => ({
  auths: { [host]: { username: 'reader', password } },
})

describe('a registry’s credential', () => {
  let api: IndexApi

  beforeEach(() => {
    api = new IndexApi()
  })

  const credential = (...names: readonly string[]) =>
    pullCredentials(api.requests, { namespace: 'team', pullSecrets: names }, signal)('r.example')
  const lent = (account: string) =>
    pullCredentials(
      api.requests,
      { namespace: 'team', pullSecrets: [], account },
      signal,
    )('r.example')

  test('is that of the first Secret that has one for it', async () => {
    api.objects.set(`${SECRETS}/other`, secret(auths('other.example', 'wrong')))
    api.objects.set(`${SECRETS}/right`, secret(auths('r.example', 'right')))
    expect(await credential('missing', 'other', 'right')).toEqual({
      kind: 'password',
      username: 'reader',
      password: 'right',
    })
  })

  test.each<[string, JsonObject | number]>([
    ['that may not be read', 403],
    ['of another type', secret(auths('r.example', 'p'), { type: 'Opaque' })],
    ['that is no docker configuration', secret([])],
    ['that names a program', secret({ credsStore: 'evil', credHelpers: { 'r.example': 'evil' } })],
    ['that holds too much', secret({ ...auths('r.example', 'p'), more: 'x'.repeat(1_000_000) })],
  ])('is not in a Secret %s', async (_name, object) => {
    api.objects.set(`${SECRETS}/pull`, object)
    expect(await credential('pull')).toBeUndefined()
  })

  test('stands in the file where a program is named beside it', async () => {
    const both = { ...auths('r.example', 'p'), credHelpers: { 'r.example': 'evil' } }
    api.objects.set(`${SECRETS}/pull`, secret(both))
    expect(await credential('pull')).toMatchObject({ password: 'p' })
  })

  const ACCOUNT = '/api/v1/namespaces/team/serviceaccounts/default'
  test('is in a Secret of its account’s, where the pod names none', async () => {
    const imagePullSecrets = [{ name: '../x' }, { name: 'pull' }]
    api.objects.set(ACCOUNT, { imagePullSecrets })
    api.objects.set(`${SECRETS}/pull`, secret(auths('r.example', 'p')))
    expect(await lent('default')).toMatchObject({ password: 'p' })
    expect(api.asked).toEqual([ACCOUNT, `${SECRETS}/pull`])
  })

  test.each<[string, JsonObject | number | undefined]>([
    ['that may not be read', 403],
    ['that is not there', undefined],
    ['that has none', {}],
  ])('is not with an account %s', async (_name, account) => {
    if (account !== undefined) api.objects.set(ACCOUNT, account)
    expect(await lent('default')).toBeUndefined()
    expect(api.asked).toEqual([ACCOUNT])
  })

  test('is a failure where the API server does not answer, without its words', async () => {
    api.objects.set(`${SECRETS}/pull`, 500)
    await expect(credential('pull')).rejects.toThrow(/^a pull secret cannot be read: status 500$/)
  })
})
