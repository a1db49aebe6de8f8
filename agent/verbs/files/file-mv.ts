import { move } from '../../../workspace/actions/move-file.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Verb } from '../../command/call.ts'
import { act } from '../../command/replica-actor.ts'
import { path } from '../../command/text.ts'

export const fileMv: Verb = async (call) =>
  act(call, move, inputOf(call, move.input), ({ moved_from, file }) => ({
    lines: [`renamed ${path(moved_from)} to ${path(file.file_key)}`],
  }))
