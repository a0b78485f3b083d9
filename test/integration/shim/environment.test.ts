// What a child finds when it starts: its environment, its private directories, and otherwise a process
// as fresh as any.

import { afterEach, describe, expect, test } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { kill } from 'node:process'
import { join } from 'node:path'
import {
  BECOME_SERVER,
  BUILDS,
  buildShim,
  ShimProcess,
  type ShimOptions,
} from '../../support/shim.ts'
import { REASON } from '../../support/shim-frame.ts'
import type { Connection } from '../../support/shim-connection.ts'
import { endProcess } from '../../support/end-process.ts'
import { childrenOf, parentOf, stateOf } from '../../support/proc.ts'
import { readAll, readLine, until } from '../../support/waiting.ts'
import { IS_ROOT } from '../../support/users.ts'

const testAsRoot = IS_ROOT ? test : test.skip

describe.each(BUILDS)('%s build', (_build, target) => {
  let shim: ShimProcess
  const start = (options: ShimOptions = {}): ShimProcess => {
    shim = new ShimProcess({ binary: buildShim(target), ...options })
    return shim
  }
  afterEach(() => shim.close())

  const output = async (
    connection: Connection,
    script: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<string> => readAll((await connection.run(script, environment)).stdout)

  describe('the environment', () => {
    test('is the shim’s, overlaid by the request’s lines', async () => {
      const connection = await start({ environment: { A: 'shim', B: 'shim' } }).ready()
      const said = await output(connection, 'echo "$A $B $C"', { B: 'request', C: 'a=b c' })
      expect(said).toBe('shim request a=b c\n')
    })

    test.each<[string, Readonly<Record<string, string>>, string]>([
      ['behind the request’s', { JDK_JAVA_OPTIONS: '-Xmx1g -Da=b' }, '-Dc=d -Xmx1g -Da=b'],
      ['alone where there are none', {}, '-Dc=d'],
      ['empty as they are', { JDK_JAVA_OPTIONS: '' }, '-Dc=d '],
    ])('has Java’s options of both: the container’s %s', async (_name, environment, said) => {
      const connection = await start({ environment }).ready()
      const script = 'echo "$JDK_JAVA_OPTIONS|"'
      const request = { JDK_JAVA_OPTIONS: '-Dc=d' }
      for (const _child of [1, 2]) {
        expect(await output(connection, script, request)).toBe(`${said}|\n`)
      }
      expect(await output(connection, script)).toBe(`${environment['JDK_JAVA_OPTIONS'] ?? ''}|\n`)
    })

    test('of one child is not another’s', async () => {
      const connection = await start().ready()
      await output(connection, ':', { SECRET: 'x' })
      expect(await output(connection, 'echo "<$SECRET>"')).toBe('<>\n')
    })

    test('chooses the command: the request’s PATH counts', async () => {
      const connection = await start({ command: ['tool'] }).ready()
      const bin = join(shim.dir, 'bin')
      mkdirSync(bin)
      chmodSync(bin, 0o755)
      writeFileSync(join(bin, 'tool'), '#!/bin/sh\necho found\n', { mode: 0o755 })
      const offer = await connection.offer({ PATH: `/nowhere:${bin}` })
      expect(await readAll((await connection.start(offer)).stdout)).toBe('found\n')
      const { id } = await connection.offer({ PATH: '/nowhere' })
      connection.send('opened', { child: id })
      const refused = await connection.event('refused', id)
      expect(refused.reason).toBe(REASON.cannotExecute)
      expect(refused.text).toContain('it is not in any directory of PATH')
    })

    test('without PATH the usual directories are searched', async () => {
      const wrapper = ['env', '-u', 'PATH']
      const connection = await start({ wrapper, command: ['true'] }).ready()
      const child = await connection.start(await connection.offer())
      expect(await connection.event('exited', child.id)).toMatchObject({ kind: 0, value: 0 })
    })
  })

  describe('private directories', () => {
    const NAMES = ['TMPDIR', 'HOME', 'XDG_CACHE_HOME', 'npm_config_cache', 'UV_CACHE_DIR'] as const
    const SAY = NAMES.map((name) => `echo "$${name}"`).join(';')
    const places = async (
      connection: Connection,
      environment: Readonly<Record<string, string>> = {},
    ): Promise<string[]> => (await output(connection, SAY, environment)).trimEnd().split('\n')

    test('stand in where the environment names none', async () => {
      const connection = await start().ready()
      const [tmp = '', home, ...caches] = await places(connection)
      expect(tmp.startsWith(`${shim.homes}/outrigger-shim-`)).toBe(true)
      const own = tmp.slice(0, -'/tmp'.length)
      expect([home, ...caches]).toEqual(
        ['home', 'home/.cache', 'home/.npm', 'home/.cache/uv'].map((name) => `${own}/${name}`),
      )
    })

    test('stand in for what cannot be written; what can be stays', async () => {
      const good = '/tmp'
      const missing = `${good}/${randomUUID()}/b`
      const environment = { HOME: '/proc', XDG_CACHE_HOME: missing, UV_CACHE_DIR: 'relative' }
      const connection = await start({ environment }).ready()
      const [tmp, home, xdg, npm, uv] = await places(connection, { npm_config_cache: good })
      expect([xdg, npm]).toEqual([missing, good])
      for (const place of [tmp, home, uv]) expect(place).toContain('/outrigger-shim-')
    })

    test('with --keep-home only TMPDIR is one', async () => {
      const environment = { HOME: '/proc' }
      const connection = await start({ environment, flags: ['--keep-home'] }).ready()
      const [tmp, ...others] = await places(connection)
      expect(tmp).toContain('/outrigger-shim-')
      expect(others).toEqual(['/proc'])
    })

    test('are the child’s own, with mode 0700, and can be used', async () => {
      const connection = await start().ready()
      const script = 'stat -c "%a %u" "$TMPDIR/.." "$TMPDIR" "$HOME"; touch "$TMPDIR/a" "$HOME/b"'
      expect(await output(connection, script)).toBe(`700 ${shim.uid}\n`.repeat(3))
      const [first] = await places(connection)
      const [second] = await places(connection)
      expect(first).not.toBe(second)
    })

    test.each([
      ['files and directories', 'mkdir -p "$HOME/a/b/c"; touch "$HOME/a/b/c/d" "$TMPDIR/.hidden"'],
      [
        'directories without rights',
        'mkdir -p "$HOME/a/b"; touch "$HOME/a/b/c"; chmod 0 "$HOME/a/b" "$HOME/a" "$HOME"',
      ],
      [
        'a tree of five thousand levels',
        `python3 -c 'import os
os.chdir(os.environ["HOME"])
for _ in range(5000): os.mkdir("d"); os.chdir("d")
open("f", "w")'`,
      ],
      ['two thousand files', 'cd "$HOME"; seq 2000 | xargs touch'],
      [
        'names that look like the remover’s own',
        'mkdir -p "$HOME/.raised-0/x" "$TMPDIR/../.raised-1/x/y" "$HOME/a/b/c/d"',
      ],
      [
        'pipes and sockets',
        'mkfifo "$HOME/fifo"; python3 -c "import socket,os; socket.socket(socket.AF_UNIX).bind(os.environ[\'HOME\'] + \'/s\')"',
      ],
      ['its own directory in a strange mode', 'chmod 0 "$TMPDIR/.."'],
    ])('are gone with the child: %s', async (_name, script) => {
      const connection = await start().ready()
      const child = await connection.run(script)
      await connection.event('gone', child.id)
      expect(connection.stderr(child.id)).toBe('')
      expect(readdirSync(join(shim.homes, readdirSync(shim.homes)[0] ?? ''))).toEqual(['lock'])
    })

    test('links in them are removed, not followed', async () => {
      const connection = await start().ready()
      const precious = join(shim.dir, 'precious')
      mkdirSync(join(precious, 'inside'), { recursive: true })
      chmodSync(precious, 0o777)
      const child = await connection.run(
        `ln -s ${precious} "$HOME/link"; ln -s ${precious}/inside "$TMPDIR/../up"; ln -s / "$TMPDIR/root"`,
      )
      await connection.event('gone', child.id)
      expect(readdirSync(precious)).toEqual(['inside'])
      expect(statSync(precious).mode & 0o777).toBe(0o777)
    })

    test('are gone too when the monitor was killed, or the connection dropped', async () => {
      const connection = await start().ready()
      const base = join(shim.homes, readdirSync(shim.homes)[0] ?? '')
      const child = await connection.run('touch "$HOME/a"; exec sleep 1000')
      await connection.run('touch "$HOME/a"; exec sleep 1000')
      kill(parentOf(child.pid), 'SIGKILL')
      await connection.event('gone', child.id)
      expect(readdirSync(base)).toHaveLength(2)
      connection.socket.destroy()
      await shim.ready()
      await until(() => readdirSync(base).length === 1, 'only the lock is left')
    })

    // Who removes them outlives others' ends: what it held of them would hide that they are gone.
    testAsRoot('are removed by a process that holds nothing of the others', async () => {
      const connection = await start().ready()
      await connection.run('exec sleep 1000')
      const child = await connection.run('echo "$HOME"; exec sleep 1000')
      const kept = join(await readLine(child.stdout), 'kept')
      // Nobody but root gets it away: until then its removal goes on.
      mkdirSync(join(kept, 'inside'), { recursive: true })
      const before = new Set(childrenOf(shim.pid))
      kill(parentOf(child.pid), 'SIGKILL')
      const remover = await until(
        () => childrenOf(shim.pid).find((pid) => !before.has(pid) && pid !== child.pid),
        'the directory is being removed',
      )
      const isAnothers = (fd: string): boolean =>
        Number(fd) > 2 &&
        /^(socket|pipe|anon_inode):/.test(readlinkSync(`/proc/${remover}/fd/${fd}`))
      // It lets go of them when it begins, of which it may not have come far.
      await until(async () => {
        kill(remover, 'SIGSTOP')
        await until(() => stateOf(remover) === 'T', 'it stands still')
        const held = readdirSync(`/proc/${remover}/fd`).filter(isAnothers)
        kill(remover, 'SIGCONT')
        return held.length === 0
      }, 'it holds nothing of theirs')
      expect(connection.story(child.id)).not.toContain('gone')
      rmSync(kept, { recursive: true })
      await connection.event('gone', child.id)
    })

    /** What it said, once nothing of it is left. */
    const told = async (
      connection: Connection,
      script: string,
      environment: Readonly<Record<string, string>> = {},
    ): Promise<string> => {
      const child = await connection.run(script, environment)
      const text = await readAll(child.stdout)
      await connection.event('gone', child.id)
      return text
    }

    /** A directory that no child may change, with others in it of the names of children's own. */
    const makePrecious = (folder: string): { path: string; names: readonly string[] } => {
      const path = join(folder, 'precious')
      const names = Array.from({ length: 10 }, (_, number) => `${number}`)
      for (const name of names) mkdirSync(join(path, name, 'home'), { recursive: true })
      for (const name of ['', ...names]) chmodSync(join(path, name), 0o777)
      return { path, names }
    }

    test.each([
      ['taken the base away', 'rm -rf "$BASE"'],
      ['moved it', 'mv "$BASE" "$AWAY"'],
      ['shut it', 'chmod 0 "$BASE"'],
      ['put a file in its place', 'mv "$BASE" "$AWAY"; touch "$BASE"'],
      ['put a link in its place', 'mv "$BASE" "$AWAY"; ln -s "$PRECIOUS" "$BASE"'],
      ['put a directory in its place', 'mv "$BASE" "$AWAY"; cp -r "$PRECIOUS" "$BASE"'],
    ])('can be made, and are removed, also after a child has %s', async (_name, script) => {
      const connection = await start().ready()
      const base = join(shim.homes, readdirSync(shim.homes)[0] ?? '')
      const away = join(shim.dir, 'away')
      const precious = makePrecious(shim.dir)
      const other = await connection.run('touch "$HOME/a"; echo there; exec cat')
      await readLine(other.stdout)
      await told(connection, script, { BASE: base, AWAY: away, PRECIOUS: precious.path })
      expect(await told(connection, 'touch "$TMPDIR/a" "$HOME/b" && echo made')).toBe('made\n')
      await connection.kill(other)
      if (existsSync(away)) expect(readdirSync(away)).toEqual(['lock'])
      for (const name of ['', ...precious.names]) {
        expect(readdirSync(join(precious.path, name))).toEqual(
          name === '' ? precious.names : ['home'],
        )
      }
      // What a child has put there is not the shim's to remove.
      rmSync(base, { recursive: true, force: true })
    })

    test('are emptied at the shim’s end, wherever a child has moved the base, and nothing else is', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'moved-'))
      chmodSync(folder, 0o777)
      try {
        const connection = await start().ready()
        const base = join(shim.homes, readdirSync(shim.homes)[0] ?? '')
        const away = join(folder, 'away')
        const { path, names } = makePrecious(folder)
        const child = await connection.run(
          'touch "$HOME/a"; mv "$BASE" "$AWAY"; ln -s "$PRECIOUS" "$BASE"; echo moved; exec cat',
          { BASE: base, AWAY: away, PRECIOUS: path },
        )
        await readLine(child.stdout)
        await expect(shim.close()).rejects.toThrow('the shim left outrigger-shim-')
        expect(readdirSync(away)).toEqual([])
        expect(readdirSync(path)).toEqual(names)
      } finally {
        rmSync(folder, { recursive: true })
      }
    })

    test('of a shim that was killed are removed by the next', async () => {
      start()
      const connection = await shim.ready()
      await readLine((await connection.run('touch "$HOME/a"; echo up; exec sleep 1000')).stdout)
      const stale = join(shim.homes, readdirSync(shim.homes)[0] ?? '')
      // The base outlives its shim; a monitor that is killed with it leaves its directory too.
      // The first to be killed takes others along.
      for (const pid of shim.processes()) endProcess(pid)
      await shim.exit()
      expect(existsSync(stale)).toBe(true)
      const next = new ShimProcess({
        binary: buildShim(target),
        environment: { TMPDIR: shim.homes },
      })
      await next.ready()
      await until(() => !existsSync(stale), 'the stale base is gone')
      await next.close()
      await shim.destroy()
    })

    test('of a shim that lives are left alone by the next', async () => {
      const connection = await start().ready()
      const child = await connection.run('read line; touch "$HOME/a" && echo kept')
      const next = new ShimProcess({
        binary: buildShim(target),
        environment: { TMPDIR: shim.homes },
      })
      await (await next.ready()).run('exit 0')
      await next.close()
      child.stdin.end('\n')
      expect(await readAll(child.stdout)).toBe('kept\n')
    })

    testAsRoot('that cannot be made anywhere are a refusal, with the reason', async () => {
      // A mount namespace in which nothing can be written but by root, DIR included.
      const hide = `dir=$(echo "$*" | sed 's/.*--run \\([^ ]*\\).*/\\1/')
mount -t tmpfs -o mode=755 none /media
cp "$1" /media/shim # this checkout may lie below /tmp itself
mount --bind "$dir" /mnt
mount -t tmpfs -o mode=755 none /tmp
mount -t tmpfs -o mode=755 none /var/tmp
mkdir -p "$dir"
mount --bind /mnt "$dir"
mount -o remount,bind,ro "$dir"
shift
exec ${BECOME_SERVER} /media/shim "$@"`
      const wrapper = ['unshare', '-m', 'sh', '-ec', hide, 'sh']
      const connection = await start({ wrapper, isUserSetByWrapper: true }).ready()
      expect(shim.log).toContain('no directory for private homes can be made')
      expect((await connection.ask()).answer).toMatchObject({
        reason: REASON.system,
        text: 'no private directory can be made: mount a writable /tmp',
      })
    })
  })

  describe('the process', () => {
    const STATUS = 'cat /proc/self/status'
    const field = (status: string, name: string): string =>
      new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? ''

    // What a careless parent may hand on: ignored and blocked signals, a descriptor, a umask.
    const CARELESS = [
      'python3',
      '-c',
      `import os, signal, sys
os.umask(0o027)
for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGCHLD, signal.SIGUSR1):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGUSR2))
os.dup2(os.open("/dev/null", os.O_RDWR), 9)
os.set_inheritable(9, True)
os.execv(sys.argv[1], sys.argv[1:])`,
    ]

    test.each([
      ['a plain parent', undefined],
      ['a careless parent', CARELESS],
    ])('of a shim that %s started has no signal blocked or ignored', async (_name, wrapper) => {
      const connection = await start(wrapper ? { wrapper } : {}).ready()
      const status = await output(connection, `exec ${STATUS}`)
      for (const mask of ['SigBlk', 'SigIgn', 'SigPnd', 'ShdPnd']) {
        expect([mask, field(status, mask)]).toEqual([mask, '0000000000000000'])
      }
      expect(field(status, 'Umask')).toBe(wrapper ? '0027' : '0022')
      expect(field(status, 'NoNewPrivs')).toBe('1')
    })

    test.each([
      ['a plain parent', undefined],
      ['a careless parent', CARELESS],
    ])('of a shim that %s started has three descriptors', async (_name, wrapper) => {
      const connection = await start(wrapper ? { wrapper } : {}).ready()
      // `ls` opens the folder it lists as its fourth.
      expect(await output(connection, 'exec ls /proc/self/fd')).toBe('0\n1\n2\n3\n')
    })

    test('leads its own session and group, without a terminal', async () => {
      const connection = await start().ready()
      const child = await connection.run('cut -d" " -f5-7 /proc/$$/stat')
      expect(await readAll(child.stdout)).toBe(`${child.pid} ${child.pid} 0\n`)
    })

    test('has the shim’s working directory, limits and user', async () => {
      const wrapper = ['sh', '-c', 'ulimit -Sn 100; exec "$@"', 'sh']
      const flags = ['--max-processes', '1024']
      const connection = await start({ wrapper, flags, cwd: '/usr' }).ready()
      expect(await output(connection, 'pwd; ulimit -Sn; id -u')).toBe(`/usr\n100\n${shim.uid}\n`)
    })

    test('is as dumpable as any: it may read its own memory map', async () => {
      const connection = await start().ready()
      const said = await output(connection, 'stat -c %u /proc/$$/environ; wc -l </proc/$$/maps')
      expect(said).toMatch(new RegExp(`^${shim.uid}\\n[1-9]`))
    })

    test('may move files between directories (Landlock forbids that unless told not to)', async () => {
      const connection = await start().ready()
      const script =
        'mkdir "$HOME/a" "$HOME/b"; touch "$HOME/a/f"; mv -T "$HOME/a/f" "$HOME/b/g"; ln "$HOME/b/g" "$HOME/a/h" && ls "$HOME/a" "$HOME/b" | tr "\\n" " "'
      expect(await output(connection, script)).toMatch(/a:\s+h\s+.*b:\s+g/)
    })

    testAsRoot('the shim and its monitors keep nothing open of a child’s', async () => {
      const connection = await start().ready()
      const child = await connection.run('exec sleep 1000')
      const open = (pid: number): string[] =>
        readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
      for (const pid of [shim.pid, parentOf(child.pid)]) {
        expect(open(pid).filter((path) => path.includes(child.name))).toEqual([])
      }
    })
  })
})
