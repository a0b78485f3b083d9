// What somebody may do in a namespace: a Role of one rule, and the binding that gives it to one subject.

import type { Json } from './api.ts'

const API_GROUP = 'rbac.authorization.k8s.io'

export const roleFor = (name: string, rule: Json, subject: Json): readonly Json[] => [
  { apiVersion: `${API_GROUP}/v1`, kind: 'Role', metadata: { name }, rules: [rule] },
  {
    apiVersion: `${API_GROUP}/v1`,
    kind: 'RoleBinding',
    metadata: { name },
    roleRef: { apiGroup: API_GROUP, kind: 'Role', name },
    subjects: [subject],
  },
]

/** Of those who look at pods and at nothing else. */
export const LISTS_PODS: Json = { apiGroups: [''], resources: ['pods'], verbs: ['list'] }
