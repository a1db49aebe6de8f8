import { describe, expect, it } from 'vitest'
import { ClawError, ERRORS, type ErrorBody } from '../../protocol/errors.ts'

/** The exit codes that scripts out there rely on. A code may be added here, none may change. */
const EXITS: Record<number, string[]> = {
  1: ['bug'],
  2: [
    'usage',
    'bad_json',
    'bad_status',
    'bad_url',
    'bad_path',
    'bad_text',
    'bad_name',
    'too_large',
    'malformed',
    'ambiguous',
    'task_cycle',
  ],
  3: [
    'not_registered',
    'unknown_agent',
    'unknown_task',
    'unknown_file',
    'unknown_version',
    'unknown_message',
    'unknown_suggestion',
    'unknown_blob',
    'unknown_route',
    'no_such_local_file',
    'no_candidate',
    'nothing_to_claim',
    'unknown_workspace',
    'no_data',
    'openclaw_missing',
  ],
  4: [
    'task_taken',
    'name_taken',
    'task_terminal',
    'task_state',
    'task_blocked',
    'suggestion_state',
    'lease_lost',
    'no_base',
    'is_text',
    'not_text',
    'bad_blob',
    'wrong_offset',
    'quota',
    'key_reused',
    'openclaw_refused',
    'port_taken',
    'data_locked',
    'not_empty',
    'bad_backup',
    'storm',
    'too_many',
    'busy',
  ],
  5: [
    ...['not_allowed', 'insecure', 'data_unusable', 'data_damaged', 'data_newer', 'old_node'],
    ...['unauthorized', 'revoked', 'forged'],
  ],
  6: [
    ...[
      'unreachable',
      'not_clawlink',
      'unproven',
      'proxy_refused',
      'no_websockets',
      'bad_certificate',
      'storage_failed',
      'shutting_down',
      'moved',
    ],
    'workspace_failed',
    ...['slow_reader', 'gap'],
  ],
  7: ['timeout'],
}

describe('ERRORS', () => {
  it.each(Object.entries(EXITS))('[CLI-2] exits with %s', (exit, codes) => {
    for (const code of codes) expect(ERRORS).toHaveProperty([code, 'exit'], Number(exit))
  })

  it('has exit codes 1 to 7 only, and an HTTP status of an error', () => {
    for (const { exit, http } of Object.values(ERRORS)) {
      expect(exit >= 1 && exit <= 7).toBe(true)
      expect(http >= 400 && http < 600).toBe(true)
    }
  })

  it('says of failures of the way to the server that they may pass', () => {
    const passing = Object.entries(ERRORS).filter(([, row]) => 'retryable' in row)
    for (const [, { exit }] of passing) expect([4, 6, 7]).toContain(exit)
    expect(passing.map(([code]) => code)).toEqual(
      expect.arrayContaining(['busy', 'unreachable', 'timeout']),
    )
  })
})

describe('ClawError', () => {
  it('[CLI-2] comes through JSON as it was', () => {
    const error = new ClawError('task_taken', 'taken', 'take another')
    const read = ClawError.fromBody(JSON.parse(JSON.stringify(error.toBody())) as ErrorBody)
    expect([read.code, read.message, read.hint]).toEqual(['task_taken', 'taken', 'take another'])
    expect([read.exit, read.http]).toEqual([4, 409])
    expect(read.toBody().retryable).toBe(false)
    expect(new ClawError('timeout', 'x').toBody()).toMatchObject({ hint: '', retryable: true })
  })

  it.each(['no_such_code', 'toString', undefined])('reads the unknown code %s as a bug', (code) => {
    expect(ClawError.fromBody({ code } as Partial<ErrorBody>)).toMatchObject({
      code: 'bug',
      exit: 1,
    })
  })

  it('keeps what else was thrown as the cause of a bug', () => {
    const cause = new TypeError('x')
    expect(ClawError.from(cause)).toMatchObject({ code: 'bug', message: 'x', cause })
    expect(ClawError.from('text')).toMatchObject({ code: 'bug', message: 'text' })
    const own = new ClawError('usage', 'x')
    expect(ClawError.from(own)).toBe(own)
  })
})
