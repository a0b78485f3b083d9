// A Service's addresses: by its absolute name, of the pods’ family, and what is said where there are none.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serviceNames, type NameServers } from '../../../../sidecar/replicas/service-names.ts'

const SERVICE = 'echo.team-a.svc'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-names-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const fault = (code: string): Error => Object.assign(new Error(code), { code })

type Answer = readonly string[] | string

/** Name servers that say this, and note what they are asked. */
const saying = (four: Answer, six: Answer): { servers: NameServers; asked: string[] } => {
  const asked: string[] = []
  const answer = async (name: string, found: Answer): Promise<readonly string[]> => {
    asked.push(name)
    if (typeof found === 'string') throw fault(found)
    return found
  }
  const servers: NameServers = {
    resolve4: (name) => answer(name, four),
    resolve6: (name) => answer(name, six),
  }
  return { servers, asked }
}

describe('its name', () => {
  test.each([
    [
      'has the cluster’s domain behind it',
      'search team-a.svc.cluster.local svc.cluster.local cluster.local corp.example',
      'echo.team-a.svc.cluster.local.',
    ],
    [
      'has a domain of the cluster’s own',
      'search x.svc.k8s.corp.example svc.k8s.corp.example k8s.corp.example',
      'echo.team-a.svc.k8s.corp.example.',
    ],
    ['has none where nobody says which', 'nameserver 10.0.0.10', 'echo.team-a.svc.'],
  ])('%s', async (_name, text, whole) => {
    const path = join(folder, 'resolv.conf')
    writeFileSync(path, `${text}\n`)
    const { servers, asked } = saying(['10.0.0.1'], 'ENODATA')
    expect(await serviceNames(4, path, servers)(SERVICE)).toEqual(['10.0.0.1'])
    expect(asked).toEqual([whole])
  })

  test('is whole where there is no file', async () => {
    const { servers, asked } = saying(['10.0.0.1'], 'ENODATA')
    await serviceNames(4, join(folder, 'none'), servers)(SERVICE)
    expect(asked).toEqual(['echo.team-a.svc.'])
  })
})

describe('its addresses', () => {
  test.each<[string, 4 | 6, readonly string[]]>([
    ['of IPv4', 4, ['10.0.0.1']],
    ['of IPv6', 6, ['fd00::1']],
  ])('are those %s, whatever is wrong with the others', async (_name, family, addresses) => {
    const [four, six]: [Answer, Answer] =
      family === 4 ? [addresses, 'ESERVFAIL'] : ['ETIMEOUT', addresses]
    const { servers } = saying(four, six)
    expect(await serviceNames(family, join(folder, 'none'), servers)(SERVICE)).toEqual(addresses)
  })

  test.each(['ENOTFOUND', 'ENODATA', 'ETIMEOUT'])('are not known by %s', async (code) => {
    const { servers } = saying(code, ['fd00::1'])
    const asked = serviceNames(4, join(folder, 'none'), servers)(SERVICE)
    await expect(asked).rejects.toMatchObject({ code })
  })
})
