// A child's token: in a file of its own before it starts, another by a rename, and none any more; wherever the child leads there.

import { afterEach, describe, expect, test } from '@jest/globals'
import { BUILDS, buildShim, ShimProcess } from '../../support/shim.ts'
import type { Connection } from '../../support/shim-connection.ts'
import { readLine } from '../../support/waiting.ts'

/** Says what it reads whenever it is asked, after what it is told to do. */
const SCRIPT =
  'while read -r line; do eval "$line"; echo "$(stat -c %a "$OUTRIGGER_TOKEN_FILE" 2>&1 | tail -c 4) $(cat "$OUTRIGGER_TOKEN_FILE" 2>/dev/null)"; done'

describe.each(BUILDS)('%s build', (_build, target) => {
  let shim: ShimProcess
  const start = (): Promise<Connection> => {
    shim = new ShimProcess({ binary: buildShim(target) })
    return shim.ready()
  }
  afterEach(() => shim.close())

  /** A child that has begun with a token. */
  const begin = async (token: string) => {
    const connection = await start()
    const offer = await connection.offer({ SCRIPT })
    connection.send('token', { child: offer.id, token })
    connection.send('opened', { child: offer.id })
    await connection.event('spawned', offer.id)
    const ask = (what: string): Promise<string> => {
      offer.stdin.write(`${what}\n`)
      return readLine(offer.stdout)
    }
    return { connection, id: offer.id, ask }
  }

  test('is there when it starts, for its user alone, where a variable says', async () => {
    const { ask } = await begin('first')
    expect(await ask(':')).toBe('600 first')
    expect(await ask('echo "$OUTRIGGER_TOKEN_FILE"')).toMatch(/\/\d+\/home\/\.outrigger\/token$/)
  })

  test('of 16 KiB is whole, and is replaced and taken away', async () => {
    const long = 'x'.repeat(16_384)
    const { connection, id, ask } = await begin(long)
    expect(await ask(':')).toBe(`600 ${long}`)
    connection.send('token', { child: id, token: 'second' })
    const read = async (wanted: RegExp): Promise<void> => {
      const said = await ask(':')
      if (!wanted.test(said)) await read(wanted)
    }
    await read(/^600 second$/)
    connection.send('token', { child: id, token: '' })
    await read(/^ory\W* $/)
  })

  test.each([
    ['has removed its directory', 'rm -rf "$HOME/.outrigger"', true],
    [
      'has left a link in its place',
      'rm -rf "$HOME/.outrigger"; ln -s /tmp "$HOME/.outrigger"',
      false,
    ],
    ['has left a file there', 'rm -rf "$HOME/.outrigger"; : >"$HOME/.outrigger"', false],
  ])('of a child that %s', async (_name, deed, isWritten) => {
    const { connection, id, ask } = await begin('first')
    await ask(deed)
    connection.send('token', { child: id, token: 'second' })
    if (!isWritten) {
      expect(await connection.event('token-failed', id)).toMatchObject({ child: id })
      return
    }
    const read = async (): Promise<string> => {
      const said = await ask(':')
      return said === '600 second' ? said : read()
    }
    expect(await read()).toBe('600 second')
  })

  test('is passed over where its child has gone', async () => {
    const connection = await start()
    connection.send('token', { child: 7, token: 'nobody’s' })
    const child = await connection.run('echo "[$OUTRIGGER_TOKEN_FILE]"')
    expect(await readLine(child.stdout)).toBe('[]')
  })
})
