import { expect, test } from '@jest/globals'
import { lookUps, reachOf } from '../../../../webhook/companions/reach.ts'

test('many destinations among very many Services are worked out at once', () => {
  const services = Array.from({ length: 30_000 }, (_, index) => ({
    name: `s${index}`,
    isHeadless: false,
    selector: { app: 'x' },
    ports: [{ port: index % 60_000, target: index % 7 }],
  }))
  const around = {
    namespace: 'team',
    apiServer: () => [],
    ...lookUps(
      () => services,
      () => services,
    ),
  }
  const before = process.cpuUsage()
  for (let port = 1; port <= 256; port++) {
    reachOf(`*.svc:${port}`, around, false)
    reachOf(`*.shop.svc:${port}`, around, false)
    reachOf(`s${port}.shop.svc:${port}`, around, false)
  }
  // One after the other, each through all of them, took seconds. The machine's other work is not counted.
  const { user, system } = process.cpuUsage(before)
  expect((user + system) / 1000).toBeLessThan(1000)
  expect(reachOf('*.svc:5', around, false).openings[0]?.ports).toEqual([5])
})
