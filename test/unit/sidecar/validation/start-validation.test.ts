import { expect, test } from '@jest/globals'
import { startValidation } from '../../../../sidecar/validation/start-validation.ts'
import { askedServer } from '../../../support/asked-server.ts'
import { keptLog } from '../../../support/kept-log.ts'

test('a tool by whose schema nobody can check is told once, with the reason and the place', async () => {
  const inputSchema = { properties: { a: { pattern: '(?=x)' } } }
  const tools = Array.from({ length: 100 }, (_, index) => ({ name: `t${index}`, inputSchema }))
  const server = askedServer(() => ({ tools }))
  const { log, lines } = keptLog()
  const process = startValidation({ now: server.now, log }).over(server.channel, () => [])
  const call = (name: string) =>
    server.settled((request) => process.check(request), { method: 'tools/call', params: { name } })
  expect((await call('t0'))?.code).toBe('invalid-arguments')
  await call('t0')
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
    expect.objectContaining({
      level: 'warn',
      message: "every call of a tool is refused: nobody can check by the tool's own input schema",
      tool: 't0',
      why: 'the pattern "(?=x)" is none that RE2 knows: it looks neither ahead nor back (at #/properties/a)',
    }),
  ])
  for (const { name } of tools) await call(name)
  expect(lines).toHaveLength(64)
})
