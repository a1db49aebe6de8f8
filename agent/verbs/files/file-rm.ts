import { remove } from '../../../workspace/actions/move-file.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Verb } from '../../command/call.ts'
import { act } from '../../command/replica-actor.ts'
import { path } from '../../command/text.ts'

export const fileRm: Verb = async (call) =>
  act(call, remove, inputOf(call, remove.input), ({ removed }) => ({
    lines: [`removed ${path(removed)}`],
  }))
