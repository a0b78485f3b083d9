// What a server writes that is not as it should be and has one meaning only, and what reaches the other side, byte for
// byte. One call is in flight: the client's id is "c", ours is 101.

import { describe, expect, test } from '@jest/globals'
import { lineChannel } from '../../../support/line-channel.ts'

const line = (members: string): string => `{"jsonrpc":"2.0",${members}}`

type Row = readonly [
  name: string,
  written: string | Buffer,
  reaches: string | readonly string[],
  tolerated?: string,
]

const ANSWER = line('"id":"c","result":{}')

const ANSWERED: readonly Row[] = [
  ['exactly an answer', line('"id":101,"result":{"a":1}'), line('"id":"c","result":{"a":1}')],
  [
    'exactly an error',
    line('"id":101,"error":{"code":1,"message":"m"}'),
    line('"id":"c","error":{"code":1,"message":"m"}'),
  ],
  ['a CR at the end', `${line('"id":101,"result":{}')}\r`, `${ANSWER} `],
  [
    'the id last',
    '{"result":{},"jsonrpc":"2.0","id":101}',
    '{"result":{},"jsonrpc":"2.0","id":"c"}',
  ],
  ['a result that is null', line('"id":101,"result":null'), ANSWER, 'empty-object'],
  [
    'nulls inside the result',
    line('"id":101,"result":{"nextCursor":null,"_meta":null}'),
    line('"id":"c","result":{"nextCursor":null,"_meta":null}'),
  ],
  // A member that is null and may be absent.
  [
    '"error":null behind a result',
    line('"id":101,"result":{},"error":null'),
    ANSWER,
    'null-member',
  ],
  [
    '"error":null before it',
    '{"error":null,"jsonrpc":"2.0","id":101,"result":{}}',
    ANSWER,
    'null-member',
  ],
  [
    '"error":null between spaces',
    '{ "jsonrpc" : "2.0" , "error" : null , "id" : 101 , "result" : {} }',
    '{ "jsonrpc" : "2.0", "id" : "c", "result" : {}}',
    'null-member',
  ],
  [
    '"error":null, its name escaped',
    line('"id":101,"\\u0065rror":null,"result":{}'),
    ANSWER,
    'null-member',
  ],
  [
    '"result":null beside an error',
    line('"id":101,"result":null,"error":{"code":1,"message":"m"}'),
    line('"id":"c","error":{"code":1,"message":"m"}'),
    'null-member',
  ],
  [
    'every member there is',
    line('"id":101,"method":null,"params":null,"result":{},"error":null'),
    ANSWER,
    'null-member',
  ],
  [
    'a result and an error that are null',
    line('"id":101,"result":null,"error":null'),
    ANSWER,
    'null-member empty-object',
  ],
  // Our number, spelt otherwise.
  ['the id as a string', line('"id":"101","result":{}'), ANSWER, 'id-spelling'],
  ['the id as a float', line('"id":101.0,"result":{}'), ANSWER, 'id-spelling'],
  ['the id with an exponent', line('"id":1.01e2,"result":{}'), ANSWER, 'id-spelling'],
  ['the id with an exponent and a sign', line('"id":10.1E+1,"result":{}'), ANSWER, 'id-spelling'],
  ['the id with a negative exponent', line('"id":10100e-2,"result":{}'), ANSWER, 'id-spelling'],
  ['the id as a string of a float', line('"id":"101.0","result":{}'), ANSWER, 'id-spelling'],
  ['the id in escapes', line('"id":"\\u003101","result":{}'), ANSWER, 'id-spelling'],
  // Names twice where nobody here reads.
  [
    'a name twice, deep in the result',
    line('"id":101,"result":{"content":[{"a":1,"a":2}]}'),
    line('"id":"c","result":{"content":[{"a":1,"a":2}]}'),
    'repeated-name',
  ],
  [
    'a name twice in structuredContent',
    line('"id":101,"result":{"structuredContent":{"k":1,"\\u006b":2}}'),
    line('"id":"c","result":{"structuredContent":{"k":1,"\\u006b":2}}'),
    'repeated-name',
  ],
  [
    'content twice',
    line('"id":101,"result":{"content":[],"content":[1]}'),
    line('"id":"c","result":{"content":[],"content":[1]}'),
    'repeated-name',
  ],
  [
    'a name twice in the data of an error',
    line('"id":101,"error":{"code":1,"message":"m","data":{"a":1,"a":2}}'),
    line('"id":"c","error":{"code":1,"message":"m","data":{"a":1,"a":2}}'),
    'repeated-name',
  ],
  // Byte order marks, lists, more than one on a line.
  ['a byte order mark', `\ufeff${line('"id":101,"result":{}')}`, ANSWER, 'byte-order-mark'],
  ['two of them', `\ufeff\ufeff${line('"id":101,"result":{}')}`, ANSWER, 'byte-order-mark'],
  [
    'a byte order mark and a null',
    `\ufeff${line('"id":101,"result":{},"error":null')}`,
    ANSWER,
    'byte-order-mark null-member',
  ],
  ['a batch of one', `[${line('"id":101,"result":{}')}]`, ANSWER, 'batch'],
  [
    'a batch with a null and a strange spelling',
    `[ ${line('"id":"101","result":{},"error":null')} ]`,
    ANSWER,
    'batch null-member id-spelling',
  ],
  [
    'a batch with progress before the answer',
    `[${line('"method":"notifications/progress","params":{"progressToken":"101"}')},${line('"id":101,"result":{}')}]`,
    [line('"method":"notifications/progress","params":{"progressToken":"c"}'), ANSWER],
    'batch',
  ],
  [
    'a batch with an item of nobody',
    `[${line('"id":7,"result":{}')},${line('"id":101,"result":{}')}]`,
    ANSWER,
    'batch',
  ],
  [
    'an answer behind a notification, on its line',
    `${line('"method":"notifications/progress","params":{"progressToken":"101"}')}${line('"id":101,"result":{}')}`,
    [line('"method":"notifications/progress","params":{"progressToken":"c"}'), ANSWER],
    'several-on-a-line',
  ],
  [
    'two answers on a line: the first counts',
    `${line('"id":101,"result":{}')} ${line('"id":101,"result":{"x":1}')}`,
    ANSWER,
    'several-on-a-line',
  ],
  // Errors without an id, while one request is in flight.
  [
    'an error whose id is null',
    line('"id":null,"error":{"code":-32700,"message":"m"}'),
    line('"id":"c","error":{"code":-32700,"message":"m"}'),
    'error-without-id',
  ],
  [
    'an error without an id',
    line('"error":{"code":-32603,"message":"m"}'),
    '{"id":"c","jsonrpc":"2.0","error":{"code":-32603,"message":"m"}}',
    'error-without-id',
  ],
  [
    'an error whose result is null, too',
    line('"id":null,"error":{"code":1,"message":"m"},"result":null'),
    line('"id":"c","error":{"code":1,"message":"m"}'),
    'null-member error-without-id',
  ],
  // Progress.
  [
    'progress as we sent the token',
    line('"method":"notifications/progress","params":{"progressToken":"101","progress":1}'),
    line('"method":"notifications/progress","params":{"progressToken":"c","progress":1}'),
  ],
  [
    'progress with the token as a number',
    line('"method":"notifications/progress","params":{"progressToken":101,"progress":1}'),
    line('"method":"notifications/progress","params":{"progressToken":"c","progress":1}'),
    'token-spelling',
  ],
  [
    'progress with the token as a float',
    line('"method":"notifications/progress","params":{"progressToken":101.0,"message":null}'),
    line('"method":"notifications/progress","params":{"progressToken":"c","message":null}'),
    'token-spelling',
  ],
]

const OWNED: readonly (readonly [
  name: string,
  written: string,
  reaches: string,
  tolerated: string,
])[] = [
  [
    'a notification whose id is null',
    line('"id":null,"method":"notifications/message","params":{}'),
    line('"method":"notifications/message","params":{}'),
    'null-member',
  ],
  [
    'parameters that are null',
    line('"method":"notifications/tools/list_changed","params":null'),
    line('"method":"notifications/tools/list_changed"'),
    'null-member',
  ],
  [
    '_meta that is null',
    line('"id":0,"method":"roots/list","params":{"_meta":null}'),
    line('"id":0,"method":"roots/list","params":{}'),
    'null-member',
  ],
  [
    'a token that is null',
    line('"id":0,"method":"ping","params":{"_meta":{"progressToken":null,"a":1}}'),
    line('"id":0,"method":"ping","params":{"_meta":{"a":1}}'),
    'null-member',
  ],
  [
    'a result and an error that are null',
    line('"method":"notifications/message","params":{"data":null},"result":null,"error":null'),
    line('"method":"notifications/message","params":{"data":null}'),
    'null-member',
  ],
  [
    'a name twice in what it says',
    line('"method":"notifications/message","params":{"data":{"a":1,"a":2}}'),
    line('"method":"notifications/message","params":{"data":{"a":1,"a":2}}'),
    'repeated-name',
  ],
]

const set = (words: string): readonly string[] => (words === '' ? [] : words.split(' ').toSorted())

describe('a line that has one meaning', () => {
  const rows = ANSWERED.map(([name, written, reaches, tolerated = '']) => {
    return { name, written, reaches, tolerated }
  })
  test.each(rows)('$name', ({ written, reaches, tolerated }) => {
    const { link, heard, remarks } = lineChannel({ ids: [101] })
    link.writes(written)
    expect(heard).toEqual([{ texts: [reaches].flat(), faults: [] }])
    expect(remarks.tolerances.toSorted()).toEqual(set(tolerated))
  })

  test.each(OWNED)("%s, which is the server's own", (_name, written, reaches, tolerated) => {
    const { link, heard, owned, remarks } = lineChannel({ ids: [101] })
    link.writes(written)
    expect(owned).toEqual([reaches])
    expect(heard).toEqual([{ texts: [], faults: [] }])
    expect(remarks.tolerances).toEqual(set(tolerated))
  })
})
