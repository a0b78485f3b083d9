// Who gets the credential of a private registry, and who does not; and what a hostile registry, a
// broken one or one behind redirects can do.

import { chmodSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createLoopbackCertificate } from '../../../webhook/embedded.ts'
import { createBench, indexIn, type Bench } from '../../support/images-command.ts'
import { buildImage, type Built } from '../../support/oci-image.ts'
import {
  basicOf,
  LOGIN,
  startFront,
  startRegistry,
  type Front,
  type Registry,
} from '../../support/registry.ts'
import { listening } from '../../support/listening.ts'

const SECRET = LOGIN.password
const IDENTITY = 'refresh-me-please'

let open: Registry
let closed: Registry
let image: Built
let bench: Bench
const fronts: Front[] = []

beforeAll(async () => {
  image = await buildImage({
    config: { Entrypoint: ['srv'], User: 'app' },
    layers: [[{ name: 'etc/passwd', text: 'app:x:9:8\n' }]],
  })
  ;[open, closed] = await Promise.all([startRegistry(), startRegistry({ isPrivate: true })])
  await Promise.all([open.push('app', '1', image), closed.push('app', '1', image)])
})
afterAll(() => Promise.all([open.stop(), closed.stop()]))
beforeEach(() => {
  bench = createBench()
})
afterEach(async () => {
  bench.close()
  await Promise.all(fronts.splice(0).map((front) => front.stop()))
})

const auth = Buffer.from(`${LOGIN.username}:${SECRET}`).toString('base64')
const plain = (host: string, more: object = {}) => ({ [host]: { allowPlainHttp: true, ...more } })
const dockerConfig = (config: object): void => {
  bench.write('config.json', JSON.stringify(config))
}
const front = async (...args: Parameters<typeof startFront>): Promise<Front> => {
  const started = await startFront(...args)
  fronts.push(started)
  return started
}

const helper = (body: string): void => {
  const path = bench.write('docker-credential-test', `#!/bin/sh\n${body}\n`)
  chmodSync(path, 0o755)
}

describe('a private registry', () => {
  const add = () => bench.add(plain(closed.host), `${closed.host}/app:1`)

  test.each([
    ['auth', () => ({ auths: { [closed.host]: { auth } } })],
    ['user and password', () => ({ auths: { [`https://${closed.host}/v1/`]: LOGIN } })],
  ])('opens by the docker configuration: %s', async (_name, config) => {
    dockerConfig(config())
    expect((await add()).code).toBe(0)
  })

  test.each([
    ['nobody logged in', {}, 'docker login'],
    [
      'the credential of another registry',
      { auths: { 'other.example': { auth } } },
      'docker login',
    ],
    [
      'a wrong password',
      { auths: { HOST: { auth: Buffer.from('reader:wrong').toString('base64') } } },
      'status 401',
    ],
    [
      'an identity token where a password is wanted',
      { auths: { HOST: { identitytoken: IDENTITY } } },
      'password',
    ],
    ['a helper that is not there', { credsStore: 'nowhere' }, 'docker-credential-nowhere'],
    ['a helper that is a path', { credsStore: '../x' }, 'credsStore'],
  ])('stays closed: %s', async (_name, config, says) => {
    dockerConfig(JSON.parse(JSON.stringify(config).replaceAll('HOST', closed.host)))
    const { code, stdout, stderr } = await add()
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(says)
    for (const word of [SECRET, auth, IDENTITY]) expect(stderr).not.toContain(word)
  })
})

describe('a credential helper', () => {
  test.each([
    [
      'a password',
      `read host; echo "{\\"ServerURL\\":\\"$host\\",\\"Username\\":\\"${LOGIN.username}\\",\\"Secret\\":\\"${SECRET}\\"}"`,
      0,
      '',
    ],
    [
      'nothing for this registry',
      'echo "credentials not found in native keychain"; exit 1',
      1,
      'docker login',
    ],
    [
      'a failure with words of its own',
      `echo "${SECRET} is no good"; exit 1`,
      1,
      'docker-credential-test',
    ],
    ['no JSON', `echo ${SECRET}`, 1, 'docker-credential-test'],
  ])('answers with %s', async (_name, script, exitCode, says) => {
    helper(script)
    const here = createBench({ PATH: `${bench.directory}:${process.env['PATH'] ?? ''}` })
    here.write('config.json', JSON.stringify({ credHelpers: { [closed.host]: 'test' } }))
    const { code, stderr } = await here.add(plain(closed.host), `${closed.host}/app:1`)
    here.close()
    expect(code).toBe(exitCode)
    expect(stderr).toContain(says)
    expect(stderr).not.toContain(SECRET)
  })
})

const TOKEN = 'a-token-of-this-realm'

describe('a registry that wants a token', () => {
  let realm: Front
  let registry: Front

  beforeEach(async () => {
    realm = await front((_seen, response) => response.end(JSON.stringify({ token: TOKEN })))
    registry = await front((seen, response, pass) => {
      if (seen.authorization === `Bearer ${TOKEN}`) {
        pass()
        return
      }
      const challenge = `Bearer realm="http://${realm.host}/token?x=1",service="reg",scope="repository:app:pull,push"`
      response.writeHead(401, { 'www-authenticate': challenge }).end()
    }, open)
  })

  const add = (more: object = {}) => bench.add(plain(registry.host, more), `${registry.host}/app:1`)
  const listed = () => ({ realms: [`http://${realm.host}/token`] })

  test('gets it from a listed realm, to read one repository, without a credential', async () => {
    const index = indexIn(await add(listed()))
    expect(Object.values(index.images)).toHaveLength(1)
    expect(realm.seen).toHaveLength(1)
    const [asked] = realm.seen
    const { searchParams } = new URL(asked?.url ?? '', 'http://realm')
    expect(searchParams.get('scope')).toBe('repository:app:pull')
    expect(searchParams.get('service')).toBe('reg')
    expect(asked?.authorization).toBeUndefined()
  })

  test('the credential goes to the realm, and the token alone to the registry', async () => {
    dockerConfig({ auths: { [registry.host]: { auth } } })
    expect((await add(listed())).code).toBe(0)
    expect(realm.seen.map(({ authorization }) => authorization)).toEqual([basicOf(LOGIN)])
    for (const { authorization } of registry.seen) {
      expect([undefined, `Bearer ${TOKEN}`]).toContain(authorization)
    }
  })

  test('an identity token is exchanged in the body of a request', async () => {
    dockerConfig({ auths: { [registry.host]: { identitytoken: IDENTITY } } })
    expect((await add(listed())).code).toBe(0)
    const [asked] = realm.seen
    expect(asked?.method).toBe('POST')
    expect(asked?.url).not.toContain(IDENTITY)
    expect(new URLSearchParams(asked?.body).get('refresh_token')).toBe(IDENTITY)
  })

  test.each([
    ['a realm that is not listed', () => ({})],
    ['a realm on another path', () => ({ realms: [`http://${realm.host}/tokens`] })],
    ['a realm that another host has', () => ({ realms: ['https://auth.example/token'] })],
  ])('is refused, and nothing is sent: %s', async (_name, more) => {
    dockerConfig({ auths: { [registry.host]: { auth }, [realm.host]: { auth } } })
    const { code, stderr } = await add(more())
    expect(code).toBe(1)
    expect(stderr).toContain('no realm that the cluster configuration lists')
    expect(realm.seen).toEqual([])
    expect(stderr).not.toContain(SECRET)
  })

  test.each<readonly [string, number, string, string]>([
    ['refuses', 403, '', 'status 403'],
    ['has no token to give', 200, '{}', 'no token'],
    ['gives what no header can hold', 200, JSON.stringify({ token: 'a\r\nb' }), 'no token'],
    ['sends us on', 302, '', 'status 302'],
  ])('a realm that %s is told', async (_name, status, body, says) => {
    const bad = await front((_seen, response) => {
      response.writeHead(status, { location: `http://${realm.host}/` }).end(body)
    })
    const other = await front((_seen, response) => {
      response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${bad.host}/t"` }).end()
    })
    const registries = plain(other.host, { realms: [`http://${bad.host}/t`] })
    const { stderr } = await bench.add(registries, `${other.host}/app:1`)
    expect(stderr).toContain(says)
    expect(realm.seen).toEqual([])
  })
})

describe('redirects', () => {
  test('a blob on another host is read there, without the credential', async () => {
    const store = await front((_seen, _response, pass) => pass(), open)
    // The same machine by another port: another origin.
    const registry = await front((seen, response, pass) => {
      if (seen.authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
      } else if (seen.url.includes('/blobs/')) {
        response.writeHead(307, { location: `http://${store.host}${seen.url}?signature=abc` }).end()
      } else pass()
    }, open)
    dockerConfig({ auths: { [registry.host]: { auth } } })
    const { code } = await bench.add(plain(registry.host), `${registry.host}/app:1`)
    expect(code).toBe(0)
    expect(store.seen.length).toBeGreaterThan(0)
    expect(store.seen.every(({ authorization }) => authorization === undefined)).toBe(true)
  })

  test.each([
    ['to plain HTTP on another host', 'http://metadata.example/latest', /is not followed/],
    ['to another kind of place', 'file:///etc/passwd', /is not followed/],
    ['to no place', 'http://[', /is not followed/],
    ['to itself, for ever', '', /more than 5 times/],
  ])('%s are refused', async (_name, location, says) => {
    const registry = await front((seen, response) => {
      response.writeHead(302, { location: location === '' ? seen.url : location }).end()
    })
    const { code, stderr } = await bench.add(plain(registry.host), `${registry.host}/app:1`)
    expect(code).toBe(1)
    expect(stderr).toMatch(says)
  })
})

describe('a registry that is not honest', () => {
  const LAYER = 1
  const digestAt = (index: number): string => {
    const { config, layers } = JSON.parse(image.manifest.bytes.toString())
    return index === 0 ? config.digest : layers[index - 1].digest
  }
  const bytesAt = (index: number): Buffer => image.blobs[index]?.bytes ?? Buffer.alloc(0)
  const changed = (bytes: Buffer): Buffer => {
    const copy = Buffer.from(bytes)
    copy[copy.length - 9] = (copy[copy.length - 9] ?? 0) ^ 1
    return copy
  }

  test.each<readonly [string, number, (bytes: Buffer) => Buffer, RegExp]>([
    ['a configuration that is cut', 0, (bytes) => bytes.subarray(0, -1), /ends early/],
    ['a configuration that is another', 0, changed, /another digest/],
    ['a layer that is cut', LAYER, (bytes) => bytes.subarray(0, -5), /ends early|cannot be read/],
    ['a layer that is longer', LAYER, (bytes) => Buffer.concat([bytes, bytes]), /is longer/],
    ['a layer that is another', LAYER, changed, /another digest|cannot be read/],
  ])('%s', async (_name, index, spoil, says) => {
    const registry = await front((seen, response, pass) => {
      if (seen.url.endsWith(`/blobs/${digestAt(index)}`)) response.end(spoil(bytesAt(index)))
      else pass()
    }, open)
    const { code, stdout, stderr } = await bench.add(plain(registry.host), `${registry.host}/app:1`)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(says)
  })

  test.each<readonly [string, Readonly<Record<string, string>>, string, RegExp]>([
    [
      'a digest in its header that is not its manifest’s',
      { 'docker-content-digest': `sha256:${'0'.repeat(64)}` },
      '{}',
      /another digest/,
    ],
    [
      'a manifest of a type that nobody knows',
      { 'content-type': 'text/html' },
      '{}',
      /"text\/html"/,
    ],
    [
      'a manifest that is no JSON',
      { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
      '<',
      /not JSON/,
    ],
    [
      'a manifest without an end',
      { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
      ' '.repeat(5_000_000),
      /exceeds/,
    ],
  ])('%s', async (_name, headers, body, says) => {
    const registry = await front((_seen, response) => {
      response.writeHead(200, headers).end(body)
    })
    const { code, stderr } = await bench.add(plain(registry.host), `${registry.host}/app:1`)
    expect(code).toBe(1)
    expect(stderr).toMatch(says)
  })

  test('its own words are not repeated', async () => {
    const registry = await front((_seen, response) => {
      const errors = [{ code: 'DENIED', message: 'rm -rf' }]
      response
        .writeHead(403, { 'content-type': 'application/json' })
        .end(JSON.stringify({ errors }))
    })
    const { stderr } = await bench.add(plain(registry.host), `${registry.host}/app:1`)
    expect(stderr).toContain('status 403, DENIED')
    expect(stderr).not.toContain('rm -rf')
  })
})

describe('a mirror', () => {
  test('is asked in the place of the registry, below its own path', async () => {
    await open.push('hub/library/app', '2', image)
    const registries = {
      'docker.io': { mirror: `http://${open.host}/hub`, allowPlainHttp: true },
    }
    const index = indexIn(await bench.add(registries, 'app:2'))
    expect(Object.keys(index.tags)).toEqual(['docker.io/library/app:2'])
  })
})

describe('TLS', () => {
  test('is trusted by the CA file, and by nothing else', async () => {
    const {
      certificatePem: cert,
      privateKeyPem: key,
      authorityPem,
    } = await createLoopbackCertificate()
    const server = createTlsServer({ cert, key }, (request, response) => {
      fetch(`http://${open.host}${request.url}`, {
        headers: { accept: String(request.headers.accept) },
      })
        .then(async (answer) => {
          const type = answer.headers.get('content-type') ?? ''
          response.writeHead(answer.status, { 'content-type': type })
          response.end(Buffer.from(await answer.arrayBuffer()))
        })
        .catch(() => response.destroy())
    })
    const host = `127.0.0.1:${await listening(server)}`
    const caFile = bench.write('ca.pem', authorityPem)
    const trusted = await bench.add({ [host]: { caFile } }, `${host}/app:1`)
    const untrusted = await bench.add({ [host]: {} }, `${host}/app:1`)
    const missing = await bench.add({ [host]: { caFile: `${caFile}.not` } }, `${host}/app:1`)
    server.closeAllConnections()
    server.close()
    expect(trusted.stderr).toContain('linux/amd64')
    expect(trusted.code).toBe(0)
    expect(untrusted.stderr).toContain('cannot be reached: nobody who is trusted here has signed')
    expect(missing.stderr).toContain('caFile cannot be read')
  })
})
