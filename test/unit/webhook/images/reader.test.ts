import { describe, expect, test } from '@jest/globals'
import { registriesSchema } from '../../../../webhook/images/registries.ts'
import { DOCKER } from '../../../../webhook/images/keeper.ts'
import { BY_ITSELF } from '../../../../webhook/images/read-limits.ts'
import { createReader, type Reader } from '../../../../webhook/images/reader.ts'

const reference = { host: 'r.example', repository: 'app', tag: '1', digest: undefined }

describe('what waits for something that never comes', () => {
  test.each<readonly [string, (reader: Reader) => Promise<unknown>]>([
    ['an image', (reader) => reader.read(reference, [])],
    ['a tag', (reader) => reader.digestOf(reference)],
  ])('is left when its time is over: %s', async (_name, ask) => {
    const abort = new AbortController()
    const reader = createReader({
      registries: registriesSchema.parse({ 'r.example': { caFile: '/ca.pem' } }),
      credential: () => Promise.resolve(undefined),
      keeper: DOCKER,
      readCa: () => {
        abort.abort(new Error('its time is over'))
        return new Promise(() => undefined)
      },
      environment: {},
      signal: abort.signal,
      limits: BY_ITSELF,
      isGuarded: true,
    })
    expect(await ask(reader)).toEqual({ ok: false, error: 'its time is over' })
    reader.close()
  })
})
