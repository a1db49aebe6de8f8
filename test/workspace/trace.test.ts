import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Message } from '../../workspace/inbox.ts'
import {
  HEARD_FOR_MS,
  hear,
  MAX_HOPS,
  MAX_SENDS_PER_MINUTE,
  SILENCE,
  speak,
  type Trace,
  traceFields,
  traceIn,
  traceOf,
} from '../../workspace/trace.ts'
import { codeOf } from './replicas.ts'

const MINUTE = 60_000
const message = (id: string, trace?: Trace) =>
  ({ type: 'direct_message', message_id: id, ...(trace && { trace }) }) as Message

it('[M5] agents that answer each other are stopped after the limit, whoever is how slow', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1_000, max: HEARD_FOR_MS - 1 })), {
        minLength: MAX_HOPS + 2,
        maxLength: MAX_HOPS + 9,
      }),
      (turns) => {
        const talks = [SILENCE, SILENCE, SILENCE]
        let now = 0
        let sent = 0
        let last: Message | null = null
        const answer = () => {
          for (const [who, pause] of turns) {
            now += pause
            if (last !== null) talks[who] = hear(talks[who]!, [last], now)
            const spoken = speak(talks[who]!, null, now)
            talks[who] = spoken.talk
            last = message(`m-${sent++}`, traceIn(traceFields(spoken.trace)).trace)
            expect(traceOf(last)).toEqual({ id: 'm-0', hops: sent - 1 })
          }
        }
        expect(codeOf(answer)).toBe('storm')
        expect(sent).toBe(MAX_HOPS + 1)
        expect(() => answer()).toThrow(/trace m-0.*/)
      },
    ),
  )
})

it('[M5] what was handed out long ago, or is no speech, begins nothing', () => {
  const heard = hear(SILENCE, [message('m-1')], 0)
  expect(speak(heard, null, HEARD_FOR_MS - 1).trace).toEqual({ id: 'm-1', hops: 1 })
  expect(speak(heard, null, HEARD_FOR_MS).trace).toBeNull()
  const joined = { type: 'agent_joined', message_id: 'a@1' } as Message
  expect(speak(hear(SILENCE, [joined], 0), null, 0).trace).toBeNull()
})

it('[M5] the longest chain counts, of what it answers and of what it was handed', () => {
  const long = message('m-9', { id: 'm-1', hops: 7 })
  const talk = hear(hear(SILENCE, [long, message('m-2')], 0), [message('m-3')], 1)
  expect(speak(talk, null, 2).trace).toEqual({ id: 'm-1', hops: 8 })
  expect(speak(talk, { id: 'm-5', hops: 9 }, 2).trace).toEqual({ id: 'm-5', hops: 10 })
})

it('[M5] so many a minute and no more, and again a minute later', () => {
  let talk = SILENCE
  for (let i = 0; i < MAX_SENDS_PER_MINUTE; i++) talk = speak(talk, null, i).talk
  const error = (() => {
    try {
      return speak(talk, null, MAX_SENDS_PER_MINUTE)
    } catch (thrown) {
      return thrown
    }
  })()
  expect(error).toMatchObject({ code: 'storm', exit: 4, http: 429 })
  expect((error as { hint: string }).hint).toMatch(/--reset-trace/)
  expect(speak(talk, null, MINUTE).talk.sends).toHaveLength(MAX_SENDS_PER_MINUTE)
  expect(codeOf(() => speak(talk, null, -5))).toBeUndefined()
})
