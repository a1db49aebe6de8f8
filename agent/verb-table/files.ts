import { types } from '../../lib/command-line/value-types.ts'
import { INTENT_SECONDS } from '../../protocol/limits.ts'
import { path } from '../../workspace/actions/inputs/field.ts'
import * as inputs from '../../workspace/actions/inputs/files.ts'
import { KEYED, type VerbSpec } from '../command/verb.ts'
import { flagOf, flagsOf, fromInput, operandsOf } from './from-input.ts'
import { SUGGESTIONS } from './suggestions.ts'

const KEY = flagOf(path)
const NO_FILE = { 3: 'no such file' } as const
const PAST = {
  at: {
    value: 'SPAN|TIME',
    type: types.name,
    what: 'as it was then: 2h ago, 2030-01-31T12:00:00Z',
  },
  checkpoint: { value: 'NAME', type: types.name, what: 'as it was at this checkpoint' },
} as const
const LINES = { value: 'A-B', type: types.name, what: 'lines A to B; the first is 1' }

/** The shared files. docs/files.md */
export const FILES: readonly VerbSpec[] = [
  {
    name: 'file-list',
    summary: 'list the shared files: key, version, last editor, size, who is editing',
    operands: ['prefix'],
    flags: {
      prefix: { value: 'PREFIX', type: types.name, what: 'only paths that begin with this' },
      changed: { what: 'only files that others changed since you read them' },
      limit: { type: types.count, what: 'at most this many', otherwise: 'about 2,000 characters' },
    },
    examples: ['file-list', 'file-list notes/ --changed'],
    load: async () => (await import('../verbs/files/file-list.ts')).fileList,
  },
  {
    name: 'file-get',
    summary: 'read a shared file: the base of your next file-put',
    operands: ['key'],
    flags: {
      key: KEY,
      prefix: {
        value: 'PREFIX',
        type: types.name,
        with: 'output',
        what: 'write all texts below this path into the folder of --output, without the prefix',
      },
      version: { type: types.count, what: 'this version', otherwise: 'the newest' },
      ...PAST,
      output: {
        type: types.file,
        what: 'write it to this local file',
        otherwise: 'stdout',
      },
      sha256: {
        value: 'S',
        type: types.name,
        what: 'the version with this hash, of a binary file',
      },
      lines: { ...LINES, what: 'only these lines; the first is 1' },
    },
    needs: [['key', 'prefix']],
    either: [
      ['key', 'prefix'],
      ['prefix', 'version'],
      ['prefix', 'at'],
      ['prefix', 'checkpoint'],
      ['version', 'at', 'checkpoint', 'sha256'],
      ['prefix', 'sha256'],
      ['prefix', 'lines'],
    ],
    examples: [
      'file-get --key notes/plan.md --output plan.md',
      'file-get --prefix notes --output ./notes',
      'file-get --key notes/plan.md --lines 10-40',
      'file-get --key notes/plan.md --at 2h',
    ],
    exits: { 3: 'no such file or version' },
    load: async () => (await import('../verbs/files/file-get.ts')).fileGet,
  },
  {
    name: 'file-put',
    summary: 'share a local file, or merge your edits into it',
    about:
      'Your changes since you last read it are merged with those of others. Lines that both changed are kept and reported. Binary files are stored as they are.',
    ...fromInput(inputs.putText, {
      without: ['content', 'base_version'],
      after: {
        content: {
          file: { type: types.fileOrStdin, what: 'the local file, or stdin' },
          binary: { what: 'store it as bytes, even if it looks like text' },
          // ClawLink 1.x's: the path and the content say what a file is.
          type: { value: 'T', type: types.name, what: 'has no effect', hidden: true },
        },
      },
      needs: [['file']],
      either: [['new', 'force']],
    }),
    operands: [...operandsOf(inputs.putText), 'file'],
    examples: ['file-put notes/plan.md plan.md', 'file-put --key img/logo.png --file logo.png'],
    exits: {
      3: 'no such local file',
      4: 'you have not read the file, it is of the other kind, or it exists (--new)',
    },
    load: async () => (await import('../verbs/files/file-put.ts')).filePut,
  },
  {
    name: 'file-edit',
    summary: 'replace a text, or lines you have read, in a shared file',
    operands: operandsOf(inputs.editText),
    flags: {
      ...flagsOf(inputs.editText, {
        but: { replace: { with: 'find', isPair: true }, all: { with: 'find' } },
      }),
      ...flagsOf(inputs.editLines, {
        without: ['from_line', 'to_line', 'base_version'],
        but: { with: { with: 'lines', isPair: true } },
        after: { to_line: { lines: LINES } },
      }),
      ...KEYED,
    },
    needs: [['key'], ['find', 'lines']],
    either: [['find', 'lines']],
    examples: [
      'file-edit notes/plan.md "by Friday" "by Monday"',
      'file-edit --key notes/plan.md --lines 3-4 --with "- ship it"',
    ],
    exits: { 3: 'no such file or text', 4: 'not read before, or binary' },
    load: async () => (await import('../verbs/files/file-edit.ts')).fileEdit,
  },
  {
    name: 'file-append',
    summary: 'add lines at the end of a shared file; creates it if missing',
    ...fromInput(inputs.append, { textOrFile: 'text' }),
    examples: [
      'file-append notes/log.md "12:40 the build is green"',
      'file-append --key notes/log.md --file today.md',
    ],
    exits: { 4: 'it is not text' },
    load: async () => (await import('../verbs/files/file-append.ts')).fileAppend,
  },
  {
    name: 'file-diff',
    summary:
      'show what changed in a shared file since you read it, or since a version (unified diff)',
    operands: ['key'],
    flags: {
      key: KEY,
      'since-read': { what: 'since you read it (the default)' },
      since: { value: 'VERSION', type: types.count, what: 'since this version' },
    },
    needs: [['key']],
    either: [['since-read', 'since']],
    examples: ['file-diff --key notes/plan.md', 'file-diff --key notes/plan.md --since 3'],
    exits: { 3: 'no such file or version', 4: 'you have not read it' },
    load: async () => (await import('../verbs/files/file-diff.ts')).fileDiff,
  },
  {
    name: 'file-mv',
    summary: 'rename a shared file; edits made meanwhile under the old name are kept',
    ...fromInput(inputs.move),
    examples: ['file-mv --key plan.md --to notes/plan.md'],
    exits: { ...NO_FILE, 4: 'a file of that name exists' },
    load: async () => (await import('../verbs/files/file-mv.ts')).fileMv,
  },
  {
    name: 'file-rm',
    summary: 'remove a shared file, unless others changed it since you read it',
    about: 'file-restore brings it back.',
    ...fromInput(inputs.remove, { without: ['base_version'] }),
    examples: ['file-rm --key notes/old.md', 'file-rm --key notes/old.md --force'],
    exits: { ...NO_FILE, 4: 'others changed it since you read it' },
    load: async () => (await import('../verbs/files/file-rm.ts')).fileRm,
  },
  {
    name: 'file-log',
    summary: 'list the versions of a shared file, newest first: who, when, how much',
    operands: ['key'],
    flags: {
      key: KEY,
      limit: {
        type: types.number(1, 500),
        what: 'at most this many, up to 500',
        otherwise: 'about 2,000 characters; 50 with --json',
      },
      before: { value: 'VERSION', type: types.count, what: 'only versions before this one' },
    },
    needs: [['key']],
    examples: [
      'file-log --key notes/plan.md',
      'file-log --key notes/plan.md --limit 10 --before 40',
    ],
    exits: NO_FILE,
    load: async () => (await import('../verbs/files/file-log.ts')).fileLog,
  },
  {
    name: 'file-blame',
    summary: 'show who wrote each line of a shared file, when and for which task',
    about:
      'The server tells it from what each agent’s credential sent, so nobody can write in another’s name. A task is shown where its owner wrote the text.',
    operands: ['key'],
    flags: {
      key: KEY,
      lines: { ...LINES, what: 'only these lines; the first is 1' },
      deleted: { what: 'what was deleted there, and by whom' },
    },
    needs: [['key']],
    examples: [
      'file-blame --key notes/plan.md',
      'file-blame --key notes/plan.md --lines 3-8 --deleted',
    ],
    exits: { 3: 'no such file', 4: 'it is not text' },
    load: async () => (await import('../verbs/files/file-blame.ts')).fileBlame,
  },
  {
    name: 'file-restore',
    summary: 'bring back a version as a new edit, or a removed file',
    operands: ['key'],
    flags: {
      key: KEY,
      version: {
        type: types.count,
        what: 'which version',
        otherwise: 'the newest of a removed file',
      },
      ...PAST,
      ...KEYED,
    },
    needs: [['key']],
    either: [['version', 'at', 'checkpoint']],
    examples: ['file-restore --key notes/plan.md --version 3', 'file-restore --key notes/old.md'],
    exits: { 3: 'no such file or version' },
    load: async () => (await import('../verbs/files/file-restore.ts')).fileRestore,
  },
  ...SUGGESTIONS,
  {
    name: 'file-intent',
    summary: 'tell others which lines you are about to change; locks nothing',
    operands: ['key'],
    flags: {
      key: KEY,
      lines: LINES,
      note: {
        with: 'lines',
        isPair: true,
        type: types.textOrStdin,
        what: 'what you are about to do',
      },
      ttl: {
        with: 'lines',
        type: types.seconds(0.001, 86_400),
        what: 'how long others are told',
        otherwise: String(INTENT_SECONDS),
      },
      clear: { what: 'withdraw it' },
    },
    needs: [['key'], ['lines', 'clear']],
    either: [['lines', 'clear']],
    examples: [
      'file-intent --key src/parse.ts --lines 10-80 --note "rewriting parse()"',
      'file-intent --key src/parse.ts --clear',
    ],
    exits: { ...NO_FILE },
    load: async () => (await import('../verbs/files/file-intent.ts')).fileIntent,
  },
  {
    name: 'mirror',
    summary: 'keep a local folder and the shared files in sync, both ways',
    about:
      'The folder holds the files without the prefix: notes/a.md is ./a.md with --prefix notes. The mirror keeps running after this command, and after restarts. .gitignore and .clawlinkignore are obeyed. Files that may hold credentials, or that programs run, are left out unless you name them.',
    operands: ['dir'],
    flags: {
      dir: { type: types.folder, what: 'the folder; it is made if missing' },
      prefix: {
        value: 'P',
        type: types.name,
        what: 'only shared files below this path',
        otherwise: 'all',
      },
      foreground: { what: 'only while this command runs; print what happens' },
      include: {
        value: 'PATH,…',
        type: types.list,
        what: 'mirror these paths too, such as .env, although they may hold credentials or be run',
      },
      'max-size': {
        type: types.size,
        what: 'the most that its files may take on disk',
        otherwise: '1g',
      },
      'accept-rules': {
        what: 'accept the ignore rules as they are now, also rules that others loosened',
      },
      'max-gone': {
        value: 'PERCENT',
        type: types.number(0, 100, { suffix: '%' }),
        what: 'if more of its files than this vanish at once, ask before removing them for everyone',
        otherwise: '50',
      },
      'confirm-deletions': { what: 'remove the vanished files for everyone' },
      restore: { what: 'write the vanished files again' },
      force: { what: 'allow a home folder, or one in which ClawLink keeps data' },
      flush: { what: 'wait until the server has all that is in the folder' },
      pause: { what: 'for drafts: send and fetch nothing until --publish' },
      publish: { what: 'end the pause, and wait until both sides agree' },
      stop: { what: 'stop mirroring; both sides stay as they are' },
      list: { what: 'list the mirrored folders, and whether they are in sync' },
    },
    needs: [['dir', 'list']],
    either: [
      ['dir', 'list'],
      [
        ...['accept-rules', 'confirm-deletions', 'restore', 'stop', 'flush', 'pause', 'publish'],
        ...['foreground', 'list'],
      ],
    ],
    examples: ['mirror ./notes --prefix notes', 'mirror ./notes --flush', 'mirror --list'],
    exits: { 3: 'no such folder', 4: 'it is mirrored already', 5: 'a home folder' },
    load: async () => (await import('../verbs/files/mirror.ts')).mirror,
  },
]
