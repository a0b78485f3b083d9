// The servers: what people run most, from npm and PyPI, by the SDKs for TypeScript, Python, Go and C#. None of them
// reaches its service from a test: what they answer to a call is the same each time all the same.

import { join } from 'node:path'
import type { Installed } from './install.ts'

export interface CorpusServer {
  /** The package, as its registry has it. */
  readonly name: string
  readonly version: string
  readonly from: 'npm' | 'PyPI'
  /** For an older package: what else is to be pinned. */
  readonly beside?: readonly string[]
  /** Which of its programs serves: of an npm package undefined for the first, of PyPI for the one of its own name. */
  readonly program?: string
  readonly args?: (own: Installed) => readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** A call says how many there were before it: modern clients of one caller share a process. */
  readonly counts?: true
  /** What it lists only where it reaches its service, and fails without. */
  readonly unlisted?: 'tools/list' | 'resources/list'
  readonly tool: string
  readonly call?: (own: Installed) => Readonly<Record<string, unknown>>
}

const npm = (
  name: string,
  version: string,
  more: Omit<CorpusServer, 'name' | 'version' | 'from'>,
): CorpusServer => ({ name, version, from: 'npm', ...more })

const pypi = (
  name: string,
  version: string,
  more: Omit<CorpusServer, 'name' | 'version' | 'from'>,
): CorpusServer => ({ name, version, from: 'PyPI', ...more })

export const SERVERS: readonly CorpusServer[] = [
  npm('@modelcontextprotocol/server-everything', '2026.8.31', {
    args: () => ['stdio'],
    tool: 'echo',
    call: () => ({ message: 'Grüße 👋🏽\u2028' }),
  }),
  npm('@modelcontextprotocol/server-filesystem', '2026.8.31', {
    args: ({ scratch }) => [scratch],
    tool: 'list_directory',
    call: ({ scratch }) => ({ path: scratch }),
  }),
  npm('@modelcontextprotocol/server-memory', '2026.8.31', { tool: 'read_graph' }),
  npm('@modelcontextprotocol/server-sequential-thinking', '2026.8.31', {
    counts: true,
    tool: 'sequentialthinking',
    call: () => ({ thought: 't', thoughtNumber: 1, totalThoughts: 1, nextThoughtNeeded: false }),
  }),
  npm('@upstash/context7-mcp', '4.1.1', {
    tool: 'resolve-library-id',
    call: () => ({ query: 'routing', libraryName: 'express' }),
  }),
  npm('@notionhq/notion-mcp-server', '2.5.2', {
    env: { NOTION_TOKEN: 'ntn_none' },
    tool: 'API-get-self',
  }),
  npm('@playwright/mcp', '0.0.83', { tool: 'browser_close' }),
  npm('chrome-devtools-mcp', '1.11.0', {
    program: 'chrome-devtools-mcp',
    args: () => ['--no-usage-statistics', '--executablePath', '/nowhere/chrome'],
    tool: 'list_pages',
  }),
  npm('mcp-server-kubernetes', '4.1.7', { tool: 'ping' }),
  // Written in Go.
  npm('kubernetes-mcp-server', '0.0.67', {
    args: ({ kubeconfig }) => ['--kubeconfig', kubeconfig],
    tool: 'configuration_view',
  }),
  // Written in C#.
  npm('@azure/mcp', '2.0.5', {
    args: () => ['server', 'start'],
    env: { AZURE_MCP_COLLECT_TELEMETRY: 'false' },
    tool: 'get_azure_bestpractices',
    call: () => ({ intent: 'list', learn: true }),
  }),
  npm('mongodb-mcp-server', '3.0.4', {
    env: { MDB_MCP_TELEMETRY: 'disabled' },
    tool: 'disconnect',
    call: () => ({ connectionId: 'none' }),
  }),
  npm('@supabase/mcp-server-supabase', '0.13.0', {
    env: { SUPABASE_ACCESS_TOKEN: 'sbp_none' },
    unlisted: 'tools/list',
    tool: 'list_projects',
  }),
  npm('@sentry/mcp-server', '0.36.0', {
    env: { SENTRY_ACCESS_TOKEN: 'none' },
    args: () => ['--host=127.0.0.1:1'],
    tool: 'find_teams',
  }),
  npm('figma-developer-mcp', '0.13.2', {
    args: () => ['--stdio'],
    env: { FIGMA_API_KEY: 'none', DO_NOT_TRACK: '1' },
    tool: 'get_figma_data',
    call: () => ({ fileKey: '!' }),
  }),
  npm('firecrawl-mcp', '3.22.2', {
    env: { FIRECRAWL_API_KEY: 'none', FIRECRAWL_API_URL: 'http://127.0.0.1:1' },
    tool: 'firecrawl_check_crawl_status',
  }),
  npm('tavily-mcp', '0.2.22', {
    env: { TAVILY_API_KEY: 'none' },
    tool: 'tavily_search',
    call: () => ({ query: 'q' }),
  }),
  npm('@brave/brave-search-mcp-server', '2.1.4', {
    args: () => ['--transport', 'stdio'],
    env: { BRAVE_API_KEY: 'none' },
    tool: 'brave_summarizer',
    call: () => ({ key: 'k' }),
  }),
  npm('@modelcontextprotocol/server-postgres', '0.6.2', {
    args: () => ['postgresql://127.0.0.1:1/none'],
    unlisted: 'resources/list',
    tool: 'query',
    call: () => ({ sql: 'select 1' }),
  }),
  npm('@modelcontextprotocol/server-github', '2025.4.8', { tool: 'get_issue' }),
  npm('@modelcontextprotocol/server-slack', '2025.4.25', {
    env: { SLACK_BOT_TOKEN: 'none', SLACK_TEAM_ID: 'none' },
    tool: 'slack_post_message',
  }),
  npm('@modelcontextprotocol/server-brave-search', '0.6.2', {
    env: { BRAVE_API_KEY: 'none' },
    tool: 'brave_web_search',
  }),
  npm('@eslint/mcp', '0.3.13', {
    tool: 'lint-files',
    call: ({ scratch }) => ({ filePaths: [join(scratch, 'none.js')] }),
  }),
  npm('@drawio/mcp', '1.6.1', {
    tool: 'list_pages',
    call: ({ scratch }) => ({ path: join(scratch, 'none.drawio') }),
  }),
  npm('@antv/mcp-server-chart', '0.9.10', {
    env: { VIS_REQUEST_SERVER: 'http://127.0.0.1:1/' },
    tool: 'generate_pie_chart',
    call: () => ({ data: [{ category: 'a', value: 1 }] }),
  }),
  npm('@elastic/mcp-server-elasticsearch', '0.3.1', {
    env: { ES_URL: 'http://127.0.0.1:1', ES_API_KEY: 'none' },
    tool: 'list_indices',
    call: () => ({ indexPattern: '*' }),
  }),
  npm('@hubspot/mcp-server', '0.4.0', {
    env: { PRIVATE_APP_ACCESS_TOKEN: 'none' },
    tool: 'hubspot-generate-feedback-link',
  }),
  npm('@circleci/mcp-server-circleci', '0.20.0', {
    env: {
      CIRCLECI_TOKEN: 'none',
      CIRCLECI_BASE_URL: 'http://127.0.0.1:1',
      DISABLE_TELEMETRY: 'true',
    },
    tool: 'list_followed_projects',
    call: () => ({ params: {} }),
  }),
  npm('@perplexity-ai/mcp-server', '1.2.1', {
    env: { PERPLEXITY_API_KEY: 'none', PERPLEXITY_BASE_URL: 'http://127.0.0.1:1' },
    tool: 'perplexity_search',
    call: () => ({ query: 'q' }),
  }),
  // It writes a line to stdout with each call.
  npm('mcp-hello-world', '1.1.2', { tool: 'add', call: () => ({ a: 1, b: 2 }) }),
  npm('exa-mcp-server', '3.4.1', {
    env: { EXA_API_KEY: 'none' },
    tool: 'web_fetch_exa',
  }),
  pypi('mcp-server-git', '2026.10.19', {
    args: ({ repository }) => ['--repository', repository],
    tool: 'git_status',
    call: ({ repository }) => ({ repo_path: repository }),
  }),
  pypi('mcp-server-fetch', '2026.10.24', {
    tool: 'fetch',
    call: () => ({ url: 'http://127.0.0.1:1/' }),
  }),
  pypi('mcp-server-time', '2026.10.19', {
    args: () => ['--local-timezone', 'UTC'],
    tool: 'convert_time',
    call: () => ({ source_timezone: 'UTC', time: '12:00', target_timezone: 'Asia/Tokyo' }),
  }),
  pypi('mcp-server-sqlite', '2025.4.25', {
    beside: ['mcp==1.30.0'],
    args: ({ scratch }) => ['--db-path', join(scratch, 'corpus.db')],
    tool: 'list_tables',
  }),
  pypi('mcp-server-calculator', '0.2.1', {
    tool: 'calculate',
    call: () => ({ expression: '2 ** 10 / 3' }),
  }),
  pypi('awslabs-aws-documentation-mcp-server', '1.2.3', {
    program: 'awslabs.aws-documentation-mcp-server',
    tool: 'read_documentation',
    call: () => ({ url: 'http://127.0.0.1:1/' }),
  }),
  pypi('excel-mcp-server', '2.2.2', {
    args: () => ['stdio'],
    tool: 'list_workbooks',
    call: ({ scratch }) => ({ directory: scratch }),
  }),
  pypi('redis-mcp-server', '0.5.1', {
    args: () => ['--url', 'redis://127.0.0.1:1/0'],
    tool: 'get',
    call: () => ({ key: 'k' }),
  }),
  pypi('mcp-clickhouse', '0.7.0', {
    env: { CLICKHOUSE_HOST: '127.0.0.1', CLICKHOUSE_USER: 'none', CLICKHOUSE_PASSWORD: 'none' },
    tool: 'run_query',
  }),
  pypi('duckduckgo-mcp-server', '0.7.0', {
    tool: 'expand_link',
    call: () => ({ token: 'none' }),
  }),
]

/** Looked at and left out, and why. */
export const LEFT_OUT: readonly {
  readonly name: string
  readonly version: string
  readonly from: CorpusServer['from']
  readonly why: string
}[] = [
  {
    name: '@azure-devops/mcp',
    version: '2.10.0',
    from: 'npm',
    why: 'does not start: a library of it is a program that its install step would have to download',
  },
  {
    name: '@mui/mcp',
    version: '0.1.6',
    from: 'npm',
    why: 'each of its tools asks its service, at an address that cannot be set',
  },
  {
    name: 'mcp-text-editor',
    version: '1.2.2',
    from: 'PyPI',
    why: 'does not install: there is no release of it for this Python',
  },
]
