import { describe, expect, test } from '@jest/globals'
import { parseUser, resolveUser } from '../../../../webhook/images/user.ts'

const PASSWD = `root:x:0:0:root:/root:/bin/sh
# app:x:1:1

app:x:999:998::/:/bin/sh
app:x:7:7:the second one:/:/bin/sh
bad:x:one:1::/:
big:x:4294967296:1::/:
half:x:5
1000:x:12:13::/:
\tspaced:x:14:15:::\r
`
const GROUP = 'web:x:55:app\nweb:x:56:\nbroken:x:\n'

describe('USER', () => {
  test.each<readonly [string, object]>([
    ['', { uid: 0, gid: 0 }],
    ['root', { name: 'root', uid: 0, gid: 0 }],
    ['0', { uid: 0 }],
    ['1000', { uid: 1000 }],
    ['007', { uid: 7 }],
    ['1000:1001', { uid: 1000, gid: 1001 }],
    ['1000:web', { uid: 1000 }],
    ['app', { name: 'app', uid: 999, gid: 998 }],
    ['app:5', { name: 'app', uid: 999, gid: 5 }],
    ['app:web', { name: 'app', uid: 999, gid: 55 }],
    ['app:nogroup', { name: 'app' }],
    ['app:broken', { name: 'app' }],
    ['spaced', { name: 'spaced', uid: 14, gid: 15 }],
    ['nemo', { name: 'nemo' }],
    ['bad', { name: 'bad' }],
    ['big', { name: 'big' }],
    ['half', { name: 'half' }],
    ['App', { name: 'App' }],
    // Too large for a uid: a name, to a container runtime as well.
    ['2147483648', { name: '2147483648' }],
    ['-1', { name: '-1' }],
  ])('%j', (text, user) => {
    const spec = parseUser(text)
    expect(spec.ok && resolveUser(spec.value, { passwd: PASSWD, group: GROUP })).toEqual(user)
  })

  test.each([[':'], ['app:'], [':web'], ['a:b:c'], ['a'.repeat(300)]])('%j is refused', (text) => {
    expect(parseUser(text)).toMatchObject({ ok: false })
  })

  test('no files at all know nobody', () => {
    const files = { passwd: undefined, group: undefined }
    expect(resolveUser({ user: 'app', group: undefined }, files)).toEqual({ name: 'app' })
  })
})
