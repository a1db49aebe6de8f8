import { PassThrough, Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { startApp } from '../../tui/start.tsx'
import { listFiles, readFile } from '../../workspace/files/file-info.ts'
import { until } from '../support/client.ts'
import { held } from '../support/tui/attached.ts'
import { cleanup, show } from '../support/tui/frames.tsx'
import { makeWorld, SMALL } from '../support/tui/world.ts'

/** Longer than the shortest time between two frames, in milliseconds. */
const REST_MS = 50

/** A terminal; `onShown` gets each write at once. */
const tty = (onShown: (text: string) => void) => {
  const stdin = Object.assign(new PassThrough(), {
    ...{ isTTY: true, setRawMode: () => stdin, ref: () => stdin, unref: () => stdin },
  })
  const write = (chunk: unknown, _: string, done: () => void) => {
    onShown(String(chunk))
    done()
  }
  const stdout = Object.assign(new Writable({ write }), { isTTY: true, columns: 80, rows: 24 })
  return {
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: new PassThrough() as unknown as NodeJS.WriteStream,
    type: (text: string) => stdin.write(text),
  }
}

it('[TUI-45] what is typed the moment the first form is drawn is in it', async () => {
  let shown = ''
  let shownAt = Number.POSITIVE_INFINITY
  const terminal = tty((text) => {
    shownAt = performance.now()
    const wasAsked = shown.includes('Who are you?')
    shown += text
    if (!wasAsked && shown.includes('Who are you?')) terminal.type('Annabel')
  })
  const attached = held(makeWorld(SMALL, Date.now()), false)
  let open = () => {}
  const opening = new Promise<typeof attached>((resolve) => {
    open = () => resolve(attached)
  })
  const { done } = startApp({ opening, env: {}, ...terminal })
  // A frame after a rest is drawn at once, before the form in it listens.
  await until(
    'the first frame rests',
    () => shown.includes('opening') && performance.now() - shownAt >= REST_MS,
  )
  open()
  await until('the name is in the form', () => shown.includes('Annabel'))
  terminal.type('\u001b[27u')
  terminal.type('q')
  expect(await done).toBe(0)
  expect(attached.closed).toBe(true)
})

it('[TUI-78] keys typed before the first frame do not move it: they are echoed no more, and it begins at the left edge', async () => {
  const events: string[] = []
  const terminal = tty((text) => events.push(text))
  const { stdin } = terminal
  stdin.setRawMode = (isRaw) => {
    events.push(`raw ${isRaw}`)
    return stdin
  }
  const attached = held(makeWorld(SMALL, Date.now()))
  const { done } = startApp({ opening: Promise.resolve(attached), attached, env: {}, ...terminal })
  await until('there is a frame', () => events.join('').includes('For me'))
  expect(events.slice(0, 2)).toEqual(['raw true', '\r'])
  terminal.type('q')
  expect(await done).toBe(0)
  expect(events.filter((event) => event.startsWith('raw')).at(-1)).toBe('raw false')
})

it('[TUI-78] keys typed with the one that opens a file are typed into it, and do nothing elsewhere', async () => {
  const attached = held(makeWorld(SMALL, Date.now()))
  const shown = await show(attached, 100, 24)
  shown.keys('4', 'G')
  await shown.sees(/\[4 Files/)
  shown.keys('\rqqDx')
  await shown.sees('qqDx')
  expect(shown.quits()).toBe(0)
  expect(attached.ran).toEqual([])
  cleanup()
})

it('[TUI-78] keys typed ahead of views, filters and pages that are not drawn yet find their target', async () => {
  const world = makeWorld(SMALL, Date.now())
  const attached = held(world)
  const shown = await show(attached, 100, 24)
  const files = [...listFiles(world.doc)].map(({ file_key }) => file_key)
  const path = files.find((key) => key.endsWith('.md'))!
  const before = readFile(world.doc, path).content
  // All at once: to the files, by a filter to one of them, into it, a word, out of it, to the tasks.
  shown.keys('4', '/', path, '\r', '\r', 'xyzzy', 'esc', '2')
  await shown.sees('[2 Tasks')
  expect(readFile(world.doc, path).content).toBe(`xyzzy${before}`)
  // In one chunk, too.
  shown.keys(`4/\u0015${path}\r\rplugh\u00113`)
  await shown.sees('[3 Feed')
  expect(readFile(world.doc, path).content).toBe(`plughxyzzy${before}`)
  cleanup()
})
