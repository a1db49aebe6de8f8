/** What a command of clawlink-sync is given. */
export interface Call {
  /** The command line after its name. */
  argv: readonly string[]
  env: Readonly<Record<string, string | undefined>>
  version: string
  print: (text: string) => void
}

/** Carries a command out and resolves to its exit code. Throws ClawErrors. */
export type Command = (call: Call) => Promise<number>

/** Who may: one file has these. */
const ACCESS = ['invite', 'invites', 'agents', 'revoke', 'rotate', 'audit', 'recover'] as const

/** What clawlink-sync does beside serving: each is loaded when it is asked for. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  ...Object.fromEntries(
    ACCESS.map((name) => [
      name,
      async (): Promise<Command> => {
        const { runAccess } = await import('./cli/access.ts')
        return async ({ argv, env }) => {
          await runAccess(name, argv, env)
          return 0
        }
      },
    ]),
  ),
  backup: async () => (await import('./ops/backup-command.ts')).backup,
  restore: async () => (await import('./ops/restore-command.ts')).restore,
  verify: async () => (await import('./ops/verify-command.ts')).verify,
  doctor: async () => (await import('./ops/doctor.ts')).doctor,
  export: async () => (await import('./ops/export-command.ts')).exportAll,
}
