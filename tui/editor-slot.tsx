import { Box, Text, useInput } from 'ink'
import type { FileKey } from '../workspace/ids.ts'
import type { Attached } from '../workspace/link/attach.ts'

/** What the editor is given: the file, the cells it may draw in, and how to go back. All keys are its own. */
export interface EditorProps {
  attached: Attached
  path: FileKey
  columns: number
  rows: number
  onClose: () => void
}

/** In the editor's place until it is there. */
export const Editor = ({ path, columns, rows, onClose }: EditorProps) => {
  useInput((_, key) => {
    if (key.escape) onClose()
  })
  return (
    <Box width={columns} height={rows}>
      <Text wrap="truncate">{`${path}: esc back`}</Text>
    </Box>
  )
}
