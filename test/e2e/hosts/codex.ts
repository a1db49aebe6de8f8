import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from './home.ts'
import type { Kind } from './kind.ts'

export const codex: Kind = {
  name: 'codex',
  package: '@openai/codex',
  version: process.env.CODEX_VERSION ?? '0.171.0',
  program: 'codex',
  // Not before the question: only then it shows its model and folder.
  ready: / · ~\/project/,
  question: { asks: /Trust all and continue/, keys: ['2', 'Enter'] },
  setUp: (home, url) => {
    home.write(
      '.codex/config.toml',
      `model = "gpt-6.2-sol"
model_provider = "scripted"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false

[model_providers.scripted]
name = "Scripted"
base_url = "${url}/v1"
wire_api = "responses"
env_key = "SCRIPTED_KEY"

[projects."${home.project}"]
trust_level = "trusted"

[analytics]
enabled = false

[tui]
screen_reader_detection_done = true
`,
    )
  },
  env: () => ({ SCRIPTED_KEY: 'key' }),
  end: async (home) => {
    await home.run('codex', 'app-server', 'daemon', 'stop').catch(() => {})
    endUpdater(home)
  },
}

/** Ends the process that keeps the daemon's release up to date. */
const endUpdater = (home: Home): void => {
  try {
    const file = join(home.dir, '.codex/app-server-daemon/daemon-updater.pid')
    const pid = /\d+/.exec(readFileSync(file, 'utf8'))?.[0]
    if (pid !== undefined) process.kill(Number(pid))
  } catch {
    // It never ran, or has ended.
  }
}
