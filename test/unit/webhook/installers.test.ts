// Which command lines install something at start, and where what they fetch is kept.

import { describe, expect, test } from '@jest/globals'
import { installersIn } from '../../../webhook/inject/installers.ts'

const NPM = ['npm_config_cache']
const PNPM = ['npm_config_store_dir', 'pnpm_config_store_dir']
const YARN = ['YARN_CACHE_FOLDER', 'YARN_GLOBAL_FOLDER']
const BUN = ['BUN_INSTALL_CACHE_DIR']
const UV = ['UV_CACHE_DIR']
const PIP = ['PIP_CACHE_DIR']
const PIPX = ['PIP_CACHE_DIR', 'PIPX_HOME', 'PIPX_BIN_DIR']
const DENO = ['DENO_DIR']
const NONE: readonly string[] = []

const sh = (script: string): readonly string[] => ['sh', '-c', script]

const variablesOf = (words: readonly string[]): readonly string[] => [
  ...new Set(installersIn(words).flatMap(({ places }) => Object.keys(places))),
]

describe('the variables that a command line wants', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['npx', ['npx', '-y', 'server'], NPM],
    ['npx by its path', ['/usr/local/bin/npx', 'server'], NPM],
    ['npm install', ['npm', 'install'], NPM],
    ['npm ci behind a flag with a value', ['npm', '--prefix', '/app', 'ci'], NPM],
    ['npm exec', ['npm', 'exec', '--', 'server'], NPM],
    ['npm start', ['npm', 'start'], NONE],
    ['pnpm', ['pnpm', 'dlx', 'server'], PNPM],
    ['yarn alone', ['yarn'], YARN],
    ['bunx', ['bunx', 'server'], BUN],
    ['bun install', ['bun', 'install'], BUN],
    ['bun with a file', ['bun', 'server.ts'], NONE],
    ['uvx', ['uvx', 'server'], UV],
    ['uv run', ['uv', 'run', 'server'], UV],
    ['pip', ['pip3.12', 'install', 'server'], PIP],
    ['pip as a module', ['python3', '-u', '-m', 'pip', 'install', 'server'], PIP],
    ['pip that only lists', ['pip', 'list'], NONE],
    ['pipx', ['pipx', 'run', 'server'], PIPX],
    ['deno from npm', ['deno', 'run', '-A', 'npm:server'], DENO],
    ['deno from jsr', ['deno', 'serve', 'jsr:@scope/server'], DENO],
    ['deno from an address', ['deno', 'run', 'https://deno.land/x/server.ts'], DENO],
    ['deno with what the image has', ['deno', 'run', 'main.ts'], NONE],
    ['behind an init', ['tini', '--', 'npx', 'server'], NPM],
    ['behind an init with flags', ['/usr/bin/dumb-init', '-v', 'uvx', 'server'], UV],
    ['behind the entrypoint of an image', ['docker-entrypoint.sh', 'npx', 'server'], NPM],
    ['behind env', ['env', 'A=1', 'npx', 'server'], NPM],
    ['a script', sh('cd /app && npm install && npm start'), NPM],
    ['a script of several', sh('pip install x; exec npx -y y'), [...PIP, ...NPM]],
    ['a script with variables before it', sh('NODE_ENV=x npm ci'), NPM],
    ['a script with a condition', sh('if [ -d x ]; then npm ci; fi'), NPM],
    ['a script over lines', sh('set -e\nuv sync \\\n  --frozen\nexec python s.py'), UV],
    ['a script with a subshell', sh('(cd /a && yarn) && node x'), YARN],
    ['a script with quotes', sh('"npx" -y server'), NPM],
    ['a script of another program', ['node', '-c', 'npx server'], NONE],
    ['a word of a server', ['server', 'npx'], NONE],
    ['a bridge and what it runs', ['npx', 'supergateway', '--stdio', 'uvx a'], [...NPM, ...UV]],
    ['what a bridge runs', ['mcp-proxy', '--port', '1', '--', 'uvx', 'a'], UV],
    ['a server', ['node', 'server.js'], NONE],
    ['nothing', [], NONE],
  ])('%s', (_name, words, variables) => {
    expect(variablesOf(words)).toEqual(variables)
  })
})

describe('programs that are installed to be called by name', () => {
  test.each<[string, readonly string[], boolean]>([
    ['npm -g', ['npm', 'install', '-g', 'server'], true],
    ['npm without', ['npm', 'install', 'server'], false],
    ['pip', sh('pip install server && server'), true],
    ['pip with a list', sh('pip install -r requirements.txt && python server.py'), false],
    ['pip into a directory', ['pip', 'install', '--target=/app', 'server'], false],
    ['uv tool', ['uv', 'tool', 'install', 'server'], true],
    ['uvx', ['uvx', 'server'], false],
    ['pipx install', ['pipx', 'install', 'server'], true],
  ])('%s', (_name, words, expected) => {
    expect(installersIn(words).some(({ isForLater }) => isForLater)).toBe(expected)
  })

  test('npm has a prefix of its own for them, and for nothing else', () => {
    expect(variablesOf(['npm', 'install', '-g', 'server'])).toContain('npm_config_prefix')
    expect(variablesOf(['npm', 'install', 'server'])).not.toContain('npm_config_prefix')
  })
})
