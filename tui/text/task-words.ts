/** Words after the name of whoever made a step of a task, by the event where there is one, else by the state. */
const BY_EVENT: Readonly<Record<string, string>> = {
  claimed: 'claimed it',
  released: 'released it',
  declined: 'declined it',
  answered: 'answers',
  'cancel-asked': 'asks to stop',
  'approval-asked': 'asks for approval',
  approved: 'approved it',
  'sent-back': 'sent it back',
  // Steps of the server; their messages have the cause.
  'lease-lost': 'put it back',
  attempts: 'gave it up',
  deadline: 'ended it',
  dependency: 'ended it',
  'no-candidate': 'found nobody for it',
}

const BY_STATE: Readonly<Record<string, string>> = {
  submitted: 'opened it again',
  working: 'is at it',
  // ClawLink 1.x's word, which messages have.
  in_progress: 'is at it',
  'input-required': 'asks',
  completed: 'completed it',
  failed: 'failed',
  canceled: 'canceled it',
  rejected: 'declined it',
}

/** A state that this version does not know is its own word. */
export const stepWords = (state: string, event?: string): string =>
  (event === undefined ? undefined : BY_EVENT[event]) ?? BY_STATE[state] ?? state
