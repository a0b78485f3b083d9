// Makes up manifests: workloads of every kind beside other objects, their fields in any order and spelled as YAML 1.1 and
// 1.2 allow, with anchors, aliases and merges, in any encoding and with any line ends. The seed says which.

import { choicesOf, type Choices } from './choices.ts'
import { writeJson, writeYaml, type Node } from './manifest-writer.ts'

const scalar = (yaml: string, json: string): Node => ({ kind: 'scalar', yaml, json })
const word = (value: string): Node => scalar(value, JSON.stringify(value))
const map = (...members: readonly (readonly [string, Node])[]): Node => ({ kind: 'map', members })
const list = (...items: readonly Node[]): Node => ({ kind: 'list', items })

const TRUE = ['true', 'True', 'TRUE', 'yes', 'Yes', 'on', 'ON', 'y', 'Y', '!!bool yes'] as const
const FALSE = [
  'false',
  'False',
  'FALSE',
  'no',
  'No',
  'off',
  'OFF',
  'n',
  'N',
  '!!bool "no"',
] as const
const SPELLED = [
  '0400',
  '0o400',
  '0x1F',
  '0b11',
  '-0b11',
  '1_000',
  '08',
  '1.',
  '.5',
  '1e3',
  '1E400',
  '-0.0',
  '1:30',
  '190:20:30',
  '2001-01-01',
  '2001-12-14t21:59:43.10-05:00',
  '9007199254740993',
  '18446744073709551615',
  '1234567890123456789012',
  '~',
  'null',
  'Null',
  'nUll',
  '=',
  'yes',
  'no',
  'y',
  'n',
  'on',
  'off',
  'yEs',
  'NaN',
  'inf',
  '+',
  'x',
  'a b',
  'a#b',
  "'it''s'",
  '"\\u00e9\\t"',
  '"a\\\n  b"',
  "'two\n\n  lines'",
  'plain\n  folded',
  '|\nlit\n  eral\n',
  '>-\nfold\ned\n\nmore',
  '|+\nkept\n\n',
  '!!str 5',
  '!!int "7"',
  '!foo bar',
  '! 5',
  'é',
  '😀',
  '"\\U0001F600"',
  "''",
  '""',
  '"<<"',
  'a:b',
  '-x',
] as const
const JSON_SPELLED = [
  '1',
  '-0.5',
  '1e3',
  '1E+2',
  '9007199254740993',
  'true',
  'null',
  '"no"',
  '"\\u00e9\\n"',
  '"é 😀"',
  '{}',
  '[]',
  '""',
] as const

const bool = (isTrue: boolean, { pick }: Choices): Node =>
  scalar(pick(isTrue ? TRUE : FALSE), String(isTrue))
const text = (value: string, { pick }: Choices): Node =>
  scalar(pick([value, `'${value}'`, `"${value}"`]), JSON.stringify(value))
const quoted = (value: string, { pick }: Choices): Node =>
  scalar(pick([`'${value}'`, `"${value}"`]), JSON.stringify(value))

/** What a scalar of any kind could be; of no concern to injection. */
const anything = (choices: Choices): Node => {
  const yaml = choices.pick(SPELLED)
  // In a block scalar's indentation the writer adds none to blank lines.
  return scalar(yaml, choices.pick(JSON_SPELLED))
}

const number = (value: number, { pick }: Choices): Node =>
  scalar(
    pick([
      `${value}`,
      `0x${value.toString(16)}`,
      `0${value.toString(8)}`,
      `0o${value.toString(8)}`,
      `0b${value.toString(2)}`,
      `${value}.0`,
      `+${value}`,
    ]),
    `${value}`,
  )

/** Empty, or left out, in any of its spellings. */
const nothing = ({ pick }: Choices): Node =>
  pick([map(), scalar('', 'null'), scalar('~', 'null'), scalar('null', 'null')])

const probe = (choices: Choices): Node =>
  map(
    ['exec', map(['command', list(text('check', choices), quoted('-x', choices))])],
    ['periodSeconds', number(10, choices)],
  )

const words = (choices: Choices): Node =>
  list(
    ...Array.from({ length: 1 + choices.below(3) }, () =>
      choices.pick([
        text('a', choices),
        quoted('no', choices),
        quoted('--flag', choices),
        scalar('>-\nrun\nthis', '"run this"'),
        quoted('', choices),
      ]),
    ),
  )

const securityContext = (choices: Choices): Node =>
  choices.chance(30)
    ? nothing(choices)
    : map(
        ...choices.some<readonly [string, Node]>(
          [
            ['runAsUser', number(1000 + choices.below(100), choices)],
            ['privileged', bool(choices.chance(5), choices)],
            ['readOnlyRootFilesystem', bool(choices.chance(95), choices)],
            ['allowPrivilegeEscalation', bool(choices.chance(4), choices)],
            [
              'capabilities',
              choices.pick([
                nothing(choices),
                map(['drop', list(text('NET_RAW', choices))]),
                map(['drop', list(text('ALL', choices))]),
              ]),
            ],
          ],
          50,
        ),
      )

type Member = readonly [string, Node]

const containerMembers = (choices: Choices): readonly Member[] =>
  choices.some<Member>(
    [
      ['stdin', bool(choices.chance(80), choices)],
      ['tty', bool(choices.chance(80), choices)],
      ['image', text('a:1', choices)],
      ['args', choices.pick([nothing(choices), words(choices)])],
      ['env', list(map(['name', text('A', choices)], ['value', quoted('0400', choices)]))],
      ['livenessProbe', probe(choices)],
      ['lifecycle', map(['postStart', probe(choices)])],
      [
        'resources',
        choices.pick([
          nothing(choices),
          map(['limits', map(['cpu', quoted('1', choices)], ['memory', text('1Gi', choices)])]),
        ]),
      ],
      ['securityContext', securityContext(choices)],
      [
        'volumeMounts',
        choices.pick([
          nothing(choices),
          list(map(['name', text('v', choices)], ['mountPath', text('/data', choices)])),
        ]),
      ],
      ['x-any', anything(choices)],
    ],
    35,
  )

/** The container's fields, or part of them by way of an anchor that stands before. */
const container = (choices: Choices, shared: Member[], isJson: boolean): Node => {
  const name: Member = ['name', text('server', choices)]
  const command: Member = ['command', words(choices)]
  const members = containerMembers(choices)
  if (isJson || choices.chance(70)) return map(name, ...members, command)
  const share = (key: string, node: Node): void => {
    shared.push([key, { kind: 'named', anchor: key, node }])
  }
  const half = choices.below(members.length + 1)
  switch (choices.below(4)) {
    case 0:
      share('x-base', map(...members.slice(0, half), command))
      return map(['<<', { kind: 'alias', anchor: 'x-base' }], name, ...members.slice(half))
    case 1:
      share('x-base', map(...members))
      return map(name, command, ['<<', { kind: 'alias', anchor: 'x-base' }])
    case 2:
      share('x-whole', map(name, ...members, command))
      return { kind: 'alias', anchor: 'x-whole' }
    default:
      share('x-words', words(choices))
      return map(name, ...members.filter(([key]) => key !== 'args'), [
        'command',
        { kind: 'alias', anchor: 'x-words' },
      ])
  }
}

const podSpec = (choices: Choices, shared: Member[], isJson: boolean): Node => {
  const others = choices.some<Member>(
    [
      ['securityContext', securityContext(choices)],
      [
        'volumes',
        choices.pick([
          nothing(choices),
          list(
            map(
              ['name', text('v', choices)],
              [
                'secret',
                map(
                  ['secretName', text('s', choices)],
                  ['defaultMode', scalar(choices.pick(['0400', '0o400', '256', '0x100']), '256')],
                ),
              ],
            ),
          ),
        ]),
      ],
      ['terminationGracePeriodSeconds', number(30, choices)],
      ['hostNetwork', bool(choices.chance(4), choices)],
      ['automountServiceAccountToken', bool(choices.chance(5), choices)],
      [
        'initContainers',
        choices.pick([
          nothing(choices),
          list(map(['name', text('first', choices)], ['image', text('b:1', choices)])),
        ]),
      ],
      ['x-any', anything(choices)],
    ],
    35,
  )
  const containers: Member = ['containers', list(container(choices, shared, isJson))]
  const at = choices.below(others.length + 1)
  return map(...others.slice(0, at), containers, ...others.slice(at))
}

const annotations = (choices: Choices): Node =>
  map(
    ['outrigger.dev/inject', quoted(choices.chance(90) ? 'true' : 'false', choices)],
    ['outrigger.dev/auth', text('none', choices)],
    ['outrigger.dev/transport', text('stdio', choices)],
    ...choices.some<Member>([['note', quoted('yes', choices)]], 30),
  )

const metadata = (choices: Choices, isAnnotated: boolean): Node =>
  map(
    ...choices.some<Member>(
      [
        ['name', text('a', choices)],
        ['labels', choices.pick([nothing(choices), map(['app', quoted('0400', choices)])])],
      ],
      80,
    ),
    ...(isAnnotated ? [['annotations', annotations(choices)] as const] : []),
  )

const template = (choices: Choices, shared: Member[], isJson: boolean): Node =>
  map(['metadata', metadata(choices, true)], ['spec', podSpec(choices, shared, isJson)])

const workload = (choices: Choices, isJson: boolean): Node => {
  const shared: Member[] = []
  const head = (version: string, kind: string): readonly Member[] => [
    ['apiVersion', text(version, choices)],
    ['kind', text(kind, choices)],
  ]
  switch (choices.below(3)) {
    case 0: {
      const spec = podSpec(choices, shared, isJson)
      return map(
        ...head('v1', 'Pod'),
        ...shared,
        ['metadata', metadata(choices, true)],
        ['spec', spec],
      )
    }
    case 1: {
      const pod = template(choices, shared, isJson)
      return map(
        ...head('batch/v1', 'CronJob'),
        ...shared,
        ['metadata', metadata(choices, false)],
        [
          'spec',
          map(
            ['schedule', quoted('* * * * *', choices)],
            ['jobTemplate', map(['spec', map(['template', pod])])],
          ),
        ],
      )
    }
    default: {
      const pod = template(choices, shared, isJson)
      return map(
        ...head('apps/v1', 'Deployment'),
        ...shared,
        ['metadata', metadata(choices, false)],
        ['spec', map(['replicas', number(2, choices)], ['template', pod])],
      )
    }
  }
}

const other = (choices: Choices): Node =>
  map(
    ['apiVersion', word('v1')],
    ['kind', word('ConfigMap')],
    [
      'data',
      map(
        ...Array.from({ length: choices.below(6) }, (_, index): Member => [
          `k${index}`,
          anything(choices),
        ]),
      ),
    ],
  )

const object = (choices: Choices, isJson: boolean): Node => {
  if (choices.chance(20)) return other(choices)
  if (choices.chance(90)) return workload(choices, isJson)
  const items = Array.from({ length: 1 + choices.below(3) }, () => workload(choices, true))
  return map(['apiVersion', word('v1')], ['kind', word('List')], ['items', list(...items)])
}

const yamlStream = (choices: Choices): string =>
  Array.from({ length: 1 + choices.below(3) }, () => {
    const isJson = choices.chance(8)
    const made = object(choices, isJson)
    const written = isJson ? `${writeJson(made, choices)}\n` : writeYaml(made, choices)
    return `${choices.pick(['', '', '# first\n', '\n'])}${written}${choices.pick(['', '', '\n', '# last\n', '...\n'])}`
  }).join(choices.pick(['---\n', '--- # next\n', '---\n\n']))

const jsonStream = (choices: Choices): string =>
  Array.from({ length: 1 + choices.below(3) }, () =>
    writeJson(object(choices, true), choices),
  ).join(choices.pick(['', '\n', ' \n\n']))

const encoded = (text: string, { chance, pick }: Choices): Buffer => {
  const lines = chance(15) ? text.replaceAll('\n', '\r\n') : text
  const whole = chance(10) ? lines.replace(/\r?\n$/, '') : lines
  if (chance(90)) return Buffer.from(pick(['', '', '', '\ufeff']) + whole)
  const bytes = Buffer.from(`\ufeff${whole}`, 'utf16le')
  return chance(50) ? bytes : bytes.swap16()
}

/** The manifest of a seed. */
export const generateManifest = (seed: number): Buffer => {
  const choices = choicesOf(seed)
  return encoded(choices.chance(15) ? jsonStream(choices) : yamlStream(choices), choices)
}
