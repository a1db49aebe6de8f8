import { readFileSync, readlinkSync } from 'node:fs'
import module from 'node:module'
import { execute, type Response } from './execute.ts'

/** Reads stdin to its end. */
const readStdin = async (): Promise<Uint8Array> => {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Resolves to whether all of it was taken. */
const write = (stream: NodeJS.WriteStream, text: string): Promise<boolean> =>
  new Promise((resolve) => {
    stream.on('error', () => resolve(false))
    if (text === '') resolve(true)
    else stream.write(text, (error) => resolve(!error))
  })

/**
 * Whether this program was started without a stdout: Node then opens /dev/null in its place, for reading and writing,
 * while a shell's `>/dev/null`, by which a caller discards what it asked for, opens it for writing only.
 */
const isStdoutClosed = (): boolean => {
  try {
    const flags = /flags:\s*([0-7]+)/.exec(readFileSync('/proc/self/fdinfo/1', 'utf8'))?.[1]
    return readlinkSync('/proc/self/fd/1') === '/dev/null' && (Number(`0o${flags}`) & 3) === 2
  } catch {
    return false // no /proc: not Linux
  }
}

const finish = async ({ stdout, stderr, code, after }: Response): Promise<number> => {
  const printed = await write(process.stdout, stdout)
  await write(process.stderr, stderr)
  if (!printed || after === undefined || isStdoutClosed()) return code
  try {
    await after()
    return code
  } catch (error) {
    await write(process.stderr, `error: not acknowledged: ${(error as Error).message}\n`)
    return 1
  }
}

// Node 22 and later.
;(module as { enableCompileCache?: () => void }).enableCompileCache?.()
// Packages that print a remark print it on stdout, which is for data.
console.log = console.error

const main = async (): Promise<number> => {
  const argv = process.argv.slice(2)
  const asksForStdin = argv.some((arg) => arg === '-' || arg.endsWith('=-'))
  return finish(
    await execute({
      argv,
      cwd: process.cwd(),
      env: process.env,
      stdin: asksForStdin ? await readStdin() : null,
      terminal: process.stdout.isTTY === true,
    }),
  )
}

void main().then((code) => process.exit(code))
