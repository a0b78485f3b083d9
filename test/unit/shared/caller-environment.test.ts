// Which templates may make variables of a caller's claims, and which variables no caller fills.

import { describe, expect, test } from '@jest/globals'
import { callerVariables as read, variableFault } from '../../../shared/caller-environment.ts'

const callerVariables = (text: string) => read(text.split(',').map((item) => item.trim()))

describe('a text', () => {
  test.each<[string, object]>([
    ['A={{claims.email}}', [{ name: 'A', pieces: [{ claim: 'email' }] }]],
    ['A={{ claims.email }}', [{ name: 'A', pieces: [{ claim: 'email' }] }]],
    [
      'A=x {{claims.https://a.example/b}}/{{claims.sub}}, B={{claims.tid}}',
      [
        {
          name: 'A',
          pieces: [
            { text: 'x ' },
            { claim: 'https://a.example/b' },
            { text: '/' },
            { claim: 'sub' },
          ],
        },
        { name: 'B', pieces: [{ claim: 'tid' }] },
      ],
    ],
    ['A={{claims.a}}={{claims.b}}', [{ pieces: [{ claim: 'a' }, { text: '=' }, { claim: 'b' }] }]],
  ])('%j is read', (text, variables) => {
    expect(callerVariables(text)).toMatchObject({ ok: true, value: variables })
  })

  test.each([
    ['', 'no name'],
    ['A', 'needs a template'],
    ['A=', 'needs a template'],
    ['A=anything', 'needs a template'],
    ['A={{claims.}}', 'needs a template'],
    ['A={{token}}', 'needs a template'],
    ['A={{claims.a}}{', 'needs a template'],
    ['A={{{claims.a}}}', 'needs a template'],
    ['A={{claims.a}}\n', undefined],
    ['A={{claims.a}}\nB', 'needs a template'],
    ['A={{claims.a}}é', 'needs a template'],
    ['A={{claims.a b}}', 'needs a template'],
    [`A={{claims.${'a'.repeat(129)}}}`, 'needs a template'],
    [`A=${'x'.repeat(300)}{{claims.a}}`, 'needs a template'],
    ['a={{claims.a}}', 'no name'],
    ['1A={{claims.a}}', 'no name'],
    ['A B={{claims.a}}', 'no name'],
    ['={{claims.a}}', 'no name'],
    ['A={{claims.a}},A={{claims.b}}', 'A stands there twice'],
    ['A={{claims.a}},', 'no name'],
    [Array.from({ length: 17 }, (_, at) => `A${at}={{claims.a}}`).join(), 'at most 16'],
    ['PATH={{claims.a}}', 'PATH says how programs run'],
  ])('%j: %s', (text, why) => {
    expect(callerVariables(text)).toMatchObject(
      why === undefined ? { ok: true } : { ok: false, error: expect.stringContaining(why) },
    )
  })
})

describe('a variable', () => {
  test.each(['USER_EMAIL', 'USER', 'TENANT', 'LDAP_USER', 'GITHUB_LOGIN', 'GOAL', 'X_9'])(
    '%s may be filled',
    (name) => expect(variableFault(name)).toBeUndefined(),
  )

  test.each([
    'PATH',
    'GOPATH',
    'LD_LIBRARY_PATH',
    'LD_PRELOAD',
    'LD_AUDIT',
    'DYLD_INSERT_LIBRARIES',
    'GLIBC_TUNABLES',
    'NODE_OPTIONS',
    'NODE_PATH',
    'NODE_EXTRA_CA_CERTS',
    'NODE_TLS_REJECT_UNAUTHORIZED',
    'NPM_CONFIG_REGISTRY',
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'ALL_PROXY',
    'NO_PROXY',
    'http_proxy',
    'npm_config_registry',
    'PYTHONPATH',
    'PYTHONSTARTUP',
    'PIP_INDEX_URL',
    'UV_INDEX',
    'PERL5OPT',
    'RUBYOPT',
    'JAVA_TOOL_OPTIONS',
    'JDK_JAVA_OPTIONS',
    '_JAVA_OPTIONS',
    'CLASSPATH',
    'BASH_ENV',
    'BASH_FUNC_x',
    'ENV',
    'IFS',
    'PS4',
    'SHELL',
    'HOME',
    'TMPDIR',
    'XDG_CONFIG_HOME',
    'SSL_CERT_FILE',
    'REQUESTS_CA_BUNDLE',
    'OPENSSL_CONF',
    'GIT_SSH_COMMAND',
    'SSH_AUTH_SOCK',
    'EDITOR',
    'KUBECONFIG',
    'KUBERNETES_SERVICE_HOST',
    'AWS_CONTAINER_CREDENTIALS_FULL_URI',
    'GOOGLE_APPLICATION_CREDENTIALS',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'DOTNET_STARTUP_HOOKS',
    'RES_OPTIONS',
    'HOSTALIASES',
    'OUTRIGGER_PROXY',
    '',
    'A=B',
    'A\0B',
    'A'.repeat(65),
  ])('%j may not', (name) => expect(variableFault(name)).toBeDefined())
})
