import { encode } from 'gpt-tokenizer/encoding/o200k_base'
import { expect, it } from 'vitest'
import { commandLineOf } from '../../../agent/mcp/tools/command-lines.ts'
import { readInput, toolNamed } from '../../../agent/mcp/tools/read-input.ts'
import { FILE_ACTS, INSTRUCTIONS, TASK_ACTS, TOOLS } from '../../../agent/mcp/tools/tools.ts'
import { fileUri, parseUri, taskUri } from '../../../agent/mcp/tools/uris.ts'
import { readArgs } from '../../../agent/verb-table/args.ts'
import { ClawError } from '../../../protocol/errors.ts'

const tokens = (value: unknown): number =>
  encode(typeof value === 'string' ? value : JSON.stringify(value)).length

it('[MCP-1] six tools take at most 650 tokens, and 130 when a host defers them', () => {
  expect(TOOLS.map(({ name }) => name)).toEqual(['prime', 'inbox', 'say', 'task', 'file', 'find'])
  expect(tokens({ tools: TOOLS })).toBeLessThanOrEqual(650)
  const names = TOOLS.map(({ name }) => `mcp__clawlink__${name}`).join('\n')
  expect(tokens(names) + tokens(INSTRUCTIONS)).toBeLessThanOrEqual(130)
})

const lineOf = (tool: string, args: Record<string, unknown>) =>
  commandLineOf(tool, Object.keys(args), readInput(toolNamed(TOOLS, tool), args))

/** A call of each act, with what it needs. */
const GIVEN: Record<string, Record<string, unknown>> = {
  delegate: { text: 'do it' },
  claim: {},
  list: {},
  edit: { key: 'a.md', find: 'x', replace: '' },
  put: { key: 'a.md', text: '-' },
  append: { key: 'a.md', text: '--lines' },
  mv: { key: 'a.md', to: 'b.md' },
  undo: { id: 't-1' },
  suggest: { key: 'a.md', find: 'x', replace: 'y' },
  suggestions: { id: 's-1' },
  accept: { id: 's-1' },
  reject: { id: 's-1', text: 'why' },
}

it('[MCP-2] each act of a tool is a command line that the CLI takes', () => {
  for (const act of TASK_ACTS) {
    const { argv } = lineOf('task', { do: act, ...(GIVEN[act] ?? { id: 't-1', ...text(act) }) })
    expect(readArgs(argv).verb, act).not.toBeNull()
  }
  for (const act of FILE_ACTS) {
    const { argv } = lineOf('file', { do: act, ...(GIVEN[act] ?? { key: 'a.md' }) })
    expect(readArgs(argv).verb, act).not.toBeNull()
  }
  expect(lineOf('say', { text: '-' })).toEqual({ argv: ['broadcast', '--content=-'], stdin: '-' })
  expect(lineOf('file', { do: 'edit', key: 'a', lines: '1-2', replace: 'x' })).toEqual({
    argv: ['file-edit', '--key=a', '--lines=1-2', '--with=-'],
    stdin: 'x',
  })
  expect(lineOf('task', { do: 'show', id: 't-1', wait: '5' }).argv).toEqual([
    ...['wait', '--task=t-1', '--timeout=5'],
  ])
})

const text = (act: string) =>
  ['approve', 'show', 'claim'].includes(act) ? {} : { text: 'some words' }

const refusal = (tool: string, args: unknown): ClawError => {
  try {
    const input = readInput(toolNamed(TOOLS, tool), args)
    commandLineOf(tool, Object.keys(args as object), input)
  } catch (error) {
    if (error instanceof ClawError) return error
  }
  throw new Error('it was accepted')
}

it('[MCP-2] an undo is of a task, of an undo or of an agent, as its id says', () => {
  const flagsOf = (id: string) => lineOf('file', { do: 'undo', id }).argv
  expect(flagsOf('t-1')).toEqual(['undo', '--task=t-1'])
  expect(flagsOf('u-1')).toEqual(['undo', '--id=u-1'])
  expect(flagsOf('Scout')).toEqual(['undo', '--agent=Scout'])
  expect(lineOf('file', { do: 'suggest', key: 'a.md', text: 'whole' })).toEqual({
    ...{ argv: ['file-suggest', '--key=a.md', '--file=-'], stdin: 'whole' },
  })
})

it('[MCP-3] what a tool does not take is refused with the nearest word', () => {
  expect(refusal('taks', {})).toMatchObject({ code: 'usage', hint: 'did you mean task?' })
  expect(refusal('task', { do: 'delgate', text: 'x' }).hint).toContain('did you mean delegate')
  expect(refusal('task', { do: 'zzzzzz' }).hint).toContain('one of: delegate')
  expect(refusal('say', { txt: 'x' }).hint).toBe('did you mean text?')
  expect(refusal('say', {}).message).toBe('say: text is missing')
  expect(refusal('task', { do: 'done', text: 'x' }).message).toBe('task done: id is missing')
  expect(refusal('task', { do: 'claim', text: 'x' }).message).toBe('task claim does not take text')
  expect(refusal('inbox', { wait: 'soon' }).message).toContain('not a whole number')
  expect(refusal('inbox', { wait: -1 }).message).toContain('not a whole number')
  expect(refusal('task', { do: 'delegate', text: 'x', caps: [1] }).message).toContain('a list')
  expect(refusal('task', { do: 'delegate', text: 'x', context: [] }).message).toContain('object')
  expect(refusal('say', { text: 7 }).message).toContain('not a text')
  expect(refusal('say', [] as unknown).message).toContain('not an object')
  expect(refusal('file', { do: 'get', key: 'a', __proto__x: 1 }).code).toBe('usage')
  expect(readInput(toolNamed(TOOLS, 'inbox'), { wait: 99_999 }).number('wait')).toBe(3_000)
  expect(readInput(toolNamed(TOOLS, 'inbox'), { wait: null }).has('wait')).toBe(false)
})

it('[MCP-9] a URI names one resource, and nothing else is one', () => {
  for (const key of ['notes/plan.md', 'a b/ü%.md', '..']) {
    expect(parseUri(fileUri(key))).toEqual({ kind: 'file', key })
  }
  expect(parseUri(taskUri('t-1'))).toEqual({ kind: 'task', id: 't-1' })
  expect(parseUri('clawlink://prime')).toEqual({ kind: 'prime' })
  for (const uri of ['', 'file:///etc/passwd', 'clawlink://task/', 'clawlink://file/%']) {
    expect(parseUri(uri), uri).toBeNull()
  }
})
