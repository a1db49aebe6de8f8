import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MAX_MESSAGE_BYTES, MAX_NOTE_BYTES } from '../../../protocol/limits.ts'
import { COMMON_ERRORS } from '../../../workspace/actions/action.ts'
import { startHere } from '../in-process.ts'
import type { ServerAt } from '../server.ts'
import type { Data, Face, Input, TestActor } from './actors.ts'
import { allActions } from './all-actions.ts'

/** What an action has to do, whoever the actor is. */
interface Contract {
  /** What has to be there before. */
  before?: (world: World) => Promise<void>
  input: (world: World) => Input
  /** Its result, as far as it is the same for all actors. */
  result: (world: World) => Data
  /** Inputs that it refuses, each with the code of its error: one that the action declares. */
  refuses: (world: World) => [Input, code: string][]
  /** Nothing but its task tells its commands apart: a key counts per task. */
  isOfTask?: true
}

interface World {
  me: TestActor
  peer: TestActor
  /** A task from me to my peer. */
  task: string
  /** The task that a contract is about. */
  job: string
  /** The version of a file that I have read last. */
  version: number
  /** The suggestion that a contract is about. */
  suggestion: string
}

const put = (who: TestActor, key: string, content: string) =>
  who.run('putText', { key, content, force: true })

/** I have a file in my hands. */
const having = (key: string, content: string) => async (world: World) => {
  await put(world.peer, key, content)
  world.version = await world.me.read(key)
}

/** My peer suggests a change of a file that I made. */
const suggested = (key: string) => async (world: World) => {
  await having(key, 'one\ntwo\n')(world)
  const { data } = await world.peer.run('suggest', { key, find: 'two', replace: 'zwei' })
  world.suggestion = data!.suggestion.suggestion_id
}

/** One delegates a task to the other. */
const delegated =
  (from: 'me' | 'peer', more: Input = {}) =>
  async (world: World) => {
    const to = from === 'me' ? 'Peer' : 'Me'
    const { data } = await world[from].run('delegate', { to, task: 'a job', ...more })
    world.job = data!.task.task_id
  }
/** I delegate one, to which my peer responds. */
const responded =
  (state: string, more: Input = {}) =>
  async (world: World) => {
    await delegated('me', more)(world)
    await world.peer.run('respond', { task: world.job, to: 'Me', state, message: 'so' })
  }
const NO_TASK = 't-000000000000'

/** Longer than a message may be. */
const LONG = 'x'.repeat(MAX_MESSAGE_BYTES + 1)
const longAgo = '2001-01-01T00:00:00Z'

/** By the names of the actions, as they are exported. */
export const CONTRACTS: Readonly<Record<string, Contract>> = {
  register: {
    input: () => ({ name: 'Me', capabilities: ['a', 'b'], description: 'tests' }),
    result: () => ({ agent: { name: 'Me', capabilities: ['a', 'b'], description: 'tests' } }),
    refuses: () => [
      [{ name: 'server' }, 'name_taken'],
      [{ name: 'x'.repeat(65) }, 'bad_name'],
    ],
  },
  delegate: {
    input: () => ({ to: 'Peer', task: 'do it', priority: 'high', context: { a: 1 } }),
    result: () => ({
      task: { task: 'do it', priority: 'high', context: { a: 1 }, status: 'submitted' },
    }),
    refuses: () => [
      [{ to: 'Nobody', task: 'x' }, 'unknown_agent'],
      [{ requires: ['magic'], task: 'x' }, 'no_candidate'],
      [{ to: 'Peer', task: LONG }, 'too_large'],
      [{ to: 'Peer', task: 'x', deadline: longAgo }, 'usage'],
      [{ to: 'Peer', task: 'x', approve_by: 'Peer' }, 'usage'],
      [{ to: 'Peer', task: 'x', after: ['t-000000000000'] }, 'unknown_task'],
      [{ to: 'Peer', task: 'x', ref: 't-000000000000' }, 'unknown_task'],
      [{ to: 'Peer', task: 'x', max_attempts: 100 }, 'usage'],
    ],
  },
  broadcast: {
    input: () => ({ content: 'hello', topic: 't', tags: ['x'] }),
    result: () => ({ recipients: 1, message: { content: 'hello', topic: 't', tags: ['x'] } }),
    refuses: () => [
      [{ content: LONG }, 'too_large'],
      [{ content: 'x', topic: 'a\u0007b' }, 'bad_name'],
    ],
  },
  send: {
    input: () => ({ to: 'Peer', content: 'psst' }),
    result: () => ({ message: { content: 'psst', type: 'direct_message', topic: 'general' } }),
    refuses: () => [
      [{ to: 'Nobody', content: 'x' }, 'unknown_agent'],
      [{ to: 'Peer', content: LONG }, 'too_large'],
    ],
  },
  note: {
    input: ({ task }) => ({ task, text: 'half of it' }),
    result: ({ task }) => ({ task: { task_id: task, notes: [{ text: 'half of it' }] } }),
    refuses: ({ task }) => [
      [{ task: 't-000000000000', text: 'x' }, 'unknown_task'],
      [{ task, text: LONG }, 'too_large'],
    ],
  },
  claim: {
    before: delegated('peer'),
    input: ({ job: task }) => ({ task }),
    result: ({ job }) => ({ task: { task_id: job, status: 'working', token: 1 } }),
    refuses: ({ task }) => [
      [{ task: NO_TASK }, 'unknown_task'],
      [{ task }, 'not_allowed'],
    ],
    isOfTask: true,
  },
  release: {
    before: async (world) => {
      await delegated('peer')(world)
      await world.me.run('claim', { task: world.job })
    },
    input: ({ job: task }) => ({ task, message: 'no time' }),
    result: ({ job }) => ({ task: { task_id: job, status: 'submitted', message: 'no time' } }),
    refuses: ({ task }) => [
      [{ task: NO_TASK }, 'unknown_task'],
      [{ task }, 'task_state'],
    ],
  },
  decline: {
    before: delegated('peer'),
    input: ({ job: task }) => ({ task, message: 'no time' }),
    result: ({ job }) => ({ task: { task_id: job, status: 'rejected', message: 'no time' } }),
    refuses: () => [[{ task: NO_TASK, message: 'x' }, 'unknown_task']],
  },
  approve: {
    before: responded('completed', { approve_by: 'Me' }),
    input: ({ job: task }) => ({ task }),
    result: ({ job }) => ({ task: { task_id: job, status: 'completed', message: 'so' } }),
    refuses: ({ task }) => [
      [{ task: NO_TASK }, 'unknown_task'],
      [{ task }, 'not_allowed'],
    ],
    isOfTask: true,
  },
  cancel: {
    before: delegated('me'),
    input: ({ job: task }) => ({ task, message: 'done by hand', force: true }),
    result: ({ job }) => ({ task: { task_id: job, status: 'canceled', message: 'done by hand' } }),
    refuses: () => [[{ task: NO_TASK }, 'unknown_task']],
  },
  answer: {
    before: responded('input-required'),
    input: ({ job: task }) => ({ task, text: 'the main branch' }),
    result: ({ job }) => ({
      task: { task_id: job, status: 'working', message: 'the main branch' },
    }),
    refuses: ({ job }) => [
      [{ task: NO_TASK, text: 'x' }, 'unknown_task'],
      [{ task: job, text: ' ' }, 'usage'],
    ],
  },
  respond: {
    before: delegated('peer'),
    input: ({ job: task }) => ({
      ...{ task, to: 'Peer', state: 'completed', message: 'done', result: { json: { a: 1 } } },
    }),
    result: ({ job }) => ({
      task: { task_id: job, status: 'completed', message: 'done', result_json: { a: 1 } },
    }),
    refuses: ({ job: task }) => [
      [{ task: NO_TASK, to: 'Peer', state: 'failed', message: 'x' }, 'unknown_task'],
      [{ task, to: 'Peer', state: 'sideways', message: 'x' }, 'bad_status'],
      [{ task, to: 'Nobody', state: 'failed', message: 'x' }, 'unknown_agent'],
    ],
  },
  pause: {
    input: () => ({ name: 'Peer', note: 'lunch' }),
    result: () => ({ agent: { name: 'Peer', paused: { note: 'lunch' } } }),
    refuses: () => [
      [{ name: 'Nobody' }, 'unknown_agent'],
      [{ name: 'Peer', note: 'é'.repeat(MAX_NOTE_BYTES - 1) }, 'too_large'],
    ],
  },
  resume: {
    before: async ({ me }) => void (await me.run('pause', { name: 'Peer' })),
    input: () => ({ name: 'Peer' }),
    result: () => ({ agent: { name: 'Peer' } }),
    refuses: () => [[{ name: 'Nobody' }, 'unknown_agent']],
  },
  putText: {
    before: ({ peer }) => put(peer, 'there.md', 'x').then(() => {}),
    input: () => ({ key: 'new.md', content: 'one\n', if_absent: true }),
    result: () => ({ file: { file_key: 'new.md', version: 1 }, created: true, conflicts: [] }),
    refuses: () => [
      [{ key: 'there.md', content: 'y' }, 'no_base'],
      [{ key: 'there.md', content: 'y', if_absent: true }, 'file_exists'],
      [{ key: '../x', content: 'y' }, 'bad_path'],
    ],
  },
  editText: {
    before: having('edit.md', 'one\ntwo\n'),
    input: () => ({ key: 'edit.md', find: 'two', replace: 'zwei' }),
    result: () => ({ file: { file_key: 'edit.md' }, changed: true, created: false }),
    refuses: () => [
      [{ key: 'none.md', find: 'x', replace: 'y' }, 'unknown_file'],
      [{ key: 'edit.md', find: 'drei', replace: 'y' }, 'no_match'],
      [{ key: 'edit.md', find: 'o', replace: 'y' }, 'ambiguous'],
    ],
  },
  editLines: {
    before: having('lines.md', 'one\ntwo\n'),
    input: ({ version: base_version }) => ({
      ...{ key: 'lines.md', from_line: 2, to_line: 2, with: 'zwei', base_version },
    }),
    result: () => ({ changed: true, lines: [{ from_line: 2, to_line: 2 }] }),
    refuses: ({ version: base_version }) => [
      [{ key: 'none.md', from_line: 1, to_line: 1, with: 'x', base_version: 1 }, 'unknown_file'],
      [{ key: 'lines.md', from_line: 9, to_line: 9, with: 'x', base_version }, 'usage'],
    ],
  },
  append: {
    before: async ({ peer }) =>
      void (await peer.run('shareBytes', { key: 'bytes.png', bytes: '\u0000png' })),
    input: () => ({ key: 'log.md', text: 'a line' }),
    result: () => ({ file: { file_key: 'log.md', size: 7 }, created: true }),
    refuses: () => [
      [{ key: 'a//b', text: 'x' }, 'bad_path'],
      [{ key: 'bytes.png', text: 'x' }, 'not_text'],
    ],
  },
  move: {
    before: async (world) => {
      await put(world.peer, 'taken.md', 'x')
      await having('old.md', 'x')(world)
    },
    input: () => ({ key: 'old.md', to: 'dir/moved.md' }),
    result: () => ({ file: { file_key: 'dir/moved.md' }, moved_from: 'old.md' }),
    refuses: () => [
      [{ key: 'none.md', to: 'x.md' }, 'unknown_file'],
      [{ key: 'old.md', to: 'taken.md' }, 'file_exists'],
      [{ key: 'old.md', to: '../x' }, 'bad_path'],
    ],
  },
  remove: {
    before: async (world) => {
      await having('stale.md', 'x')(world)
      await put(world.peer, 'stale.md', 'y')
      await having('gone.md', 'x')(world)
    },
    input: ({ version: base_version }) => ({ key: 'gone.md', base_version }),
    result: () => ({ removed: 'gone.md' }),
    refuses: () => [
      [{ key: 'none.md' }, 'unknown_file'],
      [{ key: 'stale.md', base_version: 1 }, 'stale'],
    ],
  },
  shareBytes: {
    before: ({ peer }) => put(peer, 'text.md', 'x').then(() => {}),
    input: () => ({ key: 'logo.png', bytes: '\u0000png' }),
    result: () => ({ file: { file_key: 'logo.png', version: 1, size: 4 }, created: true }),
    refuses: () => [
      [{ key: 'text.md', bytes: '\u0000x' }, 'is_text'],
      [{ key: 'text.md', bytes: '\u0000x', if_absent: true }, 'file_exists'],
    ],
  },
  suggest: {
    before: having('suggest.md', 'one\ntwo\n'),
    input: () => ({ key: 'suggest.md', find: 'two', replace: 'zwei', note: 'German' }),
    result: () => ({
      suggestion: {
        ...{ file_key: 'suggest.md', note: 'German', state: 'open', hunks: 1, waiting: 1 },
        changes: [{ hunk: 1, state: 'applies', line: 2, old: 'two\n', new: 'zwei\n' }],
      },
    }),
    refuses: () => [
      [{ key: 'none.md', find: 'x', replace: 'y' }, 'unknown_file'],
      [{ key: 'suggest.md', find: 'drei', replace: 'y' }, 'no_match'],
      [{ key: 'suggest.md', find: 'one', replace: 'y', approve_by: 'Me' }, 'usage'],
      [{ key: 'suggest.md', find: 'one', replace: 'y', task: NO_TASK }, 'unknown_task'],
    ],
  },
  acceptSuggestion: {
    before: suggested('accept.md'),
    input: ({ suggestion }) => ({ suggestion, hunks: [1] }),
    result: () => ({
      suggestion: { file_key: 'accept.md', state: 'accepted', waiting: 0 },
      ...{ accepted: [1], file: { file_key: 'accept.md' } },
    }),
    refuses: ({ suggestion }) => [
      [{ suggestion: 's-999999' }, 'unknown_suggestion'],
      [{ suggestion, hunks: [2] }, 'usage'],
    ],
    isOfTask: true,
  },
  rejectSuggestion: {
    before: suggested('reject.md'),
    input: ({ suggestion }) => ({ suggestion, reason: 'it is fine' }),
    result: () => ({ suggestion: { file_key: 'reject.md', state: 'rejected', waiting: 0 } }),
    refuses: ({ suggestion }) => [
      [{ suggestion: 's-999999', reason: 'x' }, 'unknown_suggestion'],
      [{ suggestion }, 'usage'],
    ],
    isOfTask: true,
  },
}

/** Runs every action as agents of one kind. */
export const actorSuite = (face: Face): void => {
  describe(face.name, () => {
    let server: ServerAt
    const world = { version: 1 } as World
    beforeAll(async () => {
      server = await startHere()
      world.me = await face.actor(server, 'a-me')
      world.peer = await face.actor(server, 'a-peer')
      await world.me.run('register', { name: 'Me', capabilities: ['a'] })
      await world.peer.run('register', { name: 'Peer', capabilities: ['a'] })
      const { data } = await world.me.run('delegate', { to: 'Peer', task: 'first' })
      world.task = data!.task.task_id
    })
    afterAll(() => server.stop())

    it.each(Object.entries(CONTRACTS))('%s', async (name, contract) => {
      const { before, input, result, refuses, isOfTask } = contract
      const { me } = world
      await before?.(world)
      const declared = [...COMMON_ERRORS, ...(await allActions()).get(name)!.errors]
      for (const [wrong, code] of refuses(world)) {
        expect(declared).toContain(code)
        expect(await me.run(name, wrong), JSON.stringify(wrong)).toEqual({ code })
      }
      const given = input(world)
      const { data, code } = await me.run(name, given, `key-${name}`)
      expect(code).toBeUndefined()
      expect(data).toMatchObject(result(world))
      // A repeat does nothing and gets the first answer, though what it needs has gone meanwhile.
      const again = await me.run(name, given, `key-${name}`)
      expect(again.code).toBeUndefined()
      expect(stable(again.data!)).toEqual(stable(data!))
      if (isOfTask) return
      const other = { ...given, ...otherOf(given) }
      expect(await me.run(name, other, `key-${name}`)).toEqual({ code: 'key_reused' })
    })

    it('an agent that is not registered may do none of them', async () => {
      const stranger = await face.actor(server, 'a-stranger')
      for (const [name, { input }] of Object.entries(CONTRACTS)) {
        if (name === 'register') continue
        expect(await stranger.run(name, input(world)), name).toEqual({ code: 'not_registered' })
      }
    })

    it('a credential that only reads may do none of them', async () => {
      await world.me.demote()
      for (const [name, { input }] of Object.entries(CONTRACTS)) {
        expect(await world.me.run(name, input(world)), name).toEqual({ code: 'not_allowed' })
      }
    })
  })
}

/** Without what tells the time of an answer. */
const stable = ({ agent: _, durable: __, ...data }: Data): Data => data

/** A field with another value. */
const otherOf = (input: Input): Input => {
  for (const field of [
    'text',
    'message',
    'content',
    'with',
    'replace',
    'note',
    'description',
    'to',
    'bytes',
  ]) {
    if (typeof input[field] !== 'string') continue
    return { [field]: field === 'to' ? 'other.md' : `${input[field]}!` }
  }
  return 'key' in input ? { key: 'other.md' } : { name: 'Me' }
}
