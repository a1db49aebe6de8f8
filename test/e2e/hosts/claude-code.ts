import type { Kind } from './kind.ts'

const KEY = 'key-of-the-scripted-model'
/** Claude Code remembers the end of an approved key, of this many characters. */
const KEY_END = 20

export const claudeCode: Kind = {
  name: 'claude-code',
  package: '@anthropic-ai/claude-code',
  version: process.env.CLAUDE_CODE_VERSION ?? '2.1.332',
  program: 'claude',
  ready: /^❯\s*$/m,
  question: { asks: /No, keep manual mode/, keys: ['Down', 'Enter'] },
  setUp: (home) => {
    home.write('.claude.json', {
      hasCompletedOnboarding: true,
      theme: 'dark',
      customApiKeyResponses: { approved: [KEY.slice(-KEY_END)], rejected: [] },
      projects: {
        [home.project]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true },
      },
    })
    const permissions = {
      allow: ['Bash', 'mcp__plugin_clawlink_clawlink', 'mcp__clawlink'],
      defaultMode: 'default',
    }
    home.write('.claude/settings.json', { permissions })
  },
  env: (url) => ({
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: KEY,
    ANTHROPIC_MODEL: 'scripted',
    DISABLE_AUTOUPDATER: '1',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  }),
}
