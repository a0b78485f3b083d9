// The man page names every command and every flag, and its exit codes are the README's.

import { expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { COMMANDS } from '../../../../cli/commands.ts'
import { EXIT_CODES, manualPage } from '../../../../cli/manual/manual.ts'

const commands = await Promise.all(
  [...COMMANDS].map(async ([name, { summary, load }]) => ({
    name,
    summary,
    command: await load(),
  })),
)
const lines = manualPage('1.2.3', commands).split('\n')

test.each(commands)('$name and its flags', ({ name, command }) => {
  const start = lines.findIndex((line) => line.startsWith(`.SS \\fBoutrigger ${name}\\fR`))
  expect(start).toBeGreaterThan(0)
  const end = lines.findIndex((line, index) => index > start && /^\.S[SH]/.test(line))
  const terms = lines.slice(start, end).filter((line) => line.startsWith('\\fB'))
  const told = terms.map((line) => /\\-\\-([^ \\]+(?:\\-[^ \\]+)*)/.exec(line)?.[1])
  expect(told).toEqual(Object.keys(command.flags).map((flag) => flag.replaceAll('-', '\\-')))
})

test('what is no request and no escape of roff is none in the page', () => {
  const flags = { odd: { doc: ".so /etc/passwd \\n \\(co\n'br" } }
  const page = manualPage('1', [{ name: 'x', summary: 'y', command: { flags, synopsis: '' } }])
  expect(page).toContain("\\&.so /etc/passwd \\en \\e(co\n\\&'br\n")
  expect(
    page.split('\n').filter((line) => /^['.]/.test(line) && !/^\.(TH|S[HS]|TP|br)\b/.test(line)),
  ).toEqual([])
})

test('the page is ASCII, as every roff reads it', () => {
  expect(lines.filter((line) => /[^ -~]/.test(line))).toEqual([])
  expect(lines.join('\n')).toContain('\\[u2019]')
})

test('its exit codes are those of the README', () => {
  const readme = readFileSync(new URL('../../../../README.md', import.meta.url), 'utf8')
  const [, table = ''] = /^\| exit code \| \|\n\| --- \| --- \|\n((?:\|.*\n)+)/m.exec(readme) ?? []
  const rows = table
    .trim()
    .split('\n')
    .map((row) => row.slice(2, -2).replaceAll('\\|', '|'))
  expect(rows).toEqual(EXIT_CODES.map(([codes, means]) => `${codes} | ${means}`))
})
