// `outrigger egress suggest` on real files: what it makes of records of egress.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { egress } from '../../../../cli/egress/command.ts'
import { Chain, membersOf } from '../../../../shared/audit/chain.ts'
import type { EventOf } from '../../../../shared/audit/record.ts'
import { parseValue } from '../../../../shared/settings.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'suggest-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const run = async (...args: readonly string[]) => {
  let [out, err] = ['', '']
  const code = await egress.run(args, {
    stdout: (text) => void (out += String(text)),
    stderr: (text) => void (err += text.replaceAll(dir, '')),
    written: () => Promise.resolve(true),
    log: () => undefined,
    isTerminal: () => false,
    environment: {},
    signal: new AbortController().signal,
  })
  return { code, out, err }
}

type Told = Partial<Omit<EventOf<'egress'>, 'destination'>> & {
  readonly to: string
  /** Where a name leads. */
  readonly at?: string
  readonly protocol?: EventOf<'egress'>['destination']['protocol']
}

let attempts = 0
const event = ({
  to,
  at = '93.184.216.34',
  protocol = 'tcp',
  ...told
}: Told): EventOf<'egress'> => {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(to) ?? []
  const isAddress = /^[\d.]+$|^\[/.test(host)
  return {
    event: 'egress',
    attempt: ++attempts,
    calls: [1],
    destination: isAddress
      ? { address: host.replaceAll(/[[\]]/g, ''), port: Number(port), protocol }
      : { host, address: at, port: Number(port), protocol },
    how: 'connect',
    verdict: 'observed',
    sentBytes: 100,
    receivedBytes: 2000,
    durationMs: 5,
    enforcement: 'observed',
    ...told,
  }
}

const write = (
  told: readonly Told[],
  { name = 'audit.jsonl', server = 'deployment-search' } = {},
) => {
  const own = new Chain({ instance: name, server, prev: '' })
  const path = join(dir, name)
  writeFileSync(
    path,
    told.map((one) => own.line(membersOf(event(one)), Date.UTC(2026, 10, 29))).join(''),
  )
  return path
}

const valueIn = (out: string): string | undefined =>
  /^outrigger\.dev\/egress: '(.*)'$/m.exec(out)?.[1]

describe('what was observed', () => {
  test('is the annotation that allows it, with what is known of each destination', async () => {
    const path = write([
      { to: 'api.example.com:443' },
      { to: 'API.example.com.:443', how: 'socks' },
      { to: 'login.example.org:443', verdict: 'failed', why: 'unreachable' },
      { to: 'login.example.org:443' },
    ])
    expect(await run('suggest', path)).toEqual({
      code: 0,
      err: '',
      out: `# deployment-search
outrigger.dev/egress: 'api.example.com:443,login.example.org:443'
#   api.example.com:443  2 times (2 observed; connect, socks), 200 B sent, 4.0 kB received
#   login.example.org:443  2 times (1 failed, 1 observed; connect), 200 B sent, 4.0 kB received
`,
    })
  })

  test.each<readonly [string, readonly Told[], string | undefined, RegExp | undefined]>([
    [
      'an address tells no name',
      [{ to: '203.0.113.9:443' }],
      '203.0.113.9:443',
      /# 203\.0\.113\.9:443 is an address: a name would be better/,
    ],
    [
      'nor does a private one, nor one of IPv6',
      [{ to: '10.0.3.7:443' }, { to: '[2606:4700::1]:443' }],
      '10.0.3.7:443,[2606:4700::1]:443',
      /# \[2606:4700::1\]:443 is an address/,
    ],
    [
      'one past the proxy is a forward',
      [{ to: '10.0.3.7:5432', how: 'direct' }],
      '5432=10.0.3.7:5432',
      /# 10\.0\.3\.7:5432 is an address, to which the server went past the proxy.*for a server that asks 127\.0\.0\.1:5432; if that is HOST, 5432=HOST:5432 would be better/,
    ],
    [
      'and by itself where another forward has its port, or none may',
      [
        { to: '10.0.3.7:5432', how: 'direct' },
        { to: '10.0.3.7:5432', how: 'direct' },
        { to: '10.0.3.8:5432', how: 'direct' },
        { to: '10.0.3.7:15202', how: 'direct' },
      ],
      '10.0.3.7:15202,10.0.3.8:5432,5432=10.0.3.7:5432',
      /# 10\.0\.3\.8:5432 is an address.*let the server use the proxy for it/,
    ],
    [
      'a name that leads to a private address needs that beside it',
      [
        { to: 'corp.example:443', at: '10.20.3.4', why: 'undeclared' },
        { to: 'corp.example:443', at: '10.20.3.5' },
      ],
      '10.20.3.4:443,10.20.3.5:443,corp.example:443',
      /# corp\.example:443 leads to what is not public, so that 10\.20\.3\.4:443, 10\.20\.3\.5:443 must stand beside it/,
    ],
    [
      'a Service does not, and is written as floors list it',
      [
        { to: 'db.team.svc.cluster.local:5432', at: '10.96.0.1' },
        { to: 'db.team.svc:5432', at: '10.96.0.1' },
      ],
      'db.team.svc:5432',
      /db\.team\.svc:5432 {2}2 times/,
    ],
    [
      'what only looks like a Service keeps its name',
      [{ to: 'db.team.svc.example.com:443' }, { to: 'a.team.svc.cluster.local.example.com:443' }],
      'a.team.svc.cluster.local.example.com:443,db.team.svc.example.com:443',
      undefined,
    ],
    [
      'a name that leads to metadata is not offered with it',
      [
        {
          to: 'rebound.example:80',
          at: '169.254.169.254',
          why: 'forbidden-address',
          verdict: 'denied',
        },
      ],
      undefined,
      /rebound\.example:80 .*no destination leads there/,
    ],
    ['nor metadata by a name', [{ to: 'metadata.google.internal:80' }], undefined, /leave it out/],
    [
      'this machine is not offered',
      [{ to: '127.0.0.1:9200', how: 'direct', why: 'loopback' }],
      undefined,
      /127\.0\.0\.1:9200 .*write the forward 9200=127\.0\.0\.1:9200 yourself/,
    ],
    [
      'nor is it by a name',
      [{ to: 'db.example:5432', at: '127.0.0.1', why: 'undeclared' }],
      undefined,
      /db\.example:5432 .*leads to 127\.0\.0\.1, somebody else in the pod, where no name may lead: if that is right, let the server ask for 127\.0\.0\.1:5432/,
    ],
    [
      'a name that has led elsewhere, too, is',
      [{ to: 'db.example:5432', at: '127.0.0.1' }, { to: 'db.example:5432' }],
      'db.example:5432',
      undefined,
    ],
    [
      'forwards are as many as a process can have',
      Array.from({ length: 34 }, (_, n) => ({ to: `10.0.3.7:${4000 + n}`, how: 'direct' })),
      [
        '10.0.3.7:4032',
        '10.0.3.7:4033',
        ...Array.from({ length: 32 }, (_, n) => `${4000 + n}=10.0.3.7:${4000 + n}`),
      ].join(','),
      /# 10\.0\.3\.7:4033 is an address.*let the server use the proxy for it/,
    ],
    [
      'of declared ones, too',
      Array.from({ length: 33 }, (_, n) => ({
        to: `a.example:${4000 + n}`,
        how: 'forward',
        verdict: 'allowed',
        rule: `${4000 + n}=a.example:${4000 + n}`,
      })),
      Array.from({ length: 32 }, (_, n) => `${4000 + n}=a.example:${4000 + n}`).join(','),
      /4032=a\.example:4032 .*there are 32 forwards that are used more, and a process has no more/,
    ],
    [
      'nor the pod itself',
      [{ to: '10.1.1.1:15200', why: 'forbidden-address' }],
      undefined,
      /10\.1\.1\.1:15200 .*the pod itself, or the link: no destination leads there/,
    ],
    [
      'what would not pass though it were declared is for somebody to decide',
      [{ to: 'plain.example:443', verdict: 'observed', why: 'no-tls' }],
      undefined,
      /plain\.example:443 .*spoke no TLS that names it/,
    ],
    [
      'what spoke TLS at other times is offered',
      [
        { to: 'plain.example:443', verdict: 'observed', why: 'no-tls' },
        { to: 'plain.example:443', verdict: 'observed', why: 'undeclared' },
      ],
      'plain.example:443',
      undefined,
    ],
    [
      'metadata is left out',
      [{ to: '169.254.169.254:80', verdict: 'denied' }],
      undefined,
      /169\.254\.169\.254:80 .*: link-local, or where a cloud gives out credentials: leave it out/,
    ],
    [
      'in another spelling, too',
      [{ to: '[::ffff:169.254.169.254]:80', how: 'direct' }],
      undefined,
      /leave it out/,
    ],
    [
      'what was refused each time is for somebody to decide',
      [{ to: 'evil.example:443', verdict: 'denied' }],
      undefined,
      /evil\.example:443 .*refused each time/,
    ],
    [
      'what was refused now and never reached then is for somebody to decide, too',
      [
        { to: 'evil.example:443', verdict: 'denied', why: 'undeclared' },
        { to: 'evil.example:443', verdict: 'failed', why: 'unresolved' },
      ],
      undefined,
      /evil\.example:443 .*refused each time/,
    ],
    [
      'of two forwards with one local port the one that was used less',
      [
        { to: 'a.example:5432', how: 'forward', verdict: 'allowed', rule: '5432=a.example:5432' },
        { to: 'a.example:5432', how: 'forward', verdict: 'allowed', rule: '5432=a.example:5432' },
        { to: 'b.example:5432', how: 'forward', verdict: 'allowed', rule: '5432=b.example:5432' },
      ],
      '5432=a.example:5432',
      /5432=b\.example:5432 .*local port 5432/,
    ],
    [
      'two destinations in one are none',
      [
        { to: '10.0.0.1:443', verdict: 'allowed', rule: '10.0.0.0/8:443,*.com:443' },
        { to: 'c.example:443' },
      ],
      'c.example:443',
      /10\.0\.0\.0\/8:443,\*\.com:443 .*no destination/,
    ],
    [
      'what was never reached may be mistyped',
      [{ to: 'typo.example:443', verdict: 'failed' }],
      undefined,
      /typo\.example:443 .*never reached/,
    ],
    [
      'what is declared as a forward stays one',
      [{ to: 'db.example:5432', how: 'forward', rule: '5432=db.example:5432', verdict: 'allowed' }],
      '5432=db.example:5432',
      undefined,
    ],
    [
      'and so do addresses within a range that is declared',
      [
        { to: '10.0.0.1:6379', rule: '10.0.0.0/8:6379', verdict: 'allowed' },
        { to: '10.0.0.2:6379', rule: '10.0.0.0/8:6379', verdict: 'allowed' },
      ],
      '10.0.0.0/8:6379',
      undefined,
    ],
    [
      'a name under a declared pattern is itself',
      [{ to: 'api.example.com:443', rule: '*.example.com:443', verdict: 'allowed' }],
      'api.example.com:443',
      undefined,
    ],
    [
      'names that it asks for itself',
      [{ to: '10.96.0.10:53', protocol: 'udp', how: 'direct' }],
      undefined,
      /udp 10\.96\.0\.10:53 .*asks for names itself/,
    ],
    [
      'many names under one may be a pattern, and are written out',
      ['a', 'b', 'c', 'd', 'e'].map((name) => ({ to: `${name}.cdn.example:443` })),
      ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}.cdn.example:443`).join(','),
      /5 of them would be \*\.cdn\.example:443, and so would every other name there/,
    ],
  ])('%s', async (_name, told, value, said) => {
    const { out } = await run('suggest', write(told))
    expect(valueIn(out)).toBe(value)
    if (value !== undefined) expect(parseValue('egress', value).ok).toBe(true)
    if (said) expect(out).toMatch(said)
  })

  test('a connection that goes on is counted once, also when it has ended', async () => {
    attempts = 0
    const path = write([{ to: 'api.example.com:443', open: true }, { to: 'api.example.com:443' }])
    const twice = readFileSync(path, 'utf8').replace('"attempt":2', '"attempt":1')
    writeFileSync(path, twice)
    expect((await run('suggest', path)).out).toContain('1 time (1 observed; connect), 100 B sent')
  })

  test('addresses are told beside it, a few of each server', async () => {
    const path = write(Array.from({ length: 10 }, (_, n) => ({ to: `10.0.3.${n}:443` })))
    const { out, err } = await run('suggest', path)
    expect(err.match(/is an address/g)).toHaveLength(8)
    expect(err).toContain('outrigger egress: deployment-search: 2 more such addresses\n')
    expect(out.match(/is an address/g)).toHaveLength(10)
  })

  test('what tells no destination is counted', async () => {
    const path = write([{ to: 'api.example.com:443' }])
    const own = new Chain({ instance: 'more', server: 'deployment-search', prev: '' })
    const nowhere = (more: Partial<EventOf<'egress'>>, protocol: 'udp' | 'tcp') => {
      const { destination: _destination, ...rest } = event({ to: 'x:1', verdict: 'denied' })
      return own.line(
        membersOf({ ...rest, ...more, destination: { protocol } }),
        Date.UTC(2026, 10, 29),
      )
    }
    const more = join(dir, 'more.jsonl')
    writeFileSync(
      more,
      [
        nowhere({ how: 'direct' }, 'udp'),
        nowhere({ how: 'direct' }, 'udp'),
        nowhere({ how: 'unknown' }, 'tcp'),
      ].join(''),
    )
    expect((await run('suggest', path, more)).err).toBe(
      'outrigger egress: 2 attempts by UDP, by which programs ask for names themselves: none of it can be declared\n' +
        'outrigger egress: 1 attempt of somebody at the proxy who did not say who: none of it can be declared\n',
    )
  })

  test('names steer no terminal and end no line', async () => {
    const path = write([{ to: 'a\u001b[2J\nb\u202E:443' }])
    const { out } = await run('suggest', path)
    expect(out).toMatch(/no destination that could be declared/)
    expect(out).not.toMatch(/[\u001b\u202E]|^b/m)
    expect((await run('suggest', path, '-o', 'json')).out).not.toMatch(/[\u001b\u202E]/)
  })

  test('is bounded', async () => {
    const path = write(Array.from({ length: 5000 }, (_, n) => ({ to: `h${n}.example${n}:443` })))
    const { out, err } = await run('suggest', path)
    expect(valueIn(out)?.split(',')).toHaveLength(256)
    expect(out).toContain('there are 4096 destinations, and the annotation takes 256')
    expect(err).toBe(
      'outrigger egress: 904 attempts left out: more destinations than are added up\n',
    )
  })
})

describe('files', () => {
  test('a file comes with the full ones beside it, each once, and each server by itself', async () => {
    write([{ to: 'old.example:443' }], { name: 'audit.jsonl.1' })
    const path = write([{ to: 'new.example:443' }])
    const other = write([{ to: 'other.example:443' }], { name: 'b.jsonl', server: 'job-b' })
    const { out } = await run('suggest', path, `${path}.1`, other)
    expect(out.match(/1 time /g)).toHaveLength(3)
    expect(out).toMatch(/# deployment-search\n.*'new\.example:443,old\.example:443'/)
    expect(out).toMatch(/\n\n# job-b\n/)
    expect(valueIn((await run('suggest', dir, '--server', 'job-b')).out)).toBe('other.example:443')
  })

  test('as JSON', async () => {
    const path = write([
      { to: 'api.example.com:443' },
      { to: '169.254.169.254:80', verdict: 'denied' },
    ])
    const { out } = await run('suggest', path, '-o', 'json')
    expect(JSON.parse(out)).toEqual([
      {
        server: 'deployment-search',
        value: 'api.example.com:443',
        destinations: [
          {
            destination: 'api.example.com:443',
            attempts: 1,
            verdicts: { observed: 1 },
            how: ['connect'],
            sentBytes: 100,
            receivedBytes: 2000,
          },
        ],
        doubtful: [
          expect.objectContaining({ destination: '169.254.169.254:80', why: expect.any(String) }),
        ],
        nameless: [],
        remarks: [],
      },
    ])
  })

  test.each<readonly [string, () => readonly string[], number, RegExp]>([
    ['no verb', () => [], 2, /say what to do: egress suggest AUDIT_FILE/],
    ['another verb', () => ['sugest'], 2, /did you mean suggest\?/],
    ['no file', () => ['suggest'], 2, /say which files or folders of records/],
    ['a file that is not there', () => ['suggest', join(dir, 'no')], 1, /\/no: /],
    [
      'a file without records',
      () => {
        writeFileSync(join(dir, 'x'), 'hello\n')
        return ['suggest', join(dir, 'x')]
      },
      1,
      /no line is a record/,
    ],
    [
      'a server that is not in them',
      () => ['suggest', write([{ to: 'a.example:1' }]), '--server', 'x'],
      1,
      /no record of x tells what a server reached/,
    ],
  ])('%s', async (_name, args, code, said) => {
    const result = await run(...args())
    expect({ code: result.code, out: result.out }).toEqual({ code, out: '' })
    expect(result.err).toMatch(said)
  })
})
