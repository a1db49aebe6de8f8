import { counted } from '../../lib/text/count.ts'
import { type FilterFields, parseFilter, passes } from '../model/filter.ts'
import { ago, latest, type UiFrame } from '../model/frame.ts'
import { ORDERS } from '../model/orders.ts'
import { type FileLine, type Snapshot, shownNameOf } from '../model/snapshot.ts'
import { finder } from '../model/sorted.ts'
import { type Column, columnWidths, type Row, said, seg, tableRow } from '../ui/rows.ts'
import { type List, listHead, listRows } from './parts/list.ts'

/** A line of the tree: a folder, by its path with a slash at its end, or a file. */
export interface TreeLine {
  id: string
  name: string
  depth: number
  /** Null: a folder. */
  file: FileLine | null
  isFolded: boolean
  /** Of a folder: how many files, and how many agents in them. */
  files: number
  inside: number
}

/** Orders other than that of the tree, which have no folders. */
const BY: Readonly<Record<string, (a: FileLine, b: FileLine) => number>> = {
  newest: (a, b) => (a.info.updated_at < b.info.updated_at ? 1 : -1),
  largest: (a, b) => b.info.size - a.info.size,
  author: (a, b) => (a.info.last_editor < b.info.last_editor ? -1 : 1),
}

const flatLines = (files: readonly FileLine[]): TreeLine[] =>
  files.map((file) => ({
    ...{ id: file.info.file_key, name: file.info.file_key, depth: 0, file },
    ...{ isFolded: false, files: 0, inside: 0 },
  }))

/** Folders and files as they are seen: what is in a closed folder is not, unless a filter looks for it. */
export const treeLines = latest(
  (
    files: Snapshot['files'],
    names: Snapshot['names'],
    folded: ReadonlySet<string>,
    filter: string,
    order: number,
  ): readonly TreeLine[] => {
    const wanted = parseFilter(filter)
    const isFiltered = wanted.words.length > 0
    const shown = isFiltered ? files.filter((line) => passes(wanted, fieldsOf(line, names))) : files
    const by = BY[ORDERS.files[order] ?? 'path']
    if (by !== undefined) return flatLines([...shown].sort(by))
    const sorted = shown.map((file) => ({ file, key: sortKey(file.info.file_key) }))
    sorted.sort((a, b) => (a.key < b.key ? -1 : 1))
    const lines: TreeLine[] = []
    const folders = new Map<string, TreeLine>()
    for (const { file } of sorted) {
      const parts = file.info.file_key.split('/')
      let isHidden = false
      for (const [depth, name] of parts.slice(0, -1).entries()) {
        const id = `${parts.slice(0, depth + 1).join('/')}/`
        let folder = folders.get(id)
        if (folder === undefined) {
          const isFolded = !isFiltered && folded.has(id)
          folder = { id, name, depth, file: null, isFolded, files: 0, inside: 0 }
          folders.set(id, folder)
          if (!isHidden) lines.push(folder)
        }
        folder.files++
        folder.inside += file.editors.length
        isHidden ||= folder.isFolded
      }
      if (isHidden) continue
      const [depth, name] = [parts.length - 1, parts.at(-1)!]
      const none = { isFolded: false, files: 0, inside: 0 }
      lines.push({ id: file.info.file_key, name, depth, file, ...none })
    }
    return lines
  },
)

/** In the order of these a folder's files are after its folders, as trees are read. */
const sortKey = (path: string): string => {
  const folders = path.split('/')
  const name = folders.pop()!
  return [...folders.map((folder) => `\0${folder}`), `\u0001${name}`].join('\0')
}

const fieldsOf =
  ({ info, editors }: FileLine, names: Snapshot['names']): FilterFields =>
  (key) => {
    const name = (id: string) => (names.get(id) ?? id).toLowerCase()
    switch (key) {
      case '':
        return [info.file_key.toLowerCase(), name(info.last_editor), ...editors.map(name)]
      case 'file':
        return [info.file_key.toLowerCase()]
      case 'from':
        return [name(info.last_editor)]
      case 'agent':
        return [name(info.last_editor), ...editors.map(name)]
      case 'in':
        return editors.map(name)
      default:
        return null
    }
  }

export const linesOf = ({ snapshot, state }: UiFrame): readonly TreeLine[] =>
  treeLines(snapshot.files, snapshot.names, state.folded, state.filters.files, state.orders.files)

const placeOf = finder<TreeLine>(({ id }) => id)

export const fileTreeList = (look: UiFrame): List => {
  const lines = linesOf(look)
  const at = Math.max(0, placeOf(lines, look.state.selected.files ?? ''))
  const idAt = (index: number) => lines[index]!.id
  return { view: 'files', name: 'files', count: lines.length, idAt, each: 1, at }
}

const COLUMNS: readonly Column[] = [
  { title: 'FILE', min: 24, grow: 5 },
  { title: 'IN IT NOW', min: 14, grow: 3 },
  { title: 'VERSION', min: 7, grow: 0 },
  { title: 'BY', min: 12, grow: 1 },
  { title: 'AGE', min: 4, grow: 0 },
  { title: 'SIZE', min: 6, grow: 0 },
]

export const fileRows = (look: UiFrame, width: number, height: number): Row[] => {
  const lines = linesOf(look)
  const widths = columnWidths(COLUMNS, width)
  const head = tableRow(
    COLUMNS.map(({ title }) => [seg(title, 'dim')]),
    widths,
  )
  const draw = (i: number): Row[] => [
    look.plain ? plainRow(look, lines[i]!) : tableRow(cellsOf(look, lines[i]!), widths),
  ]
  if (look.plain) return listRows(look, fileTreeList(look), width, height, draw)
  return [
    listHead(look, fileTreeList(look), head, width, height - 1),
    ...listRows(look, fileTreeList(look), width, height - 1, draw),
  ]
}

const size = (bytes: number): string => {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} K`
  return `${(bytes / 1024 / 1024).toFixed(1)} M`
}

const people = (count: number): string => (count === 0 ? '' : `${count} in it`)

const cellsOf = ({ snapshot }: UiFrame, line: TreeLine): Row[] => {
  const { file, name, depth, isFolded, files, inside } = line
  const indent = seg('  '.repeat(depth))
  if (file === null) {
    return [
      [indent, seg(isFolded ? '▸ ' : '▾ ', 'dim'), said(`${name}/`, 'strong')],
      [seg(isFolded ? people(inside) : '', 'accent')],
      [seg(''), seg(isFolded ? `${files}` : '', 'dim')],
    ]
  }
  const { version, last_editor, updated_at, size: bytes } = file.info
  const editors = file.editors.map((id) => shownNameOf(snapshot, id)).join(', ')
  const proposed = snapshot.waiting.get(file.info.file_key) ?? 0
  return [
    [indent, seg('  '), said(name), seg(proposed === 0 ? '' : ` ±${proposed}`, 'warn')],
    [said(editors === '' ? '' : `✎ ${editors}`, 'accent')],
    [seg(`v${version}`, 'dim')],
    [said(shownNameOf(snapshot, last_editor), 'dim')],
    [seg(ago(updated_at, snapshot.now), 'dim')],
    [seg(size(bytes), 'dim')],
  ]
}

const plainRow = ({ snapshot }: UiFrame, { id, file, isFolded, files }: TreeLine): Row => {
  if (file === null)
    return [said(`folder ${id}, ${isFolded ? 'closed' : 'open'}, ${counted(files, 'file')}`)]
  const inside = file.editors.map((agent) => shownNameOf(snapshot, agent)).join(', ')
  const by = `version ${file.info.version} by ${shownNameOf(snapshot, file.info.last_editor)}`
  const proposed = snapshot.waiting.get(id) ?? 0
  const waiting = proposed === 0 ? '' : `, ${counted(proposed, 'suggestion')} waiting`
  return [said(`${id}, ${by}${waiting}${inside === '' ? '' : `, in it now: ${inside}`}`)]
}
