// What the arena's resolver answers.

import {
  API,
  API_SERVER,
  DATABASE,
  METADATA,
  OTHER,
  PRIVATE,
  SEARCHED,
  SERVER_ADDRESSES,
} from './addresses.ts'

/** As many as callers at once have. */
const MANY = Object.fromEntries(
  Array.from({ length: 64 }, (_, number) => [`host-${number}.wild.example`, [API.v4]]),
)

export const ZONE = {
  ...MANY,
  'login.example': [API.v4],
  'api.example': [API.v4],
  'deep.wild.example': [API.v4],
  'six.wild.example': [API.v6],
  'git.example': [API.v4],
  'npm.example': [API.v4],
  // Declared by nobody, though it looks like it.
  'other.example': [OTHER.v4],
  'wild.example': [OTHER.v4],
  'evilapi.example': [OTHER.v4],
  'evilwild.example': [OTHER.v4],
  'api.example.other.example': [OTHER.v4],
  'db.team.svc.cluster.local': [DATABASE],
  'kubernetes.default.svc.cluster.local': [API_SERVER],
  // Declared, and led astray.
  'metadata.wild.example': [METADATA.v4],
  'metadata6.wild.example': [METADATA.v6],
  'alibaba.wild.example': [METADATA.alibaba],
  'azure.wild.example': [METADATA.azure],
  'private.wild.example': [PRIVATE.ten],
  'unique.wild.example': [PRIVATE.unique],
  'loopback.wild.example': ['127.0.0.1', '::1'],
  'nowhere.wild.example': ['0.0.0.0', '::'],
  'pod.wild.example': [...SERVER_ADDRESSES],
  'mapped.wild.example': [`::ffff:${METADATA.v4}`],
  'nat64.wild.example': ['64:ff9b::a9fe:a9fe'],
  'both.wild.example': [PRIVATE.ten, API.v4],
  'changing.wild.example': [[API.v4], [METADATA.v4]],
  'alias.team.svc.cluster.local': [API_SERVER],
  // What only a search list leads to.
  'lonely.example.team.svc.cluster.local': [SEARCHED],
  'lonely.example.svc.cluster.local': [SEARCHED],
  'lonely.example.cluster.local': [SEARCHED],
} as const
