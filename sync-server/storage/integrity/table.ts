import { type FileHandle, open } from 'node:fs/promises'
import * as decoding from 'lib0/decoding'
import { Corruption } from './corruption.ts'
import { crc32c, masked } from './crc32c.ts'
import { unsnap } from './snappy.ts'

/**
 * Bytes of a table's footer: the positions of its two indexes, and a magic number
 * (leveldb/doc/table_format.md).
 */
const FOOTER_BYTES = 48
const MAGIC = 0xdb4775248b80fb57n
/** Bytes after each block: its compression (1), and a masked CRC-32C of both (4). */
const TRAILER_BYTES = 5
const PLAIN = 0
const SNAPPY = 1
/** Bytes per read. */
const CHUNK_BYTES = 1024 * 1024

interface Block {
  at: number
  bytes: number
}

/**
 * Checks each block of a table. LevelDB checks blocks only during compaction, and aborts the
 * process at a damaged key. Throws Corruption of `name`.
 */
export const checkTable = async (path: string, name: string): Promise<void> => {
  const file = await open(path)
  try {
    await checkBlocks(file)
  } catch (error) {
    if (!(error instanceof Broken)) throw error
    throw new Corruption(name, error.message)
  } finally {
    await file.close()
  }
}

class Broken extends Error {}

const checkBlocks = async (file: FileHandle): Promise<void> => {
  const { size } = await file.stat()
  if (size < FOOTER_BYTES) throw new Broken('it is too short')
  const footer = await read(file, { at: size - FOOTER_BYTES, bytes: FOOTER_BYTES })
  if (footer.readBigUInt64LE(FOOTER_BYTES - 8) !== MAGIC) throw new Broken('its end is damaged')
  const decoder = decoding.createDecoder(footer)
  const indexes = [handle(decoder, size), handle(decoder, size)]
  const blocks = [...indexes]
  for (const index of indexes) blocks.push(...blocksIn(await contents(file, index), size))
  blocks.sort((a, b) => a.at - b.at)
  // Blocks are adjacent, so bytes between two of them are damage.
  let end = 0
  for (const { at, bytes } of blocks) {
    if (at !== end) throw new Broken(`the bytes at ${end} belong to none of its blocks`)
    end = at + bytes + TRAILER_BYTES
  }
  if (end !== size - FOOTER_BYTES)
    throw new Broken(`the bytes at ${end} belong to none of its blocks`)
  let chunk: Block = { at: 0, bytes: 0 }
  let bytes: Buffer = Buffer.alloc(0)
  for (const block of blocks) {
    const whole = block.bytes + TRAILER_BYTES
    if (block.at + whole > chunk.at + chunk.bytes) {
      const most = Math.min(Math.max(CHUNK_BYTES, whole), size - block.at)
      chunk = { at: block.at, bytes: most }
      bytes = await read(file, chunk)
    }
    checkBlock(bytes.subarray(block.at - chunk.at, block.at - chunk.at + whole), block)
  }
}

const read = async (file: FileHandle, { at, bytes }: Block): Promise<Buffer> => {
  const buffer = Buffer.allocUnsafe(bytes)
  const { bytesRead } = await file.read(buffer, 0, bytes, at)
  if (bytesRead < bytes) throw new Broken('it is too short')
  return buffer
}

/** The position of a block. Throws Broken if it lies outside the table. */
const handle = (decoder: decoding.Decoder, size: number): Block => {
  const block = parsed(() => ({
    at: decoding.readVarUint(decoder),
    bytes: decoding.readVarUint(decoder),
  }))
  if (block.at + block.bytes + TRAILER_BYTES > size - FOOTER_BYTES) {
    throw new Broken('it refers to a block beyond its end')
  }
  return block
}

const parsed = <T>(parse: () => T): T => {
  try {
    return parse()
  } catch {
    throw new Broken('its index cannot be read')
  }
}

const checkBlock = (block: Buffer, { at }: Block): void => {
  const end = block.length - 4
  if (masked(crc32c(block.subarray(0, end))) !== block.readUInt32LE(end)) {
    throw new Broken(`the block at byte ${at} has another checksum`)
  }
}

/** An index block, checked and uncompressed. */
const contents = async (file: FileHandle, block: Block): Promise<Uint8Array> => {
  const bytes = await read(file, { at: block.at, bytes: block.bytes + TRAILER_BYTES })
  checkBlock(bytes, block)
  const kind = bytes[block.bytes]
  const packed = bytes.subarray(0, block.bytes)
  if (kind === PLAIN) return packed
  if (kind !== SNAPPY) throw new Broken(`the block at byte ${block.at} is packed in another way`)
  return parsed(() => unsnap(packed))
}

/**
 * The blocks of an index. An entry has three lengths (shared key, own key, value), the key and the
 * value; a value is the position of one block.
 */
const blocksIn = (index: Uint8Array, size: number): Block[] => {
  const view = new DataView(index.buffer, index.byteOffset, index.byteLength)
  const end = parsed(() => index.length - 4 - 4 * view.getUint32(index.length - 4, true))
  const decoder = decoding.createDecoder(index)
  const blocks: Block[] = []
  while (decoder.pos < end) {
    const [, own, value] = parsed(() => [1, 2, 3].map(() => decoding.readVarUint(decoder)))
    decoder.pos += own!
    const next = decoder.pos + value!
    blocks.push(handle(decoder, size))
    decoder.pos = next
  }
  return blocks
}
