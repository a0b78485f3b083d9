// Mistakes with commands that are told by a verb what to do, with what they read, and with what `dev` finds in a manifest.
// What they are told stands in test/golden/mistakes.txt.

import { issue } from './certificates.ts'
import { typed, type Mistake } from './mistakes.ts'

const POLICY = 'version: 1\nrules: []\n'
const first = issue({ commonName: 'first', names: ['first.example'] })
const other = issue({ commonName: 'other', isAuthority: true })

const withPolicy = (name: string, line: string, file?: string): Mistake =>
  typed(name, `policy ${line}`, { 'p.yaml': POLICY, other: file })

const records = (name: string, line: string): Mistake =>
  typed(name, `audit ${line}`, { records: '', folder: undefined })

/** A pod and what it names, run here. */
const dev = (name: string, annotation: string, object: object): Mistake => {
  const metadata = {
    name: 'search',
    annotations: { 'outrigger.dev/inject': 'true', [`outrigger.dev/${annotation}`]: 'own' },
  }
  const spec = { containers: [{ name: 'c', image: 'i', command: ['cat'] }] }
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec }
  const all = [pod, { apiVersion: 'v1', metadata: { name: 'own' }, ...object }]
  return typed(name, 'dev -f DIR/in.yaml --port 0', {
    'in.yaml': all.map((one) => JSON.stringify(one)).join('\n---\n'),
  })
}

export const VERB_MISTAKES: readonly Mistake[] = [
  records('records with a verb misspelt', 'verfy DIR/records'),
  records('records in a folder', 'verify DIR/folder'),
  records('a file without a record', 'verify DIR/records'),
  records('checkpoints in a folder', 'verify DIR/records --checkpoints DIR/folder'),
  records('a key that is none', 'verify DIR/records --checkpoints DIR/records --key DIR/records'),
  records('a flag of tail misspelt', 'tail DIR/records --folow'),
  typed('certs in a key, beside a certificate', 'certs inspect DIR/ca.pem DIR/key.pem', {
    'ca.pem': other.cert,
    'key.pem': other.key,
  }),
  typed('certs in one that is cut off', 'certs inspect DIR/ca.pem', {
    'ca.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  }),
  typed('images with a verb misspelt', 'images ad docker.io/x'),
  withPolicy('two policies', 'lint -f DIR/p.yaml -f DIR/p.yaml'),
  withPolicy('a policy without its flag', 'test DIR/p.yaml --call echo'),
  withPolicy('a policy in a folder', 'lint -f DIR/other'),
  withPolicy('nobody named for who-can', 'who-can -f DIR/p.yaml'),
  withPolicy('a base policy in a folder', 'lint -f DIR/p.yaml --base DIR/other'),
  withPolicy('an empty base policy', 'lint -f DIR/p.yaml --base DIR/other', ''),
  withPolicy('an empty list of tools', 'lint -f DIR/p.yaml --tools DIR/other', ''),
  typed('an empty lock', 'tools verify -f DIR/lock.yaml -- cat', { 'lock.yaml': '' }),
  typed('a lock in a folder', 'tools verify -f DIR/lock.yaml -- cat', { 'lock.yaml': undefined }),
  typed('kinds that there are not', 'tools lock --kinds tols -- cat'),
  typed('no such server to lock', 'tools lock -- no-such-server'),
  typed('a command that speaks no MCP', 'tools lock -- echo hello'),
  typed('a server at a port of another protocol', 'tools lock --url http://127.0.0.1:1/mcp'),
  typed('a check of nothing', 'check -f DIR/in.yaml', { 'in.yaml': '' }),
  typed('a check of plain text', 'check -f DIR/in.yaml', { 'in.yaml': 'hello\n' }),
  typed('a check by a configuration in a folder', 'check -f DIR/in.yaml --config DIR/other', {
    'in.yaml': '',
    other: undefined,
  }),
  dev('a certificate in dev with the key of another', 'tls-secret', {
    kind: 'Secret',
    stringData: { 'tls.crt': first.cert, 'tls.key': other.key },
  }),
  dev('a certificate in dev that is none', 'tls-secret', {
    kind: 'Secret',
    stringData: { 'tls.crt': 'x', 'tls.key': first.key },
  }),
  dev('a policy in dev with a member misspelt', 'tool-policy', {
    kind: 'ConfigMap',
    data: { 'policy.yaml': 'version: 1\nrule: []\n' },
  }),
  dev('a lock in dev of another version', 'tool-lock', {
    kind: 'ConfigMap',
    data: { 'lock.yaml': 'version: 2\n' },
  }),
]
