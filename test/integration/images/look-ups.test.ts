// Images looked up by the controller in a real registry, and in front of one that leads elsewhere: what comes into the index, and
// what is told of what does not.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { setTimeout as after } from 'node:timers/promises'
import { EMPTY_INDEX } from '../../../shared/image-index.ts'
import { stringAt } from '../../../shared/json.ts'
import { createLog } from '../../../shared/log.ts'
import { FoundImages } from '../../../webhook/controller/found-images.ts'
import { MovedTags } from '../../../webhook/controller/moved-tags.ts'
import { podReader } from '../../../webhook/controller/pod-reader.ts'
import { IndexApi } from '../../support/index-api.ts'
import { lookingConfig, lookUpsOver, makeDenied } from '../../support/looked-up.ts'
import { buildImage } from '../../support/oci-image.ts'
import {
  LOGIN,
  startFront,
  startRegistry,
  type Front,
  type Registry,
} from '../../support/registry.ts'

const SECRET = '/api/v1/namespaces/team/secrets/pull'
const PASSWD = { name: 'etc/passwd', text: 'app:x:999:998::/home/app:/bin/sh\n' }

let open: Registry
let closed: Registry
let api: IndexApi
let fronts: Front[]
let digest: string

beforeAll(async () => {
  ;[open, closed] = await Promise.all([startRegistry(), startRegistry({ isPrivate: true })])
  const config = { Entrypoint: ['/srv', '--stdio'], User: 'app' }
  const image = await buildImage({ config, layers: [[PASSWD]] })
  digest = await open.push('team/app', '1', image)
  await closed.push('team/app', '1', image)
})
afterAll(async () => {
  await open.stop()
  await closed.stop()
})
beforeEach(() => {
  api = new IndexApi()
  fronts = []
})
afterEach(async () => {
  for (const front of fronts) await front.stop()
})

const front = async (...args: Parameters<typeof startFront>): Promise<Front> => {
  const started = await startFront(...args)
  fronts.push(started)
  return started
}

/** Until it was read, or could not be. */
const lookUp = async (
  image: string,
  registries: readonly string[],
  timeout = () => new AbortController().signal,
): Promise<void> => {
  const abort = new AbortController()
  let isOver = false
  const listed = registries.map((host) => [host, { allowPlainHttp: true }])
  const looking = lookingConfig(true, Object.fromEntries(listed))
  const config = () => looking
  await lookUpsOver({
    api,
    keys: [makeDenied(api, 'team', 'a', image)],
    config,
    reader: podReader(api.requests, config),
    sleep: async (ms, signal) => {
      if (isOver && (api.events.length > 0 || api.index !== EMPTY_INDEX)) abort.abort()
      await after(Math.min(ms, 5), undefined, { signal }).catch(() => undefined)
    },
    timeout,
    write: () => undefined,
    ended: () => undefined,
    counted: () => {
      isOver = true
    },
  }).run(abort.signal)
}
const told = (): string => api.events.map((event) => stringAt(event, 'message') ?? '').join('\n')

const RECORD = {
  'linux/amd64': {
    entrypoint: ['/srv', '--stdio'],
    cmd: [],
    user: { name: 'app', uid: 999, gid: 998 },
  },
}

describe('an image that names no command in its pod', () => {
  test('is read from its registry, its user from its layers', async () => {
    const image = `${open.host}/team/app:1`
    await lookUp(image, [open.host])
    expect(told()).toBe('')
    expect(api.index).toEqual({
      version: 1,
      tags: { [image]: digest },
      images: { [digest]: RECORD },
    })
    expect(api.asked).not.toContain(SECRET)
  })

  test('is read by its digest, and no tag is recorded', async () => {
    await lookUp(`${open.host}/team/app@${digest}`, [open.host])
    expect(api.index).toEqual({ version: 1, tags: {}, images: { [digest]: RECORD } })
  })

  test('whose layers hold more than is held of them is refused', async () => {
    const users = { name: 'etc/passwd', text: `app:x:1:1\n${'#'.repeat(1_000_000)}` }
    const layers = [
      [{ name: 'etc/group', text: 'web:x:7:\n' }],
      ...Array.from({ length: 18 }, () => [users]),
    ]
    const config = { Entrypoint: ['/srv'], User: 'app:web' }
    await open.push('team/heavy', '1', await buildImage({ config, layers }))
    await lookUp(`${open.host}/team/heavy:1`, [open.host])
    expect(told()).toContain('its files exceed 16777216 bytes together')
  })

  test('of a registry that is not listed is not asked for', async () => {
    const other = await front((_seen, response) => response.end('{}'))
    await lookUp(`${other.host}/team/app:1`, [open.host])
    expect(told()).toContain('is not one that the cluster configuration lists')
    expect(other.seen).toEqual([])
  })

  test('that is not there is told, with what to do', async () => {
    await lookUp(`${open.host}/team/none:1`, [open.host])
    expect(told()).toMatch(
      /status 404.*Write `command`, or have `outrigger images add --apply` read it/,
    )
    expect(api.index).toEqual(EMPTY_INDEX)
  })
})

describe('a tag that was looked up', () => {
  test('leads where its author has pushed it since', async () => {
    const push = async (program: string): Promise<string> =>
      open.push('team/moving', '1', await buildImage({ config: { Entrypoint: [program] } }))
    const image = `${open.host}/team/moving:1`
    const before = await push('/old')
    await lookUp(image, [open.host])
    expect(api.index.tags).toEqual({ [image]: before })
    const after = await push('/new')
    const looking = lookingConfig(true, { [open.host]: { allowPlainHttp: true } })
    const config = () => looking
    const abort = new AbortController()
    let looks = 0
    await new MovedTags({
      log: createLog({ level: 'error', write: () => undefined, now: () => 0 }),
      now: () => 0,
      sleep: () => {
        looks += 1
        if (looks > 1) abort.abort()
        return Promise.resolve()
      },
      config,
      index: new FoundImages(api.requests, 'outrigger-system'),
      reader: podReader(api.requests, config),
      timeout: () => new AbortController().signal,
    }).run(abort.signal)
    expect(api.index.tags).toEqual({ [image]: after })
    expect(Object.keys(api.index.images)).toEqual([after])
  })
})

describe('a registry that wants a credential', () => {
  const dockerConfig = (password: string): string =>
    Buffer.from(
      JSON.stringify({ auths: { [closed.host]: { username: LOGIN.username, password } } }),
    ).toString('base64')
  const secret = (password: string) => ({
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': dockerConfig(password) },
  })

  test('gets the pod’s, where the namespace lets it be read', async () => {
    api.objects.set(SECRET, secret(LOGIN.password))
    await lookUp(`${closed.host}/team/app:1`, [closed.host])
    expect(Object.keys(api.index.images)).toEqual([digest])
  })

  test('gets none where it does not, and the owner is told how it would', async () => {
    api.objects.set(SECRET, 403)
    await lookUp(`${closed.host}/team/app:1`, [closed.host])
    expect(told()).toContain('has none for it: a Role for these Secrets')
    expect(told()).not.toContain('secret words')
  })

  test('and refuses that one is told without it', async () => {
    api.objects.set(SECRET, secret('wrong-pass'))
    await lookUp(`${closed.host}/team/app:1`, [closed.host])
    expect(told()).toContain('it wants another credential')
    expect(told()).not.toContain('wrong-pass')
  })
})

describe('a registry that leads elsewhere', () => {
  test.each([
    'https://169.254.169.254/latest/meta-data/',
    'https://[fd00:ec2::254]/latest/',
    'https://10.0.0.1/x',
    'https://localhost/x',
  ])('to %s is not followed', async (location) => {
    const leads = await front((_seen, response) => response.writeHead(307, { location }).end())
    await lookUp(`${leads.host}/team/app:1`, [leads.host])
    expect(told()).toContain('is at an address that is not asked')
    expect(api.index).toEqual(EMPTY_INDEX)
  })

  test('with what it was asked for by a digest is found out', async () => {
    const lies = await front(
      (seen, response, pass) => (seen.url.includes('/blobs/') ? response.end('{}') : pass()),
      open,
    )
    await lookUp(`${lies.host}/team/app:1`, [lies.host])
    expect(told()).toContain('ends early')
    expect(api.index).toEqual(EMPTY_INDEX)
  })

  test('to a document without an end is read so far', async () => {
    const endless = await front((_seen, response) => {
      const more = (): void => {
        while (response.write('x'.repeat(65_536)) && !response.destroyed);
      }
      response.on('drain', more).on('error', () => undefined)
      more()
    })
    await lookUp(`${endless.host}/team/app:1`, [endless.host])
    expect(told()).toContain('an answer exceeds 1048576 bytes')
  })

  test('to nothing at all is left when its time is over', async () => {
    const late = new AbortController()
    const silent = await front(() => late.abort())
    await lookUp(`${silent.host}/team/app:1`, [silent.host], () => late.signal)
    expect(told()).toContain('it took longer than 60 s')
  })
})
