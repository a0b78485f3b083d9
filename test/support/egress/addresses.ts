// Who has which address in the two-host arena. The far host has all of the internet's; nothing of it leaves the arena.

/** Of the pod: what its server's processes send from, and what its sidecar's do. */
export const SERVER_ADDRESSES = ['10.77.0.2', 'fd77::2'] as const
export const SIDECAR_ADDRESSES = ['10.77.0.3', 'fd77::3'] as const

export const RESOLVER = '10.96.0.10'

/** Declared, by name. */
export const API = { v4: '45.11.0.10', v6: '2a0f:5700::10' }
/** Declared by nobody, also in other spellings. */
export const OTHER = {
  v4: '45.11.0.66',
  v6: '2a0f:5700::66',
  nat64: '64:ff9b::2d0b:42',
  sixToFour: '2002:2d0b:42::1',
  compatible: '::45.11.0.66',
  mapped: '::ffff:45.11.0.66',
  linkLocal: 'fe80::1%eth0',
}
export const METADATA = {
  v4: '169.254.169.254',
  v6: 'fd00:ec2::254',
  alibaba: '100.100.100.200',
  azure: '168.63.129.16',
}
export const PRIVATE = { ten: '10.9.9.9', home: '192.168.77.7', unique: 'fd12:3456::9' }
/** As the environment has it, and its name. */
export const API_SERVER = '10.96.0.1'
/** Declared as a forward, by name. */
export const DATABASE = '10.96.0.54'
/** What a name of the search list would lead to. */
export const SEARCHED = '10.96.0.99'

/** What the far host answers to, but for its own on the wire. */
export const FAR_ADDRESSES = [
  RESOLVER,
  API.v4,
  API.v6,
  OTHER.v4,
  OTHER.v6,
  OTHER.nat64,
  OTHER.sixToFour,
  OTHER.compatible,
  ...Object.values(METADATA),
  ...Object.values(PRIVATE),
  API_SERVER,
  DATABASE,
  SEARCHED,
]
