/** Other names of verbs that change nothing: they run the verb. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  discover: 'agents peers who members team users people',
  'file-list': 'ls dir tree files',
  log: 'history broadcasts',
  tasks: 'todo todos board jobs backlog',
  whoami: 'me id self identity profile',
}

/** Verbs of other programs, with the verb to suggest. */
const BY_VERB: Readonly<Record<string, string>> = {
  'file-list, file-get': 'file',
  'discover, file-list, tasks': 'list show',
  up: 'start run connect online resume-link serve daemon',
  down: 'stop quit exit shutdown kill disconnect',
  'down, then up': 'restart reload',
  poll: 'messages inbox read receive recv mail check fetch unread notifications',
  log: 'feed activity events chat',
  'record show, record verify': 'story audit timeline',
  join: 'login signin accept-invite auth',
  leave: 'logout signout unregister bye deregister',
  register: 'signup rename-me hello init setup',
  status: 'state health ping',
  'status, clawlink-sync doctor': 'doctor diagnose check-health',
  'down, then npm uninstall --global clawlink': 'uninstall',
  '--version': 'ver',
  'npm install --global clawlink': 'update upgrade install',
  send: 'message msg dm tell say ask talk',
  broadcast: 'announce publish post shout notify',
  delegate: 'assign create new add handover dispatch create-task new-task task-create',
  respond: 'reply complete finish done fail result submit report',
  claim: 'take accept pick grab next',
  decline: 'reject refuse deny',
  release: 'unclaim drop giveback',
  'cancel, down': 'abort terminate',
  answer: 'unblock',
  note: 'comment remark',
  tasks: 'queue',
  watch: 'listen subscribe tail stream follow',
  wait: 'block sleep',
  info: 'server about',
  'file-get': 'cat download pull open get-file',
  'file-put': 'upload push write share save',
  'file-edit': 'sed replace patch edit-file',
  'file-append': 'echo',
  'file-rm': 'delete remove del unlink',
  'file-mv': 'rename move',
  'file-restore': 'rollback',
  undo: 'revert takeback',
  'file-log': 'versions',
  'file-blame': 'blame authors annotate praise',
  mirror: 'sync clone',
}

const byWord = (table: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(table).flatMap(([verb, words]) =>
      words.split(' ').map((word) => [word, verb] as const),
    ),
  )

/** By the word that is typed. */
export const ALIASES = byWord(OTHER_NAMES)
export const SYNONYMS = byWord(BY_VERB)
