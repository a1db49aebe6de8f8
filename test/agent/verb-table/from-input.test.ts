import { join } from 'node:path'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { fromInput } from '../../../agent/verb-table/from-input.ts'
import { VERBS } from '../../../agent/verb-table/verbs.ts'
import { types } from '../../../lib/command-line/value-types.ts'
import type { Fields } from '../../../workspace/actions/inputs/field.ts'
import * as field from '../../../workspace/actions/inputs/field.ts'
import * as files from '../../../workspace/actions/inputs/files.ts'
import * as talk from '../../../workspace/actions/inputs/talk.ts'
import * as tasks from '../../../workspace/actions/inputs/tasks.ts'
import * as team from '../../../workspace/actions/inputs/team.ts'
import { root } from '../../support/server.ts'

describe('fromInput', () => {
  it('makes a flag of each field: its name, type, range, word, default and text', () => {
    const { flags } = fromInput({
      reply_to: field.about(field.message, 'what it answers'),
      text: field.about(field.words, 'the text'),
      level: field.about(field.withDefault(field.choice(['low', 'high']), 'low'), 'how loud'),
      tries: field.about(field.optional(field.number(1, 9)), 'how often'),
      now: field.about(field.yes, 'at once'),
      at: field.about(field.optional(field.moment), 'until when'),
    })
    const { 'idempotency-key': key, ...own } = flags
    expect(key).toBeDefined()
    expect(own).toEqual({
      'reply-to': { value: 'ID', type: types.name, what: 'what it answers' },
      text: { type: types.textOrStdin, what: 'the text' },
      level: { type: types.oneOf(['low', 'high']), what: 'how loud', otherwise: 'low' },
      tries: { type: types.number(1, 9), what: 'how often' },
      now: { what: 'at once' },
      at: { value: 'SPAN|TIME', type: types.name, what: 'until when: 30m, 2h, 2030-01-31' },
    })
  })

  it('needs the fields that are neither optional nor have a default; --file can stand for a text', () => {
    const fields = { to: field.agent, text: field.words, topic: field.optional(field.topic) }
    const { flags, needs, either } = fromInput(fields, { textOrFile: 'text' })
    expect(needs).toEqual([['to'], ['text', 'file']])
    expect(either).toEqual([['text', 'file']])
    expect(Object.keys(flags)).toEqual(['to', 'text', 'file', 'topic', 'idempotency-key'])
  })

  it('leaves out, changes and adds the flags that are the command line’s own', () => {
    const fields = { key: field.path, with: field.words, version: field.number(1, 9) }
    const { flags, needs } = fromInput(fields, {
      without: ['version'],
      but: { with: { with: 'lines' } },
      after: { version: { lines: { what: 'which' } } },
      needs: [['lines']],
    })
    expect(Object.keys(flags)).toEqual(['key', 'with', 'lines', 'idempotency-key'])
    expect(flags.with).toMatchObject({ with: 'lines', type: types.textOrStdin })
    expect(needs).toEqual([['lines'], ['key'], ['with']])
  })
})

describe('the verbs of actions', () => {
  const INPUTS: [verb: string, ...fields: Fields[]][] = [
    ['note', tasks.note],
    ['delegate', tasks.delegate],
    ['send', talk.send],
    ['broadcast', talk.broadcast],
    ['register', team.register],
    ['pause', team.pause],
    ['resume', team.resume],
    ['file-put', files.putText, files.shareBytes],
    ['file-edit', files.editText, files.editLines],
    ['file-append', files.append],
    ['file-mv', files.move],
    ['file-rm', files.remove],
  ]
  /** Fields that no flag gives: the verb finds them in the replica, in a local file or in `--lines`. */
  const WITHOUT = [
    ...['base_version', 'base_sha256', 'sha256', 'size', 'from_line', 'to_line'],
    ...['file-put content', 'resume note', 'register kind'],
  ]

  it.each(INPUTS)('%s explains every field of its action in the words of the action', (...one) => {
    const [verb, ...inputs] = one
    const { flags } = VERBS.find(({ name }) => name === verb)!
    for (const [name, { what }] of inputs.flatMap((input) => Object.entries(input))) {
      if (WITHOUT.includes(name) || WITHOUT.includes(`${verb} ${name}`)) continue
      const flag =
        { if_absent: 'new', requires: 'caps', capabilities: 'caps' }[name] ??
        name.replaceAll('_', '-')
      expect(what, name).toMatch(/./)
      expect(flags[flag]?.what, `${verb} --${flag}`).toContain(what)
    }
  })
})

it('the table of verbs loads nothing of Yjs, of the disk or of HTTP', async () => {
  const { metafile } = await build({
    entryPoints: [join(root, 'agent/verb-table/args.ts')],
    ...{ absWorkingDir: root, bundle: true, write: false, metafile: true, platform: 'node' },
    packages: 'external',
    plugins: [
      {
        name: 'verbs-outside',
        setup: ({ onResolve }) =>
          onResolve({ filter: /.*/ }, ({ kind, path }) =>
            kind === 'dynamic-import' ? { path, external: true } : undefined,
          ),
      },
    ],
    format: 'esm',
  })
  const [output] = Object.values(metafile.outputs)
  const loaded = Object.entries(output!.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  for (const [file] of loaded) {
    expect(file).toMatch(
      /^(protocol|lib\/(text|command-line)|workspace\/(actions\/inputs|document|messages|tasks)|agent\/(command|verb-table))\/|^agent\/(hosts|waking)\/names\.ts$/,
    )
  }
  const outside = output!.imports.filter(({ kind }) => kind !== 'dynamic-import')
  expect(outside).toEqual([])
})
