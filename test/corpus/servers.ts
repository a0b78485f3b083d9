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
  /** Of several programs of an npm package, the one that serves. */
  readonly program?: string
  readonly args?: (own: Installed) => readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** It lists its tools only where it reaches its service. */
  readonly listsNothingAlone?: true
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
    listsNothingAlone: true,
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
]
