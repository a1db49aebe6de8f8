import { describe, expect, it } from 'vitest'
import { parseTarget } from '../../client/http/target.ts'

describe('parseTarget', () => {
  it.each([
    ['http://host:1234', 'http://host:1234', null],
    ['https://host', 'https://host', null],
    ['ws://host:1234/', 'http://host:1234', null],
    ['wss://host/team/', 'https://host/team', null],
    ['host', 'http://host:9077', null],
    ['host:80', 'http://host', null],
    ['host:1234', 'http://host:1234', null],
    ['host/team', 'http://host:9077/team', null],
    ['[::1]:1234', 'http://[::1]:1234', null],
    [' http://host:1234\n', 'http://host:1234', null],
    ['https://host/team/#w=docs', 'https://host/team', 'docs'],
    ['host#w=docs&t=secret', 'http://host:9077', 'docs'],
    ['ws://host:1234/sync/docs', 'http://host:1234', 'docs'],
    ['ws://host:1234/team/sync', 'http://host:1234/team', null],
  ])('%s', (typed, base, workspace) => {
    const sync = `${base.replace('http', 'ws')}/sync`
    expect(parseTarget(typed)).toEqual({ base, sync, workspace })
  })

  it.each([
    '',
    'ftp://host',
    'ho st',
    'http://',
    'host:99999',
    'http://me:pw@host',
    'host?x=1',
    'host#w=No',
  ])('refuses %j', (typed) => {
    expect(() => parseTarget(typed)).toThrow(expect.objectContaining({ code: 'bad_url' }))
  })
})
