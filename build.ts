// Builds what runs outside this checkout: one bundle a program, what it is made of, and the static shim, into dist/.
// Development and tests run the TypeScript itself; images, benches and start-up budgets use dist/.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { basename } from 'node:path'
import { build, type Metafile, type Plugin } from 'esbuild'
import { writeBill } from './sbom.ts'

const SHIM_FLAGS = ['-C', 'sidecar/shim', '--no-print-directory', '--silent']

/**
 * What only some sidecars need, and the others never read: traces (1.2 MB), metrics and logs over OTLP, verification, a tool
 * policy with CEL and YAML, TLS, audit records, what servers reach, a company's own proxy, a tool lock, the check of
 * arguments, modern clients before a legacy server, legacy ones before a modern one, a server that speaks HTTP,
 * other replicas, spare processes, the exchange of tokens.
 * `.mjs`, since they are modules also where no package.json says so.
 */
const APART = [
  { entry: 'sidecar/telemetry/traces.ts', outfile: 'dist/tracing.mjs' },
  { entry: 'sidecar/telemetry/otlp-metrics.ts', outfile: 'dist/otlp-metrics.mjs' },
  { entry: 'sidecar/telemetry/otlp-logs.ts', outfile: 'dist/otlp-logs.mjs' },
  { entry: 'sidecar/identity/trust.ts', outfile: 'dist/identity.mjs' },
  { entry: 'sidecar/policy/start-policy.ts', outfile: 'dist/policy.mjs' },
  { entry: 'sidecar/tls/start-tls.ts', outfile: 'dist/tls.mjs' },
  { entry: 'sidecar/audit/start-audit.ts', outfile: 'dist/audit.mjs' },
  { entry: 'sidecar/egress/start-egress.ts', outfile: 'dist/egress.mjs' },
  { entry: 'sidecar/egress/own-way.ts', outfile: 'dist/own-way.mjs' },
  { entry: 'sidecar/lock/start-lock.ts', outfile: 'dist/lock.mjs' },
  { entry: 'sidecar/validation/start-validation.ts', outfile: 'dist/validation.mjs' },
  { entry: 'sidecar/translation/start-translation.ts', outfile: 'dist/translation.mjs' },
  { entry: 'sidecar/emulation/start-emulation.ts', outfile: 'dist/emulation.mjs' },
  { entry: 'sidecar/server/http-server.ts', outfile: 'dist/http-server.mjs' },
  { entry: 'sidecar/server/spare-processes.ts', outfile: 'dist/spare-processes.mjs' },
  { entry: 'sidecar/replicas/start-replicas.ts', outfile: 'dist/replicas.mjs' },
  { entry: 'sidecar/exchange/start-exchange.ts', outfile: 'dist/exchange.mjs' },
]

const ownBundle: Plugin = {
  name: 'a bundle of its own',
  setup: (builder) => {
    for (const { entry, outfile } of APART) {
      builder.onResolve({ filter: new RegExp(`/${basename(entry)}$`) }, ({ kind }) =>
        kind === 'dynamic-import' ? { path: `./${basename(outfile)}`, external: true } : undefined,
      )
    }
  },
}

/**
 * Node's own modules as they are. `import` would read each export once for its facade, and with the
 * lazy ones of node:http load undici: 13 MB of RSS that nothing uses.
 */
const builtins: Plugin = {
  name: 'builtins without facades',
  setup: (builder) => {
    const filter = new RegExp(`^(node:)?(${builtinModules.join('|')})$`)
    builder.onResolve({ filter }, ({ path }) => ({ path, namespace: 'builtin' }))
    builder.onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }))
  },
}

/** What we use of prom-client: its index loads cluster, TLS and zlib as well, 14 MB of RSS. */
const PROM_CLIENT = {
  Registry: 'registry',
  Counter: 'counter',
  Gauge: 'gauge',
}

const metrics: Plugin = {
  name: 'metrics alone',
  setup: (builder) => {
    builder.onLoad({ filter: /\/prom-client\/index\.js$/ }, () => ({
      // Another name that is imported fails the build.
      contents: Object.entries(PROM_CLIENT)
        .map(([name, file]) => `export { default as ${name} } from './lib/${file}.js'`)
        .join('\n'),
    }))
    // What it says of its methods stands within expressions, where esbuild keeps it, and is a part of our bound.
    builder.onLoad({ filter: /\/prom-client\/lib\/\w+\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll(/^\s*\/\*\*[^]*?\*\/\n/gm, ''),
    }))
  },
}

/** esbuild keeps comments that stand within an expression, such as a class: without them, each line where it was. */
const withoutComments = (text: string): string =>
  text.replaceAll(/^ *\/\*\*[^]*?\*\/$/gm, (comment) => comment.replaceAll(/[^\n]+/g, ''))

/** What the annotation table and our code say in words, a sidecar tells nobody, and its bundle has a bound. */
const withoutWords: Plugin = {
  name: 'tables without their words',
  setup: (builder) => {
    builder.onLoad({ filter: /annotations\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll(/^ *doc: (['"`]).*\1,\n/gm, ''),
      loader: 'ts',
    }))
    builder.onLoad({ filter: /\/(?:sidecar|shared)\/.*\.ts$/ }, ({ path }) => ({
      contents: withoutComments(readFileSync(path, 'utf8')),
      loader: 'ts',
    }))
  },
}

const bundle = async (entry: string, outfile: string, ...plugins: Plugin[]): Promise<Metafile> => {
  const { metafile } = await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    metafile: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minifySyntax: true,
    sourcemap: 'external',
    legalComments: 'external',
    logLevel: 'warning',
    plugins: [builtins, ...plugins],
    // CommonJS dependencies call require(), which ES modules lack.
    banner: {
      js: "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url)",
    },
  })
  return metafile
}

/**
 * `npx outrigger` in the checkout finds this. Not by `bin` in package.json: npx would install the
 * checkout into its cache first, each time.
 */
const linkCommand = (): void => {
  const link = 'node_modules/.bin/outrigger'
  rmSync(link, { force: true })
  symlinkSync('../../bin/outrigger', link)
}

const hasProgram = (name: string): boolean =>
  spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined

/** Why the shim cannot be made on this machine; undefined where it can. */
const obstacle = (): string | undefined => {
  if (process.platform !== 'linux') return 'the shim needs Linux'
  const missing = [process.env['CC'] ?? 'cc', 'make'].filter((name) => !hasProgram(name))
  return missing.length === 0 ? undefined : `${missing.join(' and ')} not found`
}

/** Whoever installs the project may do without: much of it needs no shim. A build is asked for the whole. */
const makeShim = (): void => {
  const why = obstacle()
  if (why === undefined) {
    execFileSync('make', SHIM_FLAGS, { stdio: 'inherit' })
    return
  }
  process.stderr.write(
    `outrigger: the shim was not built (${why}): run, dev, npm start and most tests need it; inject, uninject, explain and images do not\n`,
  )
  if (process.env['npm_lifecycle_event'] !== 'prepare') process.exitCode = 1
}

mkdirSync('dist', { recursive: true })
const sidecar = [
  await bundle('sidecar/main.ts', 'dist/sidecar.js', ownBundle, metrics, withoutWords),
]
for (const { entry, outfile } of APART) sidecar.push(await bundle(entry, outfile, ownBundle))
writeBill('sidecar', sidecar)
writeBill('webhook', [
  await bundle('webhook/main.ts', 'dist/webhook.js'),
  await bundle('webhook/controller/main.ts', 'dist/controller.js'),
])
makeShim()
linkCommand()
