// Builds what runs outside this checkout: one bundle a program and the static shim, into dist/.
// Development and tests run the TypeScript itself; images, benches and start-up budgets use dist/.

import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { build, type Plugin } from 'esbuild'

const SHIM_FLAGS = ['-C', 'sidecar/shim', '--no-print-directory', '--silent']

/**
 * What only sidecars with traces need: 1.2 MB that the others never read. `.mjs`, since it is a
 * module also where no package.json says so.
 */
const TRACING = { entry: 'sidecar/telemetry/opentelemetry.ts', outfile: 'dist/tracing.mjs' }

const ownBundle: Plugin = {
  name: 'a bundle of its own',
  setup: (builder) => {
    builder.onResolve({ filter: /\/telemetry\/opentelemetry\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './tracing.mjs', external: true } : undefined,
    )
  },
}

const bundle = (entry: string, outfile: string): Promise<unknown> =>
  build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minifySyntax: true,
    sourcemap: 'external',
    legalComments: 'external',
    logLevel: 'warning',
    plugins: [ownBundle],
    // CommonJS dependencies call require(), which ES modules lack.
    banner: {
      js: "import { createRequire as outriggerRequire } from 'node:module'\nconst require = outriggerRequire(import.meta.url)",
    },
  })

/**
 * `npx outrigger` in the checkout finds this. Not by `bin` in package.json: npx would install the
 * checkout into its cache first, each time.
 */
const linkCommand = (): void => {
  const link = 'node_modules/.bin/outrigger'
  rmSync(link, { force: true })
  symlinkSync('../../cli/main.ts', link)
}

mkdirSync('dist', { recursive: true })
await bundle('sidecar/main.ts', 'dist/sidecar.js')
await bundle(TRACING.entry, TRACING.outfile)
await bundle('webhook/main.ts', 'dist/webhook.js')
execFileSync('make', SHIM_FLAGS, { stdio: 'inherit' })
linkCommand()
