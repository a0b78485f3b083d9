// How far an address is, in every spelling.

import { describe, expect, test } from '@jest/globals'
import { mayAsk, reachOf, type Reach } from '../../../../sidecar/identity/addresses.ts'

test.each<[string, Reach | undefined]>([
  ['8.8.8.8', 'public'],
  ['2606:4700::1111', 'public'],
  ['2001:4860:4860::8888', 'public'],
  ['10.0.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['172.32.0.0', 'public'],
  ['192.168.1.1', 'private'],
  ['100.64.0.1', 'private'],
  ['240.0.0.1', 'private'],
  ['64:ff9b::808:808', 'public'],
  ['fd12:3456::1', 'private'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['::1', 'loopback'],
])('%s is %s', (address, reach) => {
  expect(reachOf(address)).toBe(reach)
})

test.each([
  ['no host', '0.0.0.0'],
  ['the link', '169.254.0.1'],
  ['metadata of AWS, Google Cloud and Azure', '169.254.169.254'],
  ['metadata of Alibaba Cloud', '100.100.100.200'],
  ["Azure's own", '168.63.129.16'],
  ['metadata of Oracle Cloud', '192.0.0.192'],
  ['what documents show', '192.0.2.1'],
  ['multicast', '224.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['no IPv6 host', '::'],
  ['IPv4 in IPv6', '::ffff:8.8.8.8'],
  ['loopback in IPv6', '::ffff:127.0.0.1'],
  ['metadata in IPv6', '::ffff:a9fe:a9fe'],
  ['IPv4 in IPv6, the old way', '::127.0.0.1'],
  ['NAT64', '64:ff9b::a9fe:a9fe'],
  ['NAT64 of a site', '64:ff9b:1::1'],
  ['6to4', '2002:a9fe:a9fe::1'],
  ['Teredo', '2001::1'],
  ['the link in IPv6', 'fe80::1'],
  ['a link by name', 'fe80::1%eth0'],
  ['an old site', 'fec0::1'],
  ['multicast in IPv6', 'ff02::1'],
  ['what nobody has been given', '4000::1'],
  ['metadata of AWS in IPv6', 'fd00:ec2::254'],
  ["EKS' credentials in IPv6", 'fd00:ec2::23'],
  ['metadata of Google Cloud in IPv6', 'fd20:ce::254'],
  ['a name', 'localhost'],
  ['another spelling', '0x7f.1'],
  ['nothing', ''],
])('%s is never asked', (_name, address) => {
  expect(reachOf(address)).toBeUndefined()
  expect(mayAsk('loopback', address)).toBe(false)
})

describe('who may go far may go less far', () => {
  test.each<[Reach, readonly boolean[]]>([
    ['public', [true, false, false]],
    ['private', [true, true, false]],
    ['loopback', [true, true, true]],
  ])('%s', (allowed, expected) => {
    expect(['8.8.8.8', '10.0.0.1', '127.0.0.1'].map((one) => mayAsk(allowed, one))).toEqual(
      expected,
    )
  })
})
