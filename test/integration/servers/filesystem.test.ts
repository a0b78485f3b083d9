// @modelcontextprotocol/server-filesystem through `outrigger run`: every tool on real files, and the
// roots that decide which directories it may touch.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Reply } from '../../support/client-answers.ts'
import { CLIENTS } from '../../support/clients.ts'
import type { McpClient } from '../../support/mcp-client.ts'
import { serverCommand, startOutrigger, type Bridge } from '../../support/outrigger-run.ts'

const TOOLS = [
  'create_directory',
  'directory_tree',
  'edit_file',
  'get_file_info',
  'list_allowed_directories',
  'list_directory',
  'list_directory_with_sizes',
  'move_file',
  'read_file',
  'read_media_file',
  'read_multiple_files',
  'read_text_file',
  'search_files',
  'write_file',
]

/** What the server says in a text and again as structured content. */
const said = (content: unknown): Reply => ({
  content: [{ type: 'text', text: content }],
  structuredContent: { content },
})

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)

let parent: string
let bridge: Bridge

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'outrigger-files-'))
  const command = serverCommand('@modelcontextprotocol/server-filesystem', parent)
  bridge = await startOutrigger(command)
})

afterAll(async () => {
  await bridge.stop()
  rmSync(parent, { recursive: true, force: true })
})

describe.each(CLIENTS)('server-filesystem, $client', ({ connect }) => {
  let client: McpClient
  let root: string
  const path = (...parts: readonly string[]): string => join(root, ...parts)

  beforeAll(async () => {
    root = mkdtempSync(join(parent, 'root-'))
    mkdirSync(path('folder', 'deep'), { recursive: true })
    writeFileSync(path('lines.txt'), 'one\ntwo\nthree\n')
    writeFileSync(path('Grüße 你好.txt'), '👋🏽 \u2028 end')
    writeFileSync(path('folder', 'deep', 'note.md'), '# Note\n')
    writeFileSync(path('pixel.png'), Buffer.from([0x89, 0x50, 0x4e, 0x47]))
    writeFileSync(path('sound.wav'), Buffer.from('RIFF'))
    writeFileSync(path('data.bin'), Buffer.from([0, 255, 10, 13]))
    client = await connect(bridge.url)
  })

  afterAll(() => client.close())

  test('lists its tools and nothing else', async () => {
    expect((await client.listTools()).map(({ name }) => name).sort()).toEqual(TOOLS)
    await expect(client.ping()).resolves.toBeUndefined()
  })

  test('may touch the directory of its command line, since the client has no roots', async () => {
    const result = await client.call('list_allowed_directories')
    expect(result).toEqual(said(`Allowed directories:\n${parent}`))
  })

  describe('reading', () => {
    test.each([
      { name: 'a whole file', tool: 'read_text_file', args: {}, text: 'one\ntwo\nthree\n' },
      { name: 'the deprecated tool', tool: 'read_file', args: {}, text: 'one\ntwo\nthree\n' },
      { name: 'its head', tool: 'read_text_file', args: { head: 2 }, text: 'one\ntwo' },
      { name: 'its tail', tool: 'read_text_file', args: { tail: 2 }, text: 'three\n' },
    ])('$name', async ({ tool, args, text }) => {
      const result = await client.call(tool, { path: path('lines.txt'), ...args })
      expect(result).toEqual(said(text))
    })

    test('a name and a text beyond ASCII', async () => {
      const result = await client.call('read_text_file', { path: path('Grüße 你好.txt') })
      expect(result).toEqual(said('👋🏽 \u2028 end'))
    })

    test('several files, one of them missing', async () => {
      const paths = [path('lines.txt'), path('missing.txt')]
      const result = await client.call('read_multiple_files', { paths })
      expect(result).toEqual(said(matching(/lines\.txt:[^]*three[^]*missing\.txt: Error/)))
    })

    test.each([
      { file: 'pixel.png', item: { type: 'image', mimeType: 'image/png', data: 'iVBORw==' } },
      { file: 'sound.wav', item: { type: 'audio', mimeType: 'audio/wav', data: 'UklGRg==' } },
      { file: 'data.bin', item: { type: 'resource', resource: { blob: 'AP8KDQ==' } } },
    ])('$file as media', async ({ file, item }) => {
      const result = await client.call('read_media_file', { path: path(file) })
      expect(result).toMatchObject({ content: [item], structuredContent: { content: [item] } })
    })
  })

  describe('looking around', () => {
    test.each([
      {
        tool: 'list_directory',
        args: {},
        says: /\[FILE\] data\.bin[^]*\[DIR\] folder/,
      },
      {
        tool: 'list_directory_with_sizes',
        args: { sortBy: 'size' },
        says: /Total: 5 files, 1 directories\nCombined size/,
      },
      {
        tool: 'directory_tree',
        args: { excludePatterns: ['*.bin'] },
        says: /"name": "folder"[^]*"name": "deep"[^]*"name": "note\.md"/,
      },
      { tool: 'search_files', args: { pattern: '**/*.md' }, says: /folder\/deep\/note\.md$/ },
      { tool: 'search_files', args: { pattern: '*.none' }, says: /^No matches found$/ },
      { tool: 'get_file_info', args: {}, says: /^size: [^]*isDirectory: true/ },
    ])('$tool with $args', async ({ tool, args, says }) => {
      const result = await client.call(tool, { path: root, ...args })
      expect(result).toEqual(said(matching(says)))
    })
  })

  describe('changing', () => {
    test('write, edit dry, edit, move, and what is on the disk afterwards', async () => {
      const file = path('new', 'file.txt')
      const edits = [{ oldText: 'b', newText: 'B' }]
      await client.call('create_directory', { path: path('new') })
      expect(await client.call('write_file', { path: file, content: 'a\nb\n' })).toEqual(
        said(`Successfully wrote to ${file}`),
      )
      expect(await client.call('edit_file', { path: file, edits, dryRun: true })).toEqual(
        said(matching(/^-b\n\+B$/m)),
      )
      expect(readFileSync(file, 'utf8')).toBe('a\nb\n')
      await client.call('edit_file', { path: file, edits })
      expect(readFileSync(file, 'utf8')).toBe('a\nB\n')
      await client.call('move_file', { source: file, destination: path('moved.txt') })
      expect(existsSync(file)).toBe(false)
      expect(readFileSync(path('moved.txt'), 'utf8')).toBe('a\nB\n')
    })

    test('a megabyte goes through whole, both ways', async () => {
      const content = 'line of text\r\n'.repeat(80_000)
      await client.call('write_file', { path: path('large.txt'), content })
      expect(readFileSync(path('large.txt'), 'utf8')).toBe(content)
      expect(await client.call('read_text_file', { path: path('large.txt') })).toEqual(
        said(content),
      )
    })
  })

  test.each([
    { name: 'outside', tool: 'read_text_file', file: '/etc/passwd', says: /Access denied/ },
    { name: 'missing', tool: 'read_text_file', file: 'missing.txt', says: /ENOENT/ },
    { name: 'a directory', tool: 'read_text_file', file: 'folder', says: /EISDIR/ },
  ])('a file that is $name is an error of the tool', async ({ tool, file, says }) => {
    const wanted = file.startsWith('/') ? file : path(file)
    expect(await client.call(tool, { path: wanted })).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: matching(says) }],
    })
  })

  test('roots of the client take the place of the command line, for its session alone', async () => {
    const other = await connect(bridge.url)
    try {
      other.answers.roots = () => [{ uri: pathToFileURL(path('folder')).href, name: 'Folder' }]
      await other.rootsChanged()
      const expected = said(`Allowed directories:\n${path('folder')}`)
      // The server reads the roots in its own time and says nothing about it.
      let result: Reply
      do {
        result = await other.call('list_allowed_directories')
      } while (JSON.stringify(result) !== JSON.stringify(expected))
      expect(await other.call('read_text_file', { path: path('lines.txt') })).toMatchObject({
        isError: true,
      })
      expect(await client.call('read_text_file', { path: path('lines.txt') })).toEqual(
        said('one\ntwo\nthree\n'),
      )
    } finally {
      await other.close()
    }
  })
})
