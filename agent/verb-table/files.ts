import { FILE_KEY, FROM_FILE, KEYED, type VerbSpec } from './verb.ts'

const NO_FILE = { 3: 'no such file' } as const
const LINES = { value: 'A-B', what: 'lines A to B, from 1 on' }

/** The shared files. docs/files.md */
export const FILES: readonly VerbSpec[] = [
  {
    name: 'file-list',
    summary: 'the shared files: key, version, last editor, size, and who is in them',
    usage: '[PREFIX] [--changed]',
    operands: ['prefix'],
    flags: {
      prefix: { value: 'PREFIX', what: 'those whose path begins like this' },
      changed: { what: 'those that others changed since you read them' },
    },
    examples: ['file-list', 'file-list notes/ --changed'],
    load: async () => (await import('../verbs/file-list.ts')).fileList,
  },
  {
    name: 'file-get',
    summary: 'read a shared file; what you read is the base of your next file-put',
    usage: '--key K [--version N] [--output PATH [--sha256 S] | --lines A-B]',
    flags: {
      key: FILE_KEY,
      version: { value: 'N', what: 'as it was in this version', otherwise: 'the newest' },
      output: { value: 'PATH', what: 'write it to this local file', otherwise: 'stdout' },
      sha256: { value: 'S', what: 'of a file that is not text, the version with these bytes' },
      lines: { ...LINES, what: 'these lines only, from 1 on' },
    },
    needs: [['key']],
    examples: [
      'file-get --key notes/plan.md --output plan.md',
      'file-get --key notes/plan.md --lines 10-40',
    ],
    exits: { 3: 'no such file or version' },
    load: async () => (await import('../verbs/file-get.ts')).fileGet,
  },
  {
    name: 'file-put',
    summary: 'share a file, or merge your edits into it; what is not text is kept as it is',
    usage: '--key K --file PATH|- [--binary] [--force] [--idempotency-key K]',
    about:
      'What you changed since you last read it is merged with what others changed. Lines that both changed are kept and reported.',
    flags: {
      key: FILE_KEY,
      file: { value: 'PATH|-', what: 'the local file, or stdin' },
      binary: { what: 'it is not text, whatever it looks like' },
      force: { what: 'over what you have not read, or what is of the other kind' },
      ...KEYED,
    },
    needs: [['key'], ['file']],
    examples: [
      'file-put --key notes/plan.md --file plan.md',
      'file-put --key img/logo.png --file logo.png',
    ],
    exits: {
      3: 'no such local file',
      4: 'you have not read what is there, or it is of the other kind',
    },
    load: async () => (await import('../verbs/file-put.ts')).filePut,
  },
  {
    name: 'file-edit',
    summary: 'replace a text in a shared file, or lines as you have read them',
    usage:
      '--key K (--find S|- --replace R|- [--all] | --lines A-B --with T|-) [--idempotency-key K]',
    flags: {
      key: FILE_KEY,
      find: { value: 'S|-', what: 'this text, which must be there once' },
      replace: { value: 'R|-', what: 'becomes this one; an empty one removes it' },
      all: { what: 'wherever it is' },
      lines: LINES,
      with: { value: 'T|-', what: 'become this text' },
      ...KEYED,
    },
    needs: [['key'], ['find', 'lines']],
    examples: [
      'file-edit --key notes/plan.md --find "by Friday" --replace "by Monday"',
      'file-edit --key notes/plan.md --lines 3-4 --with "- ship it"',
    ],
    exits: { 3: 'no such file or text', 4: 'not read before, or no text' },
    load: async () => (await import('../verbs/file-edit.ts')).fileEdit,
  },
  {
    name: 'file-append',
    summary: 'add lines at the end of a shared file, made if there is none',
    usage: '--key K TEXT|--text T|-|--file PATH [--idempotency-key K]',
    operands: ['text'],
    flags: {
      key: FILE_KEY,
      text: { value: 'T|-', what: 'the lines' },
      ...FROM_FILE,
      ...KEYED,
    },
    needs: [['key'], ['text', 'file']],
    examples: [
      'file-append --key notes/log.md "12:40 the build is green"',
      'file-append --key notes/log.md --file today.md',
    ],
    exits: { 4: 'it is not text' },
    load: async () => (await import('../verbs/file-append.ts')).fileAppend,
  },
  {
    name: 'file-diff',
    summary:
      'what changed in a shared file since you read it, or since a version, as a unified diff',
    usage: '--key K [--since-read | --since VERSION]',
    flags: {
      key: FILE_KEY,
      'since-read': { what: 'since you read it, which is also what holds without a flag' },
      since: { value: 'VERSION', what: 'since this version' },
    },
    needs: [['key']],
    examples: ['file-diff --key notes/plan.md', 'file-diff --key notes/plan.md --since 3'],
    exits: { 3: 'no such file or version', 4: 'you have not read it' },
    load: async () => (await import('../verbs/file-diff.ts')).fileDiff,
  },
  {
    name: 'file-mv',
    summary: 'rename a shared file; edits under way to the old name are kept',
    usage: '--key K --to NEW [--force] [--idempotency-key K]',
    flags: {
      key: FILE_KEY,
      to: { value: 'NEW', what: 'its new path' },
      force: { what: 'over a file that is there' },
      ...KEYED,
    },
    needs: [['key'], ['to']],
    examples: ['file-mv --key plan.md --to notes/plan.md'],
    exits: { ...NO_FILE, 4: 'a file of that name is there' },
    load: async () => (await import('../verbs/file-mv.ts')).fileMv,
  },
  {
    name: 'file-rm',
    summary: 'remove a shared file; refused if others changed it since you read it',
    usage: '--key K [--force] [--idempotency-key K]',
    about: 'file-restore brings it back.',
    flags: { key: FILE_KEY, force: { what: 'whatever others changed' }, ...KEYED },
    needs: [['key']],
    examples: ['file-rm --key notes/old.md', 'file-rm --key notes/old.md --force'],
    exits: { ...NO_FILE, 4: 'others changed it since you read it' },
    load: async () => (await import('../verbs/file-rm.ts')).fileRm,
  },
  {
    name: 'file-log',
    summary: 'the versions of a shared file, newest first: who, when, how much',
    usage: '--key K [--limit N] [--before VERSION]',
    flags: {
      key: FILE_KEY,
      limit: { value: 'N', what: 'at most so many, up to 500', otherwise: '50' },
      before: { value: 'VERSION', what: 'those before this one' },
    },
    needs: [['key']],
    examples: [
      'file-log --key notes/plan.md',
      'file-log --key notes/plan.md --limit 10 --before 40',
    ],
    exits: NO_FILE,
    load: async () => (await import('../verbs/file-log.ts')).fileLog,
  },
  {
    name: 'file-restore',
    summary: 'bring a version back, as a new edit; of a removed file the newest',
    usage: '--key K [--version N] [--idempotency-key K]',
    flags: {
      key: FILE_KEY,
      version: { value: 'N', what: 'which one', otherwise: 'the newest of a removed file' },
      ...KEYED,
    },
    needs: [['key']],
    examples: ['file-restore --key notes/plan.md --version 3', 'file-restore --key notes/old.md'],
    exits: { 3: 'no such file or version' },
    load: async () => (await import('../verbs/file-restore.ts')).fileRestore,
  },
  {
    name: 'file-intent',
    summary: 'tell others which lines you are about to change; nothing is locked',
    usage: '--key K (--lines A-B --note T [--ttl SECONDS] | --clear)',
    flags: {
      key: FILE_KEY,
      lines: LINES,
      note: { value: 'T|-', what: 'what you are about to do with them' },
      ttl: { value: 'SECONDS', what: 'how long others are told of it', otherwise: '600' },
      clear: { what: 'no longer' },
    },
    needs: [['key']],
    examples: [
      'file-intent --key src/parse.ts --lines 10-80 --note "rewriting parse()"',
      'file-intent --key src/parse.ts --clear',
    ],
    exits: { ...NO_FILE },
    load: async () => (await import('../verbs/file-intent.ts')).fileIntent,
  },
  {
    name: 'mirror',
    summary: 'keep a folder and the shared files the same, both ways, from now on',
    usage:
      'DIR [--prefix P] [--include PATH,…] [--max-size SIZE] [--max-gone PERCENT] [--force] [--foreground] | DIR --accept-rules | DIR --confirm-deletions | DIR --restore | DIR --stop | --list',
    about:
      'The link keeps it, over restarts of it too. .gitignore and .clawlinkignore hold; what may hold credentials, or is run by programs, is left out unless it is named.',
    operands: ['dir'],
    flags: {
      dir: { value: 'DIR', what: 'the folder; it may be empty' },
      prefix: { value: 'P', what: 'shared files below this path only', otherwise: 'all' },
      foreground: { what: 'in this command, until it is ended, and print what happens' },
      include: {
        value: 'PATH,…',
        what: 'mirror these paths in it as well, such as .env: they may hold credentials, or be run',
      },
      'max-size': { value: 'SIZE', what: 'what its files may take on the disk', otherwise: '1g' },
      'accept-rules': {
        what: 'have the ignore rules count as they are, also what others let through',
      },
      'max-gone': {
        value: 'PERCENT',
        what: 'if more of its files than this are gone at once, ask before they are removed for all',
        otherwise: '50',
      },
      'confirm-deletions': { what: 'remove for all what is gone here and waits' },
      restore: { what: 'write again what is gone here and waits' },
      force: { what: 'also a home folder, or one in which ClawLink keeps data' },
      stop: { what: 'end it; both sides stay as they are' },
      list: { what: 'which folders are mirrored' },
    },
    needs: [['dir', 'list']],
    examples: ['mirror ./notes --prefix notes', 'mirror ./notes --stop', 'mirror --list'],
    exits: { 3: 'no such folder', 4: 'it is mirrored already', 5: 'a home folder' },
    load: async () => (await import('../verbs/mirror.ts')).mirror,
  },
]
