// Makes the package: dist/package with the CLI as bundles, the shim for both architectures and what the CLI reads, then
// `npm pack` of it. Nothing is installed with it, and nothing is compiled where it is installed. A folder of its own, since
// the checkout's package.json is about building, and a `bin` in it would have npx install the checkout.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'
import { COMMANDS } from './cli/commands.ts'
import { manualPage } from './cli/manual/manual.ts'
import { isObject, stringAt } from './shared/json.ts'
import { VERSION } from './shared/names.ts'

const ROOT = 'dist/package'
const LEAST_NODE = 22
const MANUAL = 'man/outrigger.1'

const SHIMS = [
  { target: 'all', made: 'dist/shim', machine: 'Advanced Micro Devices X86-64', name: 'shim-x64' },
  { target: 'aarch64', made: 'dist/shim-aarch64', machine: 'AArch64', name: 'shim-arm64' },
] as const

const makeShims = (): void => {
  mkdirSync(`${ROOT}/dist`, { recursive: true })
  for (const { target, made, machine, name } of SHIMS) {
    execFileSync('make', ['-C', 'sidecar/shim', '--no-print-directory', '--silent', target], {
      stdio: 'inherit',
    })
    const head = execFileSync('readelf', ['-h', made], { encoding: 'utf8' })
    if (!head.includes(machine)) throw new Error(`${made} is not for ${machine}: build on x86_64`)
    cpSync(made, `${ROOT}/dist/${name}`)
  }
}

/** Node before this has no business with it, and should hear that and not a stack trace: so this file is for any Node. */
const START = `// Made by package.ts.
const major = Number(process.versions.node.split('.')[0])
if (major < ${LEAST_NODE}) {
  process.stderr.write('outrigger: needs Node ${LEAST_NODE} or newer; this is ' + process.version + '\\n')
  process.exit(1)
}
import('./cli/main.js')
`

const bundleCli = async (): Promise<void> => {
  await build({
    // As deep as the sources: what the CLI reads lies two folders up.
    entryPoints: ['cli/main.ts'],
    outdir: `${ROOT}/lib/cli`,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: `node${LEAST_NODE}`,
    format: 'esm',
    minifySyntax: true,
    legalComments: 'linked',
    logLevel: 'warning',
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  })
  writeFileSync(`${ROOT}/lib/start.mjs`, START)
}

const writeManual = async (): Promise<void> => {
  const commands = await Promise.all(
    [...COMMANDS].map(async ([name, { summary, load }]) => ({
      name,
      summary,
      command: await load(),
    })),
  )
  mkdirSync(`${ROOT}/man`)
  writeFileSync(`${ROOT}/${MANUAL}`, manualPage(VERSION, commands))
}

/** What it says of itself: no scripts, no dependencies. */
const describe = (): string => {
  const manifest: unknown = JSON.parse(readFileSync('package.json', 'utf8'))
  if (!isObject(manifest)) throw new Error('package.json is no object')
  const { name, version, description, license } = manifest
  writeFileSync(
    `${ROOT}/package.json`,
    `${JSON.stringify(
      {
        name,
        version,
        description,
        license,
        type: 'module',
        os: ['linux'],
        engines: { node: `>=${LEAST_NODE}` },
        bin: { outrigger: 'bin/outrigger' },
        man: MANUAL,
      },
      null,
      2,
    )}\n`,
  )
  return `${stringAt(manifest, 'name')}-${stringAt(manifest, 'version')}.tgz`
}

rmSync(ROOT, { recursive: true, force: true })
makeShims()
await bundleCli()
await writeManual()
const file = describe()
for (const path of ['bin', 'manifests', 'README.md', 'LICENSE']) {
  cpSync(path, `${ROOT}/${path}`, { recursive: true })
}
execFileSync('npm', ['pack', '--silent', `./${ROOT}`], { stdio: ['ignore', 'ignore', 'inherit'] })
renameSync(file, `dist/${file}`)
rmSync(ROOT, { recursive: true })
process.stdout.write(`dist/${file}\n`)
