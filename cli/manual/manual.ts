// The man page outrigger(1), in roff: from the tables that the parser, the help and the completion read, so that it is
// never behind them. `npm run package` puts it into the package. Pure.

import type { Command } from '../command/command.ts'
import { aboutFlag, spelling } from '../command/flags.ts'

export interface ManualCommand {
  readonly name: string
  readonly summary: string
  readonly command: Pick<Command, 'flags' | 'synopsis'>
}

/** As the README has them; a test compares. */
export const EXIT_CODES: readonly (readonly [codes: string, means: string])[] = [
  ['0', 'done'],
  [
    '1',
    'failed: denied, not readable, a server that does not start or has ended, a disk that is full, a standard output that is closed',
  ],
  ['2', 'wrong usage: a flag, a command, a configuration of `run`'],
  ['129, 130, 143', 'ended by SIGHUP, SIGINT (Ctrl-C), SIGTERM'],
  ['141', 'whoever read the output has left (`| head`)'],
]

const hex = (character: string): string =>
  (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')

/** Text that roff prints as it stands: no escape, no request, hyphens that can be searched for, ASCII for any roff. */
const plain = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^(?=[.'])/gm, '\\&')
    .replaceAll(/[^\n -~]/gu, (character) => `\\[u${hex(character)}]`)

const bold = (text: string): string => `\\fB${plain(text)}\\fR`

const entry = (term: string, text: string): readonly string[] => ['.TP', term, plain(text)]

const section = ({ name, summary, command }: ManualCommand): readonly string[] => [
  `.SS ${bold(`outrigger ${name}`)} ${plain(command.synopsis)}`,
  plain(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`),
  ...Object.entries(command.flags).flatMap(([flag, row]) =>
    entry(bold(spelling(flag, row)), aboutFlag(row)),
  ),
]

export const manualPage = (version: string, commands: readonly ManualCommand[]): string =>
  [
    `.TH OUTRIGGER 1 "" "outrigger ${plain(version)}" "Outrigger"`,
    '.SH NAME',
    'outrigger \\- MCP servers as HTTP services, their callers kept apart',
    '.SH SYNOPSIS',
    `${bold('outrigger')} \\fICOMMAND\\fR [flags]`,
    '.br',
    `${bold('outrigger help')} \\fICOMMAND\\fR`,
    '.br',
    bold('outrigger --version'),
    '.SH COMMANDS',
    ...commands.flatMap(section),
    '.SH EXIT STATUS',
    ...EXIT_CODES.flatMap(([codes, means]) => entry(bold(codes), means)),
    '.SH ENVIRONMENT',
    ...entry(bold('NO_COLOR'), 'Set to anything: no colour on a terminal.'),
    '',
  ].join('\n')
