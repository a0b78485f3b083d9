// What a command may change of files: `--files` and `--writable`, by Landlock. Every way of this table works where nothing
// is said of files, and none leaves a trace where something is; what a server needs goes on working.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { endProcess } from '../../support/end-process.ts'
import { ExecProcess } from '../../support/exec-process.ts'
import { BUILDS, buildShim, compileFixture, ShimProcess } from '../../support/shim.ts'
import type { Connection } from '../../support/shim-connection.ts'
import { REASON, type Terms } from '../../support/shim-frame.ts'
import { IS_ROOT, SERVER_UID } from '../../support/users.ts'
import { readAll, readLine, until } from '../../support/waiting.ts'

const ENFORCE = 2
const TOO_OLD = /^cannot keep it to the files that it may change \(Linux 6\.2 or newer/

const WAYS = [
  'write',
  'append',
  'read-and-write',
  'truncate',
  'truncate-by-reading',
  'make',
  'make-nameless',
  'make-folder',
  'remove-folder',
  'remove',
  'make-link',
  'make-fifo',
  'make-node',
  'make-socket',
  'make-socket-behind-link',
  'make-socket-from-within',
  'rename-within',
  'rename-in',
  'rename-out',
  'rename-over',
  'exchange',
  'link-out',
  'link-in',
  'behind-link',
  'behind-link-to-folder',
  'climb',
  'by-own-root',
  'from-within',
  'by-folder',
  'again-for-writing',
  'again-by-place',
  'in-fork',
  'in-thread',
  'by-shell',
  'own-memory',
  'own-score',
  'shared-memory',
] as const
/** A device takes root to be made. */
const DEVICE_WAYS = IS_ROOT ? (['write-device', 'ask-device'] as const) : []
/** The first that knows all that is tried here. */
const ABI_WITH_DEVICES = 5
/** Not everywhere may a process make namespaces. */
const NAMESPACE_WAYS = ['mount-over', 'other-root'] as const

const folder = mkdtempSync(join(tmpdir(), 'files-'))
chmodSync(folder, 0o755)
const hostile = compileFixture('hostile', folder)
const abi = Number(execFileSync(hostile, ['landlock-abi'], { encoding: 'utf8' }))
const describeHere = abi >= ABI_WITH_DEVICES ? describe : describe.skip

let program: string
let oldKernel: string
let noLandlock: string
let stopper: string

/** A directory with one place where nothing may be changed, and one where all may. */
class Tree {
  readonly root = mkdtempSync(join(folder, 'tree-'))
  readonly fixed = join(this.root, 'fixed')
  readonly free = join(this.root, 'free')

  constructor() {
    for (const one of [this.fixed, join(this.fixed, 'empty'), this.free]) mkdirSync(one)
    writeFileSync(join(this.fixed, 'kept'), 'content')
    if (IS_ROOT) {
      execFileSync('mknod', ['-m', '666', join(this.fixed, 'device'), 'c', '1', '3'])
      const all = [
        this.root,
        this.fixed,
        join(this.fixed, 'empty'),
        join(this.fixed, 'kept'),
        this.free,
      ]
      for (const one of all) chownSync(one, SERVER_UID, SERVER_UID)
    }
    chmodSync(this.root, 0o755)
  }

  /** What there is where nothing may be changed. */
  get state(): string {
    const names = readdirSync(this.fixed).sort()
    const { ino, nlink, size } = lstatSync(join(this.fixed, 'kept'))
    return JSON.stringify([names, ino, nlink, size, readFileSync(join(this.fixed, 'kept'), 'utf8')])
  }
}

beforeAll(() => {
  program = compileFixture('file-changes', folder)
  oldKernel = compileFixture('old-landlock', folder)
  noLandlock = compileFixture('without-landlock', folder)
  stopper = compileFixture('stopper', folder)
})
afterAll(() => rmSync(folder, { recursive: true }))

const become = IS_ROOT
  ? ['setpriv', `--reuid=${SERVER_UID}`, `--regid=${SERVER_UID}`, '--clear-groups']
  : []

const bare = (way: string, { fixed, free }: Tree): string => {
  const [file, ...words] = [...become, program, way, fixed, free]
  return execFileSync(file, words, { encoding: 'utf8' }).trim()
}

describe('without a word of files', () => {
  test.each([...WAYS, ...DEVICE_WAYS, 'change-mode'])('%s works', (way) => {
    expect(bare(way, new Tree())).toBe('worked')
  })
})

describeHere.each(BUILDS)('%s build (takes Landlock ABI 5)', (_build, target) => {
  const running: ExecProcess[] = []
  afterEach(async () => {
    for (const one of running.splice(0)) await one.close()
  })

  interface Given {
    readonly tree: Tree
    readonly flags?: readonly string[]
    readonly wrapper?: readonly string[]
    readonly rule?: string
  }
  const start = (
    way: string,
    { tree, flags = [], wrapper, rule = 'require' }: Given,
  ): ExecProcess => {
    const one = new ExecProcess({
      binary: buildShim(target),
      flags: [...flags, '--files', rule, '--writable', tree.free],
      command: [program, way, tree.fixed, tree.free],
      ...(wrapper && { wrapper }),
    })
    running.push(one)
    return one
  }
  const tried = async (way: string, given: Given): Promise<string> => {
    const one = start(way, given)
    await one.exit()
    return `${one.said}${one.log}`.trim()
  }

  describe.each([
    ['one command', []],
    ['one command under a supervisor', ['--egress', 'enforce']],
  ])('%s', (_name, flags) => {
    test.each([...WAYS, ...DEVICE_WAYS])('%s changes nothing', async (way) => {
      const tree = new Tree()
      const { state } = tree
      expect(await tried(way, { tree, flags })).toMatch(
        /^refused: (Permission denied|Invalid cross-device link)$/,
      )
      expect(tree.state).toBe(state)
    })

    test.each(NAMESPACE_WAYS)(
      '%s changes nothing, whether there may be namespaces or not',
      async (way) => {
        const tree = new Tree()
        const { state } = tree
        expect(await tried(way, { tree, flags })).toMatch(/^refused: /)
        expect(tree.state).toBe(state)
      },
    )

    test('may change the mode of what is its user’s: that no rule knows', async () => {
      expect(await tried('change-mode', { tree: new Tree(), flags })).toBe('worked')
    })
  })

  test('what is given a directory by somebody else changes nothing in it', async () => {
    const tree = new Tree()
    const [file, ...words] = [...become, program, 'give', join(tree.free, 'giver'), tree.fixed]
    const giver = spawn(file, words, { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      const [ready] = await once(giver.stdout, 'data')
      expect(String(ready)).toBe('ready\n')
      const { state } = tree
      expect(await tried('taken-folder', { tree })).toBe('refused: Permission denied')
      expect(tree.state).toBe(state)
      expect(bare('taken-folder', tree)).toBe('worked')
    } finally {
      endProcess(giver.pid ?? 0)
    }
  })

  describe('on a kernel with an earlier Landlock', () => {
    const on = (abi: number): readonly string[] =>
      abi === 0 ? [noLandlock] : [oldKernel, `${abi}`]

    test.each([0, 1, 2])('of ABI %i it is not started', async (abi) => {
      const tree = new Tree()
      const { state } = tree
      const one = start('truncate', { tree, wrapper: on(abi) })
      expect(await one.exit()).toMatchObject({ code: 1 })
      expect(one.log.replace('shim: ', '')).toMatch(TOO_OLD)
      expect(tree.state).toBe(state)
    })

    test.each([
      [0, 'write', 'worked'],
      [1, 'write', 'refused: Permission denied'],
      [1, 'truncate', 'worked'],
      [2, 'write', 'refused: Permission denied'],
      [2, 'truncate', 'worked'],
    ])('of ABI %i, advisory, %s has %s, and the log says so', async (abi, way, expected) => {
      const said = await tried(way, { tree: new Tree(), wrapper: on(abi), rule: 'advisory' })
      expect(said).toContain(expected)
      expect(said).toContain(`what may change files is advisory here: Landlock is of ABI ${abi}`)
    })

    test.each([3, 4, 5])('of ABI %i it is kept to it', async (abi) => {
      const given = { tree: new Tree(), wrapper: on(abi) }
      expect(await tried('write', given)).toBe('refused: Permission denied')
      expect(await tried('truncate', given)).toBe('refused: Permission denied')
    })
  })

  test('whoever stops what binds on its behalf is answered, and stops nothing else', async () => {
    const { free } = new Tree()
    const one = new ExecProcess({
      binary: buildShim(target),
      // Nothing keeps a signal back there.
      wrapper: [noLandlock],
      flags: ['--loopback', '--files', 'advisory', '--writable', free],
      command: [stopper, free],
    })
    running.push(one)
    expect(await one.line()).toBe('answered')
    expect(await one.exit()).toMatchObject({ code: 0 })
  })

  const startMaking = (path: string): ExecProcess => {
    const one = new ExecProcess({
      binary: buildShim(target),
      flags: ['--files', 'require', '--writable', path],
      command: ['mkdir', path],
    })
    running.push(one)
    return one
  }

  test('what is declared and not there is said, and cannot be made', async () => {
    const path = join(new Tree().fixed, 'nowhere')
    const one = startMaking(path)
    expect(await one.exit()).toMatchObject({ code: 1 })
    expect(one.log).toContain(
      `shim: --writable ${path}: nothing can be changed there: No such file or directory\n`,
    )
    expect(one.log).toContain('Permission denied')
  })

  const testAsRoot = IS_ROOT ? test : test.skip
  testAsRoot(
    'what is declared and out of reach is said, and the rest goes on (takes root)',
    async () => {
      const tree = new Tree()
      const shut = join(tree.root, 'shut')
      mkdirSync(shut, { mode: 0o700 })
      const one = new ExecProcess({
        binary: buildShim(target),
        flags: ['--files', 'require', '--writable', `${shut}/below`, '--writable', tree.free],
        command: ['touch', join(tree.free, 'made')],
      })
      running.push(one)
      expect(await one.exit()).toMatchObject({ code: 0 })
      expect(one.log).toBe(
        `shim: --writable ${shut}/below: nothing can be changed there: Permission denied\n`,
      )
    },
  )

  describe('children', () => {
    let tree: Tree
    let shim: ShimProcess
    let connection: Connection

    const declaring = (path: string, ...more: readonly string[]): readonly string[] => [
      '--files',
      'require',
      '--writable',
      path,
      ...more,
    ]

    const begin = async (
      more: ConstructorParameters<typeof ShimProcess>[0] = {},
    ): Promise<void> => {
      const flags = declaring(tree.free)
      shim = new ShimProcess({ binary: buildShim(target), flags, ...more })
      connection = await shim.ready()
    }
    beforeEach(() => {
      tree = new Tree()
    })
    afterEach(() => shim.close())

    const said = async (script: string, terms: Terms = {}): Promise<string> => {
      const child = await connection.run(
        script,
        { PROGRAM: program, FREE: tree.free, FIXED: tree.fixed },
        terms,
      )
      const text = (await readAll(child.stdout)).trim()
      await connection.event('gone', child.id)
      return text
    }

    test('change nothing where they may not', async () => {
      await begin()
      const { state } = tree
      for (const mode of [0, ENFORCE]) {
        for (const way of ['write', 'make', 'link-out', 'exchange', 'make-socket-behind-link']) {
          expect(
            await said(`"$PROGRAM" ${way} "$FIXED" "$FREE"; rm -f "$FREE"/*`, { mode }),
          ).toMatch(/^refused: /)
        }
      }
      expect(tree.state).toBe(state)
    })

    test.each([
      ['declared', () => tree.free],
      ['within what is declared', () => join(tree.free, 'below')],
      ['declared, by a way that climbs', () => `${tree.fixed}/../free`],
      ['declared, behind a link', () => join(tree.root, 'link')],
    ])('have no private directory in a TMPDIR that is %s', async (_name, place) => {
      mkdirSync(join(tree.free, 'below'), { mode: 0o777 })
      chmodSync(join(tree.free, 'below'), 0o777)
      symlinkSync(tree.free, join(tree.root, 'link'))
      await begin({ environment: { TMPDIR: place() } })
      const other = await connection.run('echo "$HOME"; exec cat')
      const home = await readLine(other.stdout)
      expect(readdirSync(tree.free)).toEqual(['below'])
      expect(readdirSync(join(tree.free, 'below'))).toEqual([])
      const script = `echo x 2>/dev/null >${home}/.npmrc || echo refused`
      expect(await said(script)).toBe('refused')
      const base = dirname(dirname(home))
      for (const way of [`mv ${base} "$FREE"/taken`, `mv ${base} ${base}-`, `rm -r ${base}/*`]) {
        expect(await said(`${way} 2>/dev/null || echo refused`)).toBe('refused')
      }
      // No rule knows the mode.
      expect(await said(`chmod 0 ${base} && echo shut`)).toBe('shut')
      expect(await said('echo x >"$HOME"/x && echo made')).toBe('made')
      await connection.kill(other)
    })

    test('have them where --homes says, before TMPDIR', async () => {
      const homes = join(tree.root, 'homes')
      mkdirSync(homes)
      chmodSync(homes, 0o777)
      await begin({ flags: declaring(tree.free, '--homes', homes) })
      expect(await said('echo "$TMPDIR"')).toMatch(new RegExp(`^${homes}/outrigger-shim-`))
      await shim.close()
      expect(readdirSync(homes)).toEqual([])
    })

    test('are refused where all is declared: nothing would be private', async () => {
      await begin({ flags: declaring('/') })
      await until(
        () => shim.log.includes('no directory for private homes can be made'),
        'it is said',
      )
      expect((await connection.ask()).answer).toMatchObject({ reason: REASON.system })
    })

    test.each<[string, string]>([
      ['what is declared', '"$FREE"'],
      ['TMPDIR', '"$TMPDIR"'],
      ['HOME', '"$HOME"'],
    ])('go on writing in %s', async (_name, place) => {
      await begin()
      const script = `cd ${place} && echo x >a && mv a b && mkdir d && mv b d/c && ln d/c e && ln -s e f && echo y >>f && cat e && rm -r d e f && echo done`
      for (const mode of [0, ENFORCE]) expect(await said(script, { mode })).toBe('x\ny\ndone')
    })

    test('bind sockets where they may write', async () => {
      await begin()
      const script =
        'for place in "$FREE" "$TMPDIR"; do "$PROGRAM" make-socket "$place" "$FREE"; done'
      for (const mode of [0, ENFORCE]) {
        expect(await said(`${script}; rm "$FREE"/made`, { mode })).toBe('worked\nworked')
      }
    })

    test('open their own stdout and stderr by name, and write to devices', async () => {
      await begin()
      const script =
        'echo a >/dev/null; echo b >/dev/stdout; echo c >/dev/stderr; echo d >/dev/full; echo $?'
      const child = await connection.run(script)
      expect(await readAll(child.stdout)).toBe('b\n1\n')
      await connection.event('gone', child.id)
      expect(connection.stderr(child.id)).toMatch(/^c\n/)
    })

    test('write in no sibling’s directory', async () => {
      await begin()
      const other = await connection.run('echo "$TMPDIR"; exec cat')
      const place = await readLine(other.stdout)
      expect(await said(`echo x 2>/dev/null >${place}/planted || echo refused`)).toBe('refused')
      expect(readdirSync(place)).toEqual([])
      expect(await said(`mv ${place} "$TMPDIR"/ 2>/dev/null || echo refused`)).toBe('refused')
      await connection.kill(other)
    })

    test.each([
      ['is private where it is not declared', () => tree.fixed, false],
      ['stays where it is', () => tree.free, true],
      ['is private where it climbs out', () => `${tree.free}/../fixed`, false],
    ])('HOME %s', async (_name, home, isKept) => {
      await begin({ environment: { HOME: home() } })
      const place = await said('echo "$HOME"; echo x >"$HOME"/x && rm "$HOME"/x')
      expect(place === home()).toBe(isKept)
    })

    test.each([0, 1, 2])('are refused on Landlock of ABI %i', async (abi) => {
      const wrapper = abi === 0 ? [noLandlock] : [oldKernel, `${abi}`]
      await begin({ wrapper })
      const offer = await connection.offer({ SCRIPT: 'echo it runs' })
      connection.send('opened', { child: offer.id })
      const refused = await connection.event('refused', offer.id)
      expect(refused.reason).toBe(REASON.system)
      expect(refused.text).toMatch(TOO_OLD)
    })
  })
})
