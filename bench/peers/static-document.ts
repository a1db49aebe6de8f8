import { readFileSync } from 'node:fs'
import * as encoding from 'lib0/encoding'
import { listen } from './listen.ts'

/** Answers every SyncStep1 with one SyncStep2 that it holds in memory: no server can be faster for a newcomer. */
const SYNC = 0
const STEP_1 = 0
const STEP_2 = 1

const answer = encoding.encode((encoder) => {
  encoding.writeVarUint(encoder, SYNC)
  encoding.writeVarUint(encoder, STEP_2)
  encoding.writeVarUint8Array(encoder, readFileSync(`${process.argv[2]}/state`))
})

listen((ws) => {
  ws.on('message', (message: Buffer) => {
    if (message[0] === SYNC && message[1] === STEP_1) ws.send(answer)
  })
})
