import { ERROR_GUIDE } from '../../protocol/error-guide.ts'
import { ERRORS, type ErrorCode } from '../../protocol/errors.ts'

/** Meaning of the exit codes of `clawlink-agent` and `clawlink-sync`. */
const EXITS: Readonly<Record<number, string>> = {
  1: 'a bug',
  2: 'the input is wrong',
  3: 'not found',
  4: 'conflict: the state does not allow it',
  5: 'not allowed, or the machine is not usable',
  6: 'the server cannot be reached or cannot store',
  7: 'no answer in time',
}

const rowOf = ([code, error]: [string, { exit: number; http: number; close?: number }]): string => {
  const { cause, remedy } = ERROR_GUIDE[code as ErrorCode]
  const retry = 'retryable' in error ? 'yes' : ''
  return `| \`${code}\` | ${error.http} | ${error.close ?? ''} | ${retry} | ${cause} | ${remedy} |`
}

/** docs/errors.md, made from the one table of errors. */
export const errorPage = (): string => {
  const sections = Object.entries(EXITS).map(([exit, meaning]) => {
    const rows = Object.entries(ERRORS).filter(([, error]) => error.exit === Number(exit))
    return [
      `## Exit ${exit}: ${meaning}`,
      '',
      '| code | HTTP | close | retry | cause | remedy |',
      '|---|---|---|---|---|---|',
      ...rows.map(rowOf),
    ].join('\n')
  })
  return `# Errors

Every error has a stable code: \`--json\` and HTTP answers carry it as \`error.code\`, with a message (what is wrong)
and a hint (what to do). The exit code of a command groups the codes; \`close\` is the WebSocket close code. The same
call may succeed unchanged where \`retry\` says yes. This page is made from protocol/errors.ts and
protocol/error-guide.ts by \`npm run docs\`.

${sections.join('\n\n')}
`
}
