// The package that `npm run package` makes, unpacked in a folder of its own: it needs neither the checkout nor a compiler
// nor any other package.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openLegacy, PUPPET } from '../support/puppet.ts'

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url))
const MACHINE_BYTE = 18
const MACHINES = { 'shim-x64': 62, 'shim-arm64': 183 } as const

let folder: string
const inPackage = (path: string): string => join(folder, 'package', path)

/** The command as npm installs it: its script, and whatever Node comes first. */
const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` }

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-package-'))
  const file = execFileSync(process.execPath, ['package.ts'], { cwd: CHECKOUT, encoding: 'utf8' })
  execFileSync('tar', ['xzf', join(CHECKOUT, file.trim()), '-C', folder])
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the package', () => {
  test('installs nothing and runs nothing at its installation', () => {
    const manifest: unknown = JSON.parse(readFileSync(inPackage('package.json'), 'utf8'))
    expect(manifest).toMatchObject({
      engines: { node: '>=22' },
      bin: { outrigger: 'bin/outrigger' },
    })
    for (const member of ['scripts', 'dependencies', 'devDependencies'])
      expect(manifest).not.toHaveProperty(member)
  })

  test('brings the man page', () => {
    const manifest: unknown = JSON.parse(readFileSync(inPackage('package.json'), 'utf8'))
    expect(manifest).toMatchObject({ man: 'man/outrigger.1' })
    expect(readFileSync(inPackage('man/outrigger.1'), 'utf8')).toMatch(/^\.SS \\fBoutrigger dev/m)
  })

  test.each(Object.entries(MACHINES))('brings %s', (name, machine) => {
    const head = readFileSync(inPackage(`dist/${name}`)).subarray(0, MACHINE_BYTE + 2)
    expect([head.subarray(1, 4).toString(), head.readUInt16LE(MACHINE_BYTE)]).toEqual([
      'ELF',
      machine,
    ])
  })

  test('serves a command from any folder', async () => {
    const args = ['run', '--allow-anonymous', '--port', '0', '--', ...PUPPET]
    const child = spawn(inPackage('bin/outrigger'), args, {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    let said = ''
    for await (const chunk of child.stdout) {
      said += String(chunk)
      const [, url] = /listening on (\S+)\n/.exec(said) ?? []
      if (url === undefined) continue
      expect(await (await openLegacy(url)).call('echo', { text: 'in' })).toBe('in')
      break
    }
    child.kill('SIGTERM')
    expect(await exited).toEqual([143, null])
  })

  test('says which Node it needs, to one that cannot run it', () => {
    const old =
      "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.1.0'})"
    const args = ['--import', old, inPackage('lib/start.mjs'), '--version']
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    expect(status).toBe(1)
    expect(stderr).toMatch(/^outrigger: needs Node 22 or newer; this is v\S+\n$/)
  })

  test('fails where its standard output is closed', () => {
    const script = '"$0" help >&-'
    const { status, stderr } = spawnSync('sh', ['-c', script, inPackage('bin/outrigger')], {
      env,
      encoding: 'utf8',
    })
    expect([status, stderr]).toEqual([1, expect.stringContaining('standard output is closed')])
  })
})
