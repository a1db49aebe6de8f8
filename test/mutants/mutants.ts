/** A fault that breaks one rule of docs/SPEC.md, and where it is put. */
export interface Mutant {
  /** The rule that it breaks. Tests with this number must find it. */
  rule: string
  /** Tells mutants of one rule apart. */
  name: string
  file: string
  /** A part of one line; it occurs once in the file. */
  find: string
  replace: string
  /** The folder or file with the tests of the rule. */
  tests: string
}

const TASKS = 'test/workspace/tasks'
const INBOX = 'test/workspace/inbox'
const FILES = 'test/workspace/files'
const TUI = 'test/tui'

const mutant = (
  rule: string,
  name: string,
  file: string,
  [find, replace]: readonly [find: string, replace: string],
  tests: string,
): Mutant => ({ rule, name, file, find, replace, tests })

export const MUTANTS: readonly Mutant[] = [
  mutant(
    '[TASK-1]',
    'two-owners',
    'workspace/tasks/task-commands.ts',
    ['if (owner !== null && !isTerminal(state)) throw takenError(entry)', ''],
    TASKS,
  ),
  mutant(
    '[TASK-2]',
    'any-owner',
    'workspace/tasks/task-rules.ts',
    ["if (role === 'owner') return status.owner === by", "if (role === 'owner') return true"],
    TASKS,
  ),
  mutant(
    '[TASK-3]',
    'terminal-passes',
    'workspace/tasks/task-rules.ts',
    ['if (isTerminal(status.state)) throw terminalError(entry)', ''],
    TASKS,
  ),
  mutant(
    '[TASK-3]',
    'rejected-goes-on',
    'workspace/tasks/task-states.ts',
    ['rejected: {},', "rejected: { working: ['creator'] },"],
    TASKS,
  ),
  mutant(
    '[TASK-5]',
    'filed-twice',
    'workspace/tasks/reconcile/filing.ts',
    ['if (findIn(tasks, id) !== undefined) return true', ''],
    TASKS,
  ),
  mutant(
    '[TASK-6]',
    'old-token-works',
    'workspace/tasks/task-rules.ts',
    ['token !== undefined && token !== status.token', 'token === null'],
    TASKS,
  ),
  mutant(
    '[TASK-7]',
    'one-attempt-more',
    'workspace/tasks/reconcile/leases.ts',
    ['return ended >= most', 'return ended > most'],
    TASKS,
  ),
  mutant(
    '[TASK-8]',
    'everybody-asked',
    'workspace/tasks/reconcile/offers.ts',
    ['const OFFER_WIDTH = 3', 'const OFFER_WIDTH = 300'],
    TASKS,
  ),
  mutant(
    '[TASK-9]',
    'released-is-declined',
    'workspace/tasks/reconcile/offers.ts',
    ["event === 'declined')\n", "event !== 'declined')\n"],
    TASKS,
  ),
  mutant(
    '[TASK-10]',
    'least-urgent-first',
    'workspace/tasks/task-next.ts',
    ['index.open.find(fits)', 'index.open.findLast(fits)'],
    TASKS,
  ),
  mutant(
    '[TASK-11]',
    'deadline-ignored',
    'workspace/tasks/reconcile/next.ts',
    ['const deadline = facts.deadline ?? Infinity', 'const deadline = Infinity'],
    TASKS,
  ),
  mutant(
    '[TASK-12]',
    'runs-after-a-failure',
    'workspace/tasks/reconcile/dependencies.ts',
    ["facts.afterFailed !== 'run'", "facts.afterFailed === 'run'"],
    TASKS,
  ),
  mutant(
    '[TASK-13]',
    'no-time-to-stop',
    'workspace/tasks/reconcile/next.ts',
    ['(owner === null || now >= cancel.until)', '(owner === null || now >= 0)'],
    TASKS,
  ),
  mutant(
    '[TASK-14]',
    'anybody-approves',
    'workspace/tasks/task-approval.ts',
    ['if (facts.approver !== by) {', 'if (facts.approver === undefined) {'],
    TASKS,
  ),
  mutant(
    '[TASK-16]',
    'awaited-is-archived',
    'workspace/tasks/reconcile/retention.ts',
    ['(isAwaited ? kept : archive).push(id)', 'void isAwaited; archive.push(id)'],
    TASKS,
  ),
  mutant(
    '[TASK-18]',
    'progress-without-end',
    'workspace/tasks/task-write.ts',
    ['< MAX_HISTORY) {', '< Infinity) {'],
    TASKS,
  ),
  mutant(
    '[MSG-3]',
    'read-is-delivered',
    'workspace/inbox/sent.ts',
    ["state = 'read'", "state = 'delivered'"],
    INBOX,
  ),
  mutant(
    '[MSG-4]',
    'receipt-of-a-bystander',
    'workspace/tasks/reconcile/filing.ts',
    ['.some(({ to }) => to === by)', '.some(({ to }) => to !== undefined)'],
    INBOX,
  ),
  mutant(
    '[MSG-5]',
    'loops-longer',
    'workspace/messages/trace.ts',
    ['if (count > MAX_ANSWERS &&', 'if (count > MAX_ANSWERS + 1 &&'],
    'test/workspace/messages',
  ),
  mutant(
    '[MSG-14]',
    'every-message-answers',
    'workspace/messages/trace.ts',
    ['if (trace === null || !isAnswer)', 'if (trace === null)'],
    'test/workspace/messages',
  ),
  mutant(
    '[INBOX-2]',
    'direct-to-all',
    'workspace/messages/broadcasts.ts',
    ['if (to !== undefined) return to === me', 'if (to !== undefined) return true'],
    INBOX,
  ),
  mutant(
    '[INBOX-9]',
    'all-topics',
    'workspace/messages/broadcasts.ts',
    ['topics.length === 0 || topics.includes(topic)', 'true || topics.includes(topic)'],
    INBOX,
  ),
  mutant(
    '[INBOX-10]',
    'no-priority',
    'workspace/inbox/inbox.ts',
    ["PRIORITIES.indexOf(message.priority) - PRIORITIES.indexOf('normal')", '0'],
    INBOX,
  ),
  mutant(
    '[INBOX-13]',
    'each-file-told',
    'workspace/inbox/inbox.ts',
    ['if (all.length <= MANY_FILES) continue', 'if (all.length > 0) continue'],
    INBOX,
  ),
  mutant(
    '[FILE-5]',
    'overwrites-unread',
    'workspace/files/put-file.ts',
    ['found !== null && put.base === null &&', 'found !== null && put.base !== null &&'],
    FILES,
  ),
  mutant(
    '[BLOB-6]',
    'oldest-blob-wins',
    'workspace/files/blobs.ts',
    ['b.at - a.at ||', 'a.at - b.at ||'],
    FILES,
  ),
  mutant(
    '[GRAMMAR-2]',
    'one-level-deeper',
    'workspace/document/values.ts',
    ['if (level >= depth)', 'if (level > depth)'],
    'test/workspace/document',
  ),
  mutant(
    '[LOG-7]',
    'order-by-clock',
    'workspace/messages/live-log.ts',
    ['const { at, order = at }', 'const { at: order }'],
    'test/workspace/messages',
  ),
  mutant(
    '[TUI-4]',
    'dash-ignored',
    'tui/model/filter.ts',
    ['if (found === not) return false', 'if (!found && !not) return false'],
    TUI,
  ),
  mutant(
    '[TUI-20]',
    'bidi-shown',
    'lib/text/visible.ts',
    ['\\\\p{Bidi_Control}\\\\p{Default_Ignorable_Code_Point}', ''],
    TUI,
  ),
  mutant(
    '[TEXT-1]',
    'tags-shown',
    'lib/text/visible.ts',
    ['\\\\p{Cc}\\\\p{Cs}', '\\\\p{Cs}'],
    'test/lib/text',
  ),
]
