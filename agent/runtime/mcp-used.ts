import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { writeLocal } from '../../lib/disk/local-write.ts'

/** Time after the start of a link, in milliseconds: its workspaces are opened first. */
export const WARM_AFTER_MS = 500

const fileOf = (home: string): string => join(home, 'link-mcp')

/** Remembers that a host uses MCP in this home: its next links load the SDK before a client comes. */
export const rememberMcp = (home: string): void => {
  if (!existsSync(fileOf(home))) writeLocal(fileOf(home), '', 0o600)
}

export const isMcpUsed = (home: string): boolean => existsSync(fileOf(home))
