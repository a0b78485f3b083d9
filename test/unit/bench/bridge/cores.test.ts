import { expect, test } from '@jest/globals'
import { ANY_CORE, coresIn, describeCores } from '../../../bench/bridge/cores.ts'

test.each([
  { list: '0', cores: [0] },
  { list: '0-3', cores: [0, 1, 2, 3] },
  { list: '2,5', cores: [2, 5] },
  { list: '0-1,8-9,15', cores: [0, 1, 8, 9, 15] },
])("the kernel's list $list names the cores $cores", ({ list, cores }) => {
  expect(coresIn(list)).toEqual(cores)
})

test.each([
  {
    name: 'with two cores',
    cores: { bridge: ['taskset', '4'], others: ['taskset', '5'] },
    said: 'bridges on core 4, callers and children on core 5',
  },
  {
    name: 'with one',
    cores: ANY_CORE,
    said: 'nobody has a core of their own (one core, or no taskset): the figures spread',
  },
])('the report says who ran where: $name', ({ cores, said }) => {
  expect(describeCores(cores)).toBe(said)
})
