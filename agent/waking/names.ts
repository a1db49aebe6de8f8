/** The programs that run agents and call these commands. */
export const HOOK_HOSTS = ['claude-code', 'codex', 'gemini', 'cursor', 'opencode'] as const
export type HookHost = (typeof HOOK_HOSTS)[number]

/** `wake` waits until the agent is needed; `take` makes the session work as the profile, instead of another one. */
export const HOOK_EVENTS = [
  'session-start',
  'prompt',
  'stop',
  'session-end',
  'wake',
  'take',
] as const
export type HookEvent = (typeof HOOK_EVENTS)[number]
