import * as encoding from 'lib0/encoding'
import { expect, it } from 'vitest'
import { SYNC, SYNC_UPDATE } from '../../../../protocol/frames.ts'
import { updateFrame } from '../../../../sync-server/sync/outgoing/frame-writer.ts'

/** RFC 6455, 5.2: an unmasked binary message in one frame. */
const framed = (message: Uint8Array): Buffer => {
  const { length } = message
  const long = Buffer.alloc(8)
  long.writeBigUInt64BE(BigInt(length))
  const rest = length < 126 ? [] : length < 65_536 ? long.subarray(6) : long
  const size = length < 126 ? length : length < 65_536 ? 126 : 127
  return Buffer.concat([Buffer.of(0x82, size), Buffer.from(rest), message])
}

const lengths = [
  0, 1, 121, 122, 123, 126, 127, 128, 16_383, 16_384, 65_530, 65_531, 65_532, 2_097_152,
]

it.each(lengths)('an update of %i bytes is one sync message in one frame', (length) => {
  const update = new Uint8Array(length).map((_, i) => i)
  const message = encoding.encode((to) => {
    encoding.writeVarUint(to, SYNC)
    encoding.writeVarUint(to, SYNC_UPDATE)
    encoding.writeVarUint8Array(to, update)
  })
  expect(Buffer.compare(updateFrame(update), framed(message))).toBe(0)
})
