import {
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { ClawError } from '../../../protocol/errors.ts'
import type { Calling, Said, Team } from '../tools/team.ts'

/** The name of the dialog in a request for input. */
const DIALOG = 'decision'
/** Questions that wait for a person (count); the oldest one is forgotten. */
const MAX_ASKED = 64

const SCHEMA = {
  type: 'object' as const,
  properties: {
    decision: {
      type: 'string' as const,
      title: 'Decision',
      enum: ['approve', 'send back'],
    },
    reason: { type: 'string' as const, title: 'Reason, if you send it back', maxLength: 1_000 },
  },
  required: ['decision'],
}

interface Asking {
  context: ServerContext
  canAsk: boolean
  calling: Calling
}

const refuse = (code: 'not_allowed' | 'task_state', what: string, next: string): Said => ({
  text: '',
  notes: [],
  error: new ClawError(code, what, next).toBody(),
})

/** Asks the person whose profile this is, by a dialog of the host, before a result is approved in their name. */
export class Approvals {
  readonly #team: Team
  /** The results that were shown, by a number that only the host's answer brings back, once. */
  readonly #asked = new Map<string, { task: string; revision: number }>()

  constructor(team: Team) {
    this.#team = team
  }

  /**
   * null: the command needs no person. Else what came of the dialog, or the dialog. The model that calls the tool sees
   * neither the number nor the answer.
   */
  async judge(
    task: string,
    does: 'approve' | 'done',
    asking: Asking,
  ): Promise<Said | InputRequiredResult | null> {
    const { context, canAsk, calling } = asking
    const approval = await this.#team.approvalOf(task, does, calling)
    if (approval.kind === 'free') return null
    if (approval.kind === 'refused') return { text: '', notes: [], error: approval.error }
    const { revision, question } = approval
    const state = context.mcpReq.requestState()
    const shown = typeof state === 'string' ? this.#asked.get(state) : undefined
    const answer = inputResponse(context.mcpReq.inputResponses, DIALOG)
    if (answer.kind === 'elicit' && shown?.task === task && shown.revision === revision) {
      this.#asked.delete(state as string)
      return this.#decide(task, answer, calling)
    }
    if (!canAsk) {
      return refuse(
        'not_allowed',
        `${task} waits for the approval of a person, and this host shows no dialogs`,
        'the person approves it in the TUI (clawlink), or by: clawlink-agent approve',
      )
    }
    const requestState = this.#remember(task, revision)
    const requestedSchema = structuredClone(SCHEMA)
    const dialog = inputRequired.elicit({ message: question, requestedSchema })
    return inputRequired({ inputRequests: { [DIALOG]: dialog }, requestState })
  }

  #remember(task: string, revision: number): string {
    const state = crypto.randomUUID()
    this.#asked.set(state, { task, revision })
    if (this.#asked.size > MAX_ASKED) this.#asked.delete([...this.#asked.keys()][0]!)
    return state
  }

  #decide(
    task: string,
    answer: { action: string; content?: Record<string, unknown> },
    calling: Calling,
  ): Promise<Said> | Said {
    const { action, content = {} } = answer
    if (action === 'accept' && content.decision === 'approve') {
      return this.#team.run({ argv: ['approve', `--task=${task}`], stdin: null }, calling)
    }
    if (action === 'decline' || (action === 'accept' && content.decision === 'send back')) {
      const { reason } = content
      const why = typeof reason === 'string' && reason.trim() !== '' ? reason : 'not approved'
      const argv = ['decline', `--task=${task}`, '--reason=-']
      return this.#team.run({ argv, stdin: why }, calling)
    }
    return refuse(
      'task_state',
      `${task} still waits: the person closed the dialog without a decision`,
      'do not ask again unless they say so',
    )
  }
}
