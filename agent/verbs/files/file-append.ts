import { append } from '../../../workspace/actions/edit-text.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Verb } from '../../command/call.ts'
import { act } from '../../command/replica-actor.ts'
import { printWritten } from './file-write.ts'

export const fileAppend: Verb = async (call) =>
  act(call, append, inputOf(call, append.input, { text: call.body('text') }), printWritten)
