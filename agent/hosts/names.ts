/** The programs that run agents, and that ClawLink can be installed into. */
export const HOSTS = ['claude-code', 'codex', 'opencode', 'openclaw', 'gemini', 'cursor'] as const
export type HostName = (typeof HOSTS)[number]
