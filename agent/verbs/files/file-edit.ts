import { editLines, editText } from '../../../workspace/actions/edit-text.ts'
import { parseLines } from '../../../workspace/files/file-edit.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Verb } from '../../command/call.ts'
import { act } from '../../command/replica-actor.ts'
import { printWritten } from './file-write.ts'

/** Replaces a text, or lines as the agent has read them. The base of its next file-put does not change. */
export const fileEdit: Verb = async (call) => {
  if (call.has('find')) {
    return act(call, editText, inputOf(call, editText.input), printWritten)
  }
  const { from, to } = parseLines(call.flag('lines')!)
  const input = inputOf(call, editLines.input, { from_line: from, to_line: to })
  return act(call, editLines, input, printWritten)
}
