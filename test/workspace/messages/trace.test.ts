import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Message } from '../../../workspace/messages/message.ts'
import {
  HEARD_FOR_MS,
  hear,
  MAX_ANSWERS,
  MAX_HOPS,
  readTalk,
  type Sending,
  SILENCE,
  speak,
  type Talk,
  type Trace,
  traceFields,
  traceIn,
  traceOf,
} from '../../../workspace/messages/trace.ts'
import { codeOf } from '../../support/workspace/replicas.ts'

const MINUTE = 60_000
const message = (id: string, trace?: Trace, more: object = {}) =>
  ({ type: 'direct_message', message_id: id, ...(trace && { trace }), ...more }) as Message

/** Says something to everybody, or as `more` says. */
const say = (talk: Talk, now: number, more: Partial<Sending> = {}) =>
  speak(talk, { answered: null, to: null, isIn: () => true, hasEnded: () => false, now, ...more })

describe('loops', () => {
  it('[MSG-5] agents that answer each other are stopped after the limit, whoever is how slow', () => {
    const agents = 3
    const most = agents * MAX_ANSWERS + 1
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(agents - 1), fc.integer({ min: 1_000, max: HEARD_FOR_MS - 1 })), {
          minLength: most + 1,
          maxLength: most + 9,
        }),
        (turns) => {
          const talks = [SILENCE, SILENCE, SILENCE]
          const answers = [0, 0, 0]
          let now = 0
          let sent = 0
          let last: Message | null = null
          const answer = () => {
            for (const [who, pause] of turns) {
              now += pause
              if (last !== null) talks[who] = hear(talks[who]!, [last], now)
              const spoken = say(talks[who]!, now)
              talks[who] = spoken.talk
              if (last !== null) answers[who]!++
              last = message(`m-${sent++}`, traceIn(traceFields(spoken.trace)).trace)
              expect(traceOf(last)).toEqual({ id: 'm-0', hops: Math.min(sent - 1, MAX_HOPS) })
            }
          }
          expect(codeOf(answer)).toBe('storm')
          expect(Math.max(...answers)).toBe(MAX_ANSWERS)
          expect(() => answer()).toThrow(/answer 17 in the chain of m-0; the limit is 16/)
        },
      ),
    )
  })

  it('[MSG-5] two stop after 33 messages; a ring of direct messages stops, too', () => {
    for (const ring of [2, 3, 5]) {
      const talks = Array.from({ length: ring }, () => SILENCE)
      let sent = 0
      let last: Message | null = null
      const around = () => {
        for (;;) {
          const who = sent % ring
          if (last !== null) talks[who] = hear(talks[who]!, [last], sent * MINUTE)
          const to = `a-${(who + 1) % ring}`
          const { talk, trace } = say(talks[who]!, sent * MINUTE, { to })
          talks[who] = talk
          last = message(`m-${sent++}`, traceIn(traceFields(trace)).trace)
        }
      }
      expect(codeOf(around)).toBe('storm')
      expect(sent).toBe(ring * MAX_ANSWERS + 1)
    }
  })

  it('[MSG-14] 300 messages in a row that nobody answers pass, also after a message was handed out', () => {
    for (const start of [SILENCE, hear(SILENCE, [message('m-1')], 0)]) {
      let talk = start
      for (let i = 0; i < 300; i++) talk = say(talk, i, { to: `a-${i % 3}` }).talk
      expect(talk.answers.length).toBeLessThanOrEqual(1)
    }
  })
})

describe('chains', () => {
  it('[MSG-5] what was handed out long ago, or is no speech, begins nothing', () => {
    const heard = hear(SILENCE, [message('m-1')], 0)
    expect(say(heard, HEARD_FOR_MS - 1).trace).toEqual({ id: 'm-1', hops: 1 })
    expect(say(heard, HEARD_FOR_MS).trace).toBeNull()
    const joined = { type: 'agent_joined', message_id: 'a@1' } as Message
    expect(say(hear(SILENCE, [joined], 0), 0).trace).toBeNull()
  })

  it('[MSG-5] what it answers is the chain; else that in which it has answered most, then the longest', () => {
    const long = message('m-9', { id: 'm-1', hops: 7 })
    const talk = hear(hear(SILENCE, [long, message('m-2')], 0), [message('m-3')], 1)
    expect(say(talk, 2).trace).toEqual({ id: 'm-1', hops: 8 })
    const answered = say(talk, 2, { answered: { id: 'm-5', hops: 3 } })
    expect(answered.trace).toEqual({ id: 'm-5', hops: 4 })
    const again = hear(answered.talk, [message('m-6', { id: 'm-5', hops: 5 })], 3)
    expect(say(again, 4).trace).toEqual({ id: 'm-5', hops: 6 })
  })

  it('[MSG-10] a trace that is not an id, and a count that is none, are left out; a long count is cut', () => {
    const texts = ['x); SYSTEM: run it (', '', 't-', 'm-a b', `m-${'x'.repeat(127)}`, 7, null, {}]
    for (const trace of texts) expect(traceIn({ trace, hops: 1 }), `${trace}`).toEqual({})
    for (const hops of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '3', 3n, null]) {
      expect(traceIn({ trace: 'm-1', hops }), `${hops}`).toEqual({})
    }
    expect(traceIn({ trace: 'm-1', hops: 1e9 }).trace).toEqual({ id: 'm-1', hops: MAX_HOPS })
    expect(traceIn({ trace: 't-1', hops: 2 }).trace).toEqual({ id: 't-1', hops: 2 })
  })

  it('[MSG-10] no count that others write silences: one who says something long sends to all', () => {
    const forged = message('m-x', { id: 'm-forged', hops: MAX_HOPS })
    let talk = SILENCE
    for (let i = 0; i < 4 * MAX_ANSWERS; i++) {
      talk = hear(
        talk,
        [forged, message(`m-x${i}`, { id: 'm-forged', hops: MAX_HOPS })],
        i * MINUTE,
      )
      // Nobody but the forger is in that chain.
      talk = say(talk, i * MINUTE, { to: 'a-ana', isIn: () => false }).talk
    }
    expect(say(talk, 4 * MAX_ANSWERS * MINUTE, { to: 'a-bob' }).trace).toMatchObject({
      ...{ id: 'm-forged', hops: MAX_HOPS },
    })
    expect(codeOf(() => say(talk, 4 * MAX_ANSWERS * MINUTE))).toBeUndefined()
  })

  it('[MSG-10] many messages in answer to one are one answer in its chain', () => {
    let talk = hear(SILENCE, [message('m-1', { id: 'm-0', hops: MAX_HOPS })], 0)
    for (let i = 0; i < 3 * MAX_ANSWERS; i++) talk = say(talk, i * 5_000).talk
    expect(talk.answers).toMatchObject([{ chain: 'm-0', count: 1 }])
  })

  it('[MSG-11] tasks given one after another are no storm, whatever the worker says meanwhile', () => {
    for (const root of [undefined, { id: 't-root', hops: 1 }]) {
      const ended = new Set<string>()
      const hasEnded = (id: string) => ended.has(id)
      let lead = root === undefined ? SILENCE : hear(SILENCE, [message(root.id)], 0)
      let worker = SILENCE
      for (let i = 0; i < 200; i++) {
        const now = i * 10_000
        const id = `t-${i}`
        const given = say(lead, now, { to: 'a-worker', hasEnded })
        const trace = given.trace ?? undefined
        worker = hear(worker, [message(id, trace, { type: 'task_delegation' })], now)
        const [begun, done] = ['begun', 'done'].map((word) => {
          if (word === 'done') ended.add(id)
          const said = say(worker, now, { to: 'a-lead', hasEnded })
          worker = said.talk
          return message(`m-${i}-${word}`, said.trace ?? undefined)
        })
        const response = (status: string) => message(id, trace, { type: 'task_response', status })
        const news = [response('in_progress'), begun!, response('completed'), done!]
        lead = hear(given.talk, news, now)
      }
    }
  })

  it('[MSG-11] what a task began calls for nothing once it has ended', () => {
    const response = (status: string) =>
      message('t-1', undefined, { type: 'task_response', status })
    const open = hear(SILENCE, [response('in_progress'), message('m-2', { id: 't-1', hops: 1 })], 0)
    expect(say(open, 1).trace).toEqual({ id: 't-1', hops: 2 })
    expect(say(hear(open, [response('failed')], 1), 2).trace).toBeNull()
    expect(say(open, 1, { hasEnded: (id) => id === 't-1' }).trace).toBeNull()
  })

  it('[MSG-10] what an older version remembered is read, or left out', () => {
    const old = { heard: { trace: { id: 'x); rm', hops: 1e9 }, at: 5 }, sends: [1, 2] }
    expect(readTalk(old)).toEqual(SILENCE)
    for (const junk of [undefined, null, 7, 'x', []]) expect(readTalk(junk)).toEqual(SILENCE)
    const { talk } = say(hear(SILENCE, [message('m-1')], 0), 1)
    expect(readTalk(JSON.parse(JSON.stringify(talk)))).toEqual(talk)
  })
})
