// What the arena's resolver answers.

import { API, DATABASE, METADATA, OTHER, PRIVATE, SEARCHED, SERVER_ADDRESSES } from './addresses.ts'

export const ZONE = {
  'api.example': [API.v4, API.v6],
  'other.example': [OTHER.v4, OTHER.v6],
  'deep.wild.example': [API.v4],
  'db.team.svc.cluster.local': [DATABASE],
  // Declared, and led astray.
  'metadata.wild.example': [METADATA.v4],
  'metadata6.wild.example': [METADATA.v6],
  'private.wild.example': [PRIVATE.ten],
  'unique.wild.example': [PRIVATE.unique],
  'loopback.wild.example': ['127.0.0.1', '::1'],
  'nowhere.wild.example': ['0.0.0.0', '::'],
  'pod.wild.example': [...SERVER_ADDRESSES],
  'mapped.wild.example': [`::ffff:${METADATA.v4}`],
  'nat64.wild.example': ['64:ff9b::a9fe:a9fe'],
  'both.wild.example': [PRIVATE.ten, API.v4],
  'changing.wild.example': [[API.v4], [METADATA.v4]],
  // What only a search list leads to.
  'lonely.example.team.svc.cluster.local': [SEARCHED],
  'lonely.example.svc.cluster.local': [SEARCHED],
  'lonely.example.cluster.local': [SEARCHED],
} as const
