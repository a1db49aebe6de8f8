import type { Kind } from './kind.ts'

export const opencode: Kind = {
  name: 'opencode',
  package: 'opencode-ai',
  version: process.env.OPENCODE_VERSION ?? '1.18.33',
  program: 'opencode',
  ready: /Ask anything|ctrl\+p commands/,
  setUp: (home, url) =>
    home.write('.config/opencode/opencode.json', {
      $schema: 'https://opencode.ai/config.json',
      model: 'scripted/scripted',
      small_model: 'scripted/scripted',
      autoupdate: false,
      share: 'disabled',
      permission: { bash: 'allow' },
      provider: {
        scripted: {
          npm: '@ai-sdk/openai-compatible',
          name: 'Scripted',
          options: { baseURL: `${url}/v1`, apiKey: 'key' },
          models: { scripted: { name: 'Scripted', limit: { context: 120_000, output: 8_192 } } },
        },
      },
    }),
  env: () => ({ OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1' }),
}
