import { describe, expect, test } from '@jest/globals'
import {
  credentialSource,
  readDockerConfig,
  readHelperAnswer,
} from '../../../../webhook/images/docker-config.ts'

const auth = Buffer.from('me:pass:word').toString('base64')
const password = { kind: 'password', username: 'me', password: 'pass:word' }
const file = { from: 'file', credential: password }
const nowhere = { from: 'nowhere' }
const helper = (name: string, server: string) => ({ from: 'helper', helper: name, server })

describe('whose credential is whose', () => {
  test.each<readonly [string, object, string, object]>([
    ['by the host', { auths: { 'r.example:5000': { auth } } }, 'r.example:5000', file],
    ['by a URL with the host', { auths: { 'https://r.example/v2/': { auth } } }, 'r.example', file],
    ['Docker Hub', { auths: { 'https://index.docker.io/v1/': { auth } } }, 'docker.io', file],
    ['not another port', { auths: { 'r.example:5000': { auth } } }, 'r.example', nowhere],
    [
      'not a host that begins alike',
      { auths: { 'r.example.evil': { auth } } },
      'r.example',
      nowhere,
    ],
    ['not a host that ends alike', { auths: { 'r.example': { auth } } }, 'evil-r.example', nowhere],
    ['user and password', { auths: { r: { username: 'me', password: 'pass:word' } } }, 'r', file],
    [
      'an identity token before the password',
      { auths: { r: { auth, identitytoken: 'T' } } },
      'r',
      { from: 'file', credential: { kind: 'identity', token: 'T' } },
    ],
    ['an entry that a store has emptied', { auths: { r: {} } }, 'r', nowhere],
    ['what is no user:password', { auths: { r: { auth: 'bm90aGluZw==' } } }, 'r', nowhere],
    ['the store of all', { auths: { r: { auth } }, credsStore: 'pass' }, 'r', helper('pass', 'r')],
    [
      'the helper of the registry before the store',
      { credsStore: 'pass', credHelpers: { r: 'ecr-login' } },
      'r',
      helper('ecr-login', 'r'),
    ],
    [
      'Docker Hub under the name that helpers know',
      { credsStore: 'pass' },
      'docker.io',
      helper('pass', 'https://index.docker.io/v1/'),
    ],
    ['an empty store', { auths: { r: { auth } }, credsStore: '' }, 'r', file],
    ['a name of Object itself', { auths: {} }, 'constructor', nowhere],
  ])('%s', (_name, config, host, source) => {
    const read = readDockerConfig(JSON.stringify(config))
    expect(read.ok && credentialSource(read.value, host)).toEqual(source)
  })

  test.each([
    ['no JSON, which holds a password', `{"auths":{"r":{"auth":"${auth}"`],
    ['a helper that is a path', '{"credsStore":"../../bin/sh"}'],
    ['a helper with arguments', '{"credHelpers":{"r":"sh -c"}}'],
    ['another form', `{"auths":["${auth}"]}`],
  ])('is refused, and its values are not repeated: %s', (_name, text) => {
    const read = readDockerConfig(text)
    expect(read.ok).toBe(false)
    expect(JSON.stringify(read)).not.toContain(auth.slice(0, 8))
  })

  test.each([
    ['{"ServerURL":"r","Username":"me","Secret":"pass:word"}', password],
    ['{"Username":"<token>","Secret":"T"}', { kind: 'identity', token: 'T' }],
    ['{"Username":"me"}', undefined],
    ['credentials not found', undefined],
  ])('a helper says %s', (text, credential) => {
    expect(readHelperAnswer(text)).toEqual(credential)
  })
})
