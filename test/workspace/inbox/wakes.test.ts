import { expect, it } from 'vitest'
import type { AgentId } from '../../../protocol/ids.ts'
import { wakes } from '../../../workspace/inbox/wakes.ts'
import type { Message } from '../../../workspace/messages/message.ts'

const ME = 'a-000000000000' as AgentId
const OTHER = 'a-111111111111'
const message = (fields: object): Message =>
  ({
    message_id: 't-1',
    from_agent: OTHER,
    to_agent: ME,
    timestamp: '',
    ...fields,
  }) as object as Message

it.each([
  [{ type: 'task_delegation', priority: 'low' }, true],
  [{ type: 'task_canceled' }, true],
  [{ type: 'task_update', event: 'approval-asked' }, true],
  [{ type: 'task_update', event: 'answered' }, true],
  [{ type: 'direct_message' }, true],
  [{ type: 'file_conflict' }, true],
  [{ type: 'look_together' }, false],
  [{ type: 'command_refused' }, true],
  [{ type: 'task_note' }, true],
  [{ type: 'task_response', status: 'completed' }, true],
  [{ type: 'task_response', status: 'failed', event: 'no-candidate' }, true],
  [{ type: 'task_response', status: 'input-required' }, true],
  [{ type: 'task_response', status: 'in_progress' }, false],
  [{ type: 'task_response', status: 'in_progress', event: 'claimed' }, false],
  [{ type: 'task_response', status: 'submitted', event: 'released' }, false],
  [{ type: 'knowledge_broadcast' }, false],
  [{ type: 'file_updated' }, false],
  [{ type: 'file_removed' }, false],
  [{ type: 'files_changed' }, false],
  [{ type: 'agent_joined' }, false],
  [{ type: 'digest' }, false],
])('[HOST-6] %j wakes: %s', (fields, expected) => {
  expect(wakes(message(fields))).toBe(expected)
})
